/** What the kernel, or nft, refused, and what follows from it. */
import { type Change, describeChange } from '../../core/system/change.ts'
import { SystemError } from '../ports.ts'

/** Something that the kernel, or nft, refused. */
export interface ApplyFailure {
  readonly change: Change
  /** The errno name. */
  readonly code: string
  /** A sentence: what was tried, and what came back. */
  readonly message: string
}

/** Whether a tunnel cannot be up for it. All other failures leave one that works in part: they are told, and tried again. */
export function keepsDown({ change }: ApplyFailure, device: string): boolean {
  if (change.kind === 'loadNft') return true
  return (change.kind === 'createDevice' || change.kind === 'setLink') && change.device === device
}

/** Filters could not be loaded. */
export class FiltersRefused extends SystemError {}

/** The same as an error, for who cannot go on without it. */
export function refusalOf({ change, code, message }: ApplyFailure): SystemError {
  return change.kind === 'loadNft' ? new FiltersRefused(code, message) : new SystemError(code, message)
}

/** The error of the filters that could not be loaded; undefined where they were, whatever else was refused. */
export function refusalOfFilters(failures: readonly ApplyFailure[]): SystemError | undefined {
  const failure = failures.find(({ change }) => change.kind === 'loadNft')
  return failure && refusalOf(failure)
}

/**
 * Addresses of a device that the kernel refused, and why: a predicate, as `is refused by this machine (EACCES)`. It does
 * not say more of why than a number.
 */
export function addressRefusals(failures: readonly ApplyFailure[], device: string): Map<string, string> {
  return new Map(
    failures.flatMap(({ change, code }) =>
      change.kind === 'addAddress' && change.device === device
        ? [[change.address.address, refusedBecause(change, code)] as const]
        : [],
    ),
  )
}

function refusedBecause({ device, address }: Extract<Change, { kind: 'addAddress' }>, code: string): string {
  // inet6_addr_add of Linux.
  const off = address.family === 6 && code === 'EACCES'
  const why = off ? `: IPv6 is switched off there, see sysctl net.ipv6.conf.${device}.disable_ipv6` : ''
  return `is refused on ${device} by this machine (${code})${why}`
}

const GONE = new Set(['ENOENT', 'ESRCH', 'EADDRNOTAVAIL', 'ENODEV', 'ENXIO'])

/** What to tell of a change that failed. */
export function failureOf(change: Change, error: unknown): ApplyFailure {
  const { code, message } =
    error instanceof SystemError
      ? error
      : { code: 'EIO', message: error instanceof Error ? error.message : `${error}` }
  return { change, code, message: `could not ${describeChange(change)}: ${message}` }
}

/** A removal of what is gone already, and an addition of what is there already, have succeeded. */
export function isHarmless({ change, code }: ApplyFailure): boolean {
  if (change.kind === 'addRule') return code === 'EEXIST'
  return change.kind.startsWith('remove') && GONE.has(code)
}
