import { SystemError } from '../../../app/ports.ts'

/** What Node throws and tells, as the port wants it; its words name the call already. Our own bugs stay as they are. */
export function systemError(cause: unknown): unknown {
  const { code, message } = cause as NodeJS.ErrnoException
  return typeof code === 'string' ? new SystemError(code, message) : cause
}

/** Gives what `call` gives; throws SystemError where that throws an error with a code. */
export function asked<T>(call: () => T): T {
  try {
    return call()
  } catch (cause) {
    throw systemError(cause)
  }
}
