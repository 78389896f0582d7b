import type { ResolverLink, SystemResolvers } from '../app/ports.ts'
import { isLoopback } from '../core/ip/networks.ts'
import { type Nameserver, parseResolvConf, parseSystemdLink } from '../core/ip/resolv-conf.ts'
import { below } from '../core/path.ts'
import { readText } from './read-text.ts'

/** What systemd-resolved and systemd-networkd know of one link. */
const SYSTEMD_LINK_FOLDERS = ['run/systemd/resolve/netif', 'run/systemd/netif/links']
/** netifd's list on OpenWrt, by interface. */
const OPENWRT_FILE = 'tmp/resolv.conf.d/resolv.conf.auto'
/** Lists for the whole system; those before the last name the servers behind a stub on the loopback. */
const SYSTEM_FILES = [
  'run/systemd/resolve/resolv.conf',
  'run/NetworkManager/no-stub-resolv.conf',
  'etc/resolv.conf',
]

/**
 * Reads the resolvers that the system has noted in files: those of the link itself where they are known, else all.
 * A stub on the loopback comes last: it can't be asked over a chosen device, and what it does is not ours to see.
 */
export class FileSystemResolvers implements SystemResolvers {
  readonly #root: string

  constructor(root = '/') {
    this.#root = root
  }

  forLink(link: ResolverLink): readonly string[] {
    const usable = (nameservers: readonly Nameserver[]) =>
      nameservers
        .filter(({ zone }) => zone === undefined || zone === link.device)
        .map(({ address }) => address)
        .filter((address) => !isLoopback(address))
    const ofSystem = SYSTEM_FILES.map((path) => parseResolvConf(this.#read(path)))
    const stubs = ofSystem
      .flat()
      .map(({ address }) => address)
      .filter(isLoopback)
    const lists = [this.#ofLink(link), parseResolvConf(this.#read(OPENWRT_FILE)), ...ofSystem].map(usable)
    const best = lists.find((list) => list.length > 0) ?? []
    return [...new Set([...best, ...stubs])]
  }

  #ofLink({ name, device, ifindex }: ResolverLink): Nameserver[] {
    const ofSystemd = SYSTEMD_LINK_FOLDERS.flatMap((folder) =>
      parseSystemdLink(this.#read(`${folder}/${ifindex}`)),
    )
    if (ofSystemd.length > 0) return ofSystemd
    return parseResolvConf(this.#read(OPENWRT_FILE)).filter(
      (nameserver) => nameserver.interface !== undefined && [name, device].includes(nameserver.interface),
    )
  }

  #read(path: string): string {
    // Missing here is the normal case; what can't be read can't be used either.
    return readText(below(this.#root, path)) ?? ''
  }
}
