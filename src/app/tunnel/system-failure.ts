import type { Failure } from '../../core/failure.ts'
import { FiltersRefused } from '../kernel/apply-failure.ts'
import { SystemError } from '../ports.ts'

/** What is told of an action that the system refused. */
export function failureOfSystem(error: unknown, action: string): Failure {
  if (!(error instanceof SystemError)) throw error
  if (error instanceof FiltersRefused) return { code: 'firewall_refused', reason: error.message }
  if (isForbidden(error.code)) return { code: 'not_permitted', action }
  return { code: 'system_refused', action, cause: error.message }
}

/** Whether this errno name says that we may not. */
export function isForbidden(code: string): boolean {
  return code === 'EPERM' || code === 'EACCES'
}
