import type { Family } from '../../src/core/ip/address.ts'
import { type Facts, NO_FACTS } from '../../src/core/system/facts.ts'
import { addressOn, linkOf } from '../core/system/samples.ts'

/** A way out of the house and what may be wrong with it. */
export interface Line {
  readonly name: string
  readonly metered: boolean
  readonly address: string
  /** Another one that the device bears before it, as to reach the pages of a modem; undefined: none. */
  readonly modem: string | undefined
  /** Round trip in ms when idle. */
  readonly rtt: number
  /** ms after which the NAT of the carrier forgets an idle tunnel. */
  readonly mapping: number
  /** It has an IPv6 address too. */
  readonly six: boolean
  /** Families of which nothing gets through, as where a carrier's translator has died: a silent death. */
  lost: readonly Family[]
  /** The device has a carrier and an address. */
  link: boolean
  /** What we send gets through; false is a silent death. */
  sends: boolean
  /** What is sent to us over it gets through; false is a silent death. */
  receives: boolean
  /** Share of packets lost, 0..1. */
  loss: number
  /** Added delay in ms of full queues. */
  bloat: number
  /** Something is received at all times, whatever the state of the path. */
  chatter: boolean
  /** Its budget is spent. */
  cutOff: boolean
}

/** Packets of a family get through now, both ways. */
export function alive({ link, sends, receives, lost, six }: Line, family: Family = 4): boolean {
  return link && sends && receives && !lost.includes(family) && (family === 4 || six)
}

/** Alive beyond doubt: whoever judges it dead is wrong. */
export function sound(line: Line): boolean {
  return alive(line) && line.lost.length === 0 && line.loss === 0 && (line.bloat === 0 || line.chatter)
}

/** Index of the first line's device. */
const FIRST = 2

/** What the kernel tells of lines: each is the device of its name. */
export function factsOf(lines: readonly Line[]): Facts {
  return {
    ...NO_FACTS,
    links: lines.map(({ name, link }, i) => linkOf(FIRST + i, name, { carrier: link, noArp: true })),
    addresses: lines.flatMap(({ address, modem, six }, i) => [
      ...(modem === undefined ? [] : [addressOn(FIRST + i, `${modem}/24`)]),
      addressOn(FIRST + i, `${address}/30`),
      ...(six ? [addressOn(FIRST + i, `2001:db8:${FIRST + i}::2/64`)] : []),
    ]),
  }
}
