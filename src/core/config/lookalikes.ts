/** Characters that come along with text copied from pages and word processors, and look like others or like nothing. */

const LOOKALIKES: ReadonlyMap<string, string> = new Map([
  ['\u00a0', 'no-break space'],
  ['\u202f', 'narrow no-break space'],
  ['\u2007', 'figure space'],
  ['\u2009', 'thin space'],
  ['\u3000', 'ideographic space'],
  ['\u00ad', 'soft hyphen'],
  ['\u200b', 'zero-width space'],
  ['\u200c', 'zero-width non-joiner'],
  ['\u200d', 'zero-width joiner'],
  ['\u2060', 'word joiner'],
  ['\ufeff', 'byte order mark'],
  ['\u2010', 'hyphen that is not -'],
  ['\u2011', 'no-break hyphen'],
  ['\u2013', 'dash'],
  ['\u2018', 'curved quote'],
  ['\u2019', 'curved quote'],
  ['\u201a', 'curved quote'],
  ['\u201c', 'curved quote'],
  ['\u201d', 'curved quote'],
  ['\u201e', 'curved quote'],
])

/** Names the first of them in a text, such as `a no-break space (U+00A0)`; undefined if there is none. */
export function lookalikeIn(text: string): string | undefined {
  for (const character of text) {
    const name = LOOKALIKES.get(character)
    if (name !== undefined) return `a ${name} (${codePoint(character)})`
  }
  return undefined
}

/**
 * The same for a text in which every character is allowed: a name may hold a curved apostrophe or a dash, but nobody means
 * a space that cannot be told from another, or quotes around it.
 */
export function suspectIn(text: string): string | undefined {
  const blanks = text.replace(/[^\u00a0\u00ad\u2007\u2009\u200b-\u200d\u202f\u2060\u3000\ufeff]/gu, '')
  return lookalikeIn(blanks) ?? lookalikeIn(/^[\u2018\u201a\u201c\u201e]/.exec(text)?.[0] ?? '')
}

/** What is said of a suspect. */
export function suspectReason(suspect: string): string {
  return `it holds ${suspect}, which counts as part of it: type it anew if that is not meant`
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
}
