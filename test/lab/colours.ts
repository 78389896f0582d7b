/** ANSI colours, left out where the output is no terminal or NO_COLOR is set. */

const wanted = process.stdout.isTTY === true && process.env.NO_COLOR === undefined

const sgr = (code: number) => (text: string) => (wanted ? `\x1b[${code}m${text}\x1b[0m` : text)

export const bold = sgr(1)
export const dim = sgr(2)
export const red = sgr(31)
export const green = sgr(32)
export const yellow = sgr(33)
export const cyan = sgr(36)

/** The columns that a text with colours takes. */
export function columns(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the colours themselves
  return [...text.replaceAll(/\x1b\[\d+m/g, '')].length
}
