const LONGEST = 120

/**
 * What a peer said, for a place inside of a sentence: between quotation marks, at most 120 characters, its own
 * quotation marks single ones. Empty if it said nothing. The text must already be printable.
 */
export function quote(text: string | undefined): string {
  const said = (text ?? '').replace(/^["\s]+|["\s]+$/g, '').replaceAll('"', "'")
  return said === '' ? '' : `"${said.slice(0, LONGEST)}"`
}
