import { InvalidArgumentError } from 'commander'

/** A number of things for an option: 0 to 999999999. */
export function readCount(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError('Give a whole number.')
  return Number(text)
}
