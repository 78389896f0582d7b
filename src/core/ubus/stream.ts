/** Cuts what comes from ubusd, in pieces of any size, into messages. */
import { concat } from '../bytes.ts'
import { decodeMessage, MAX_MESSAGE, messageLength, type UbusMessage } from './message.ts'

/** Holds at most one message that is not there yet. */
export class MessageReader {
  #parts: Uint8Array[] = []
  #gathered = 0
  /** Octets that must be there before the next look is worth it. */
  #wanted = 0

  /**
   * The whole messages, in order. Undefined where the stream makes no sense, as with a message longer than ubusd itself
   * takes: nothing after it can be read, and the connection is to be closed.
   */
  push(piece: Uint8Array): UbusMessage[] | undefined {
    this.#parts.push(piece.slice())
    this.#gathered += piece.length
    if (this.#gathered < this.#wanted) return []
    let rest = concat(...this.#parts)
    const messages: UbusMessage[] = []
    for (;;) {
      const length = messageLength(rest)
      if (length !== undefined && length > MAX_MESSAGE) return undefined
      if (length === undefined || rest.length < length) {
        this.#wanted = length ?? 0
        break
      }
      const message = decodeMessage(rest.subarray(0, length))
      if (message === undefined) return undefined
      messages.push(message)
      rest = rest.subarray(length)
    }
    this.#parts = [rest.slice()]
    this.#gathered = rest.length
    return messages
  }
}
