import type { Config } from '../../core/config/types.ts'
import type { Digests, Entropy } from '../../core/crypto.ts'
import type { Facts } from '../../core/system/facts.ts'
import type {
  Clock,
  Datagrams,
  Netlinks,
  Nft,
  Resolver,
  Sysctls,
  SystemProbe,
  SystemResolvers,
} from '../ports.ts'

/** One thing that was looked at. */
export interface Finding {
  /** `problem`: a tunnel cannot work like this; `warning`: some of it will not; `note`: good to know. */
  readonly severity: 'ok' | 'note' | 'warning' | 'problem'
  /** What was looked at, such as `TUN devices`. */
  readonly subject: string
  /** What was found. */
  readonly message: string
  /** What to do. */
  readonly advice?: string
}

/** What the checks look at. */
export interface DoctorPorts {
  readonly clock: Clock
  readonly netlinks: Netlinks
  readonly nft: Nft
  readonly sysctls: Sysctls
  readonly datagrams: Datagrams
  readonly resolver: Resolver
  readonly systemResolvers: SystemResolvers
  readonly probe: SystemProbe
  readonly digests: Digests
  readonly entropy: Entropy
}

/** What checks of the network start from. */
export interface Situation {
  readonly config: Config
  readonly facts: Facts
}
