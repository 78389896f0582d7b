/** A kernel in memory that does what changes ask for, through the same octets as the real one. */
import assert from 'node:assert/strict'
import { type Change, encodeChange } from '../../../src/core/system/change.ts'
import type { DesiredState } from '../../../src/core/system/desired-state.ts'
import { ALIAS_PREFIX } from '../../../src/core/system/device.ts'
import { difference, type Holdings } from '../../../src/core/system/difference.ts'
import { type Facts, linkNamed, reduceFacts } from '../../../src/core/system/facts.ts'
import { linkOf } from './samples.ts'

export class ModelKernel {
  facts: Facts
  nft: string | undefined
  readonly sysctls = new Map<string, string>()
  #nextIndex = 100

  constructor(facts: Facts) {
    this.facts = facts
  }

  get holdings(): Holdings {
    return { nft: this.nft, readSysctl: (path) => this.sysctls.get(path) ?? 'unset' }
  }

  missing(desired: DesiredState): Change[] {
    return difference(desired, this.facts, this.holdings)
  }

  apply(desired: DesiredState): Change[] {
    const changes = this.missing(desired)
    for (const change of changes) this.perform(change)
    return changes
  }

  perform(change: Change): void {
    switch (change.kind) {
      case 'loadNft':
        this.nft = change.text
        return
      case 'removeNft':
        this.nft = undefined
        return
      case 'createDevice':
        this.#addLink(change.device)
        return
      case 'setSysctl':
        this.sysctls.set(change.sysctl.path, change.sysctl.value)
        return
      case 'setCarrier':
        this.#update(change.device, { carrier: change.on })
        return
      case 'setLink':
        this.#update(change.device, change.change)
        return
      case 'removeDevice':
        this.#removeLink(change.device)
        return
      default: {
        const request = encodeChange(change, this.facts)
        assert.ok(request, `${change.kind} names a device that does not exist`)
        const { facts } = reduceFacts(this.facts, [request])
        assert.notEqual(facts, this.facts, `${JSON.stringify(change)} changes nothing`)
        this.facts = facts
      }
    }
  }

  #addLink(name: string): void {
    assert.equal(linkNamed(this.facts, name), undefined)
    const link = linkOf(this.#nextIndex++, name, { kind: 'tun', up: false, carrier: false, noArp: true })
    this.facts = { ...this.facts, links: [...this.facts.links, link] }
  }

  #update(name: string, change: object): void {
    assert.ok(linkNamed(this.facts, name), name)
    const links = this.facts.links.map((link) => (link.name === name ? { ...link, ...change } : link))
    this.facts = { ...this.facts, links }
  }

  /** As in the kernel, addresses and routes go with the link. */
  #removeLink(name: string): void {
    const link = linkNamed(this.facts, name)
    assert.ok(link, name)
    assert.ok(link.alias?.startsWith(ALIAS_PREFIX), name)
    this.facts = {
      ...this.facts,
      links: this.facts.links.filter((other) => other !== link),
      addresses: this.facts.addresses.filter((address) => address.link !== link.index),
      routes: this.facts.routes.filter((route) => !route.nexthops.some((hop) => hop.link === link.index)),
    }
  }
}
