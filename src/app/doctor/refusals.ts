/** Which rules refuse a packet that this machine was about to send (EPERM). */
import { holdsOurTable, judge } from '../../core/firewall/foreign.ts'
import type { PacketKind } from '../../core/firewall/packet-kind.ts'
import { ipFamily } from '../../core/ip/address.ts'
import { hostPrefix } from '../../core/ip/prefix.ts'
import { type Nft, SystemError } from '../ports.ts'
import type { Finding } from './finding.ts'

/** Says whose rules they are: those of others are blamed only when they are to blame, and so are ours. */
export async function refusalFinding(
  nft: Nft,
  subject: string,
  { address, port, device }: { address: string; port: number; device: string },
): Promise<Finding> {
  const told = `this machine itself refuses packets to ${address} out of ${device} (EPERM)`
  const finding = (message: string, advice: string): Finding => ({
    severity: 'problem',
    subject,
    message: `${told}: ${message}`,
    advice,
  })
  let ruleset: unknown
  try {
    ruleset = await nft.list()
  } catch (cause) {
    if (!(cause instanceof SystemError)) throw cause
    return finding(
      'whose rule that is could not be judged, as the rules cannot be read',
      'look at the output and postrouting chains of `nft list ruleset`',
    )
  }
  const packet: PacketKind = {
    hook: 'output',
    family: ipFamily(address) ?? 4,
    oif: device,
    protocol: 'udp',
    dport: port,
    state: 'new',
    daddr: [hostPrefix(address)],
  }
  const judgement = judge(ruleset, packet)
  switch (judgement.type) {
    case 'drops':
      return finding(
        `the chain ${judgement.chain} drops them`,
        `allow UDP to port ${port} out of ${device} there`,
      )
    case 'unclear':
      return finding(
        `could not judge whether the chain ${judgement.chain} does, which depends on ${judgement.because}`,
        'look at its counters, or let it log what it drops',
      )
    case 'passes':
      return holdsOurTable(ruleset)
        ? finding(
            "no chain of another program does, so it is lifeline's own table inet lifeline",
            'that is a fault of lifeline: report it with what `nft list table inet lifeline` and `ip address` print',
          )
        : finding(
            'no chain of nftables does',
            'look for rules of iptables-legacy, and for IPAddressDeny= of the service',
          )
  }
}
