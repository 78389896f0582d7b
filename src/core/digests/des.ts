/**
 * Single DES of one block (FIPS 46-3), for MS-CHAPv2. It works on bits, as the standard is written: a login takes three blocks.
 * Tables count bits from 1, the highest one of the first octet, as the standard does.
 */

type Bits = readonly number[]

// biome-ignore format: as the standard prints them
const INITIAL: Bits = [58, 50, 42, 34, 26, 18, 10, 2, 60, 52, 44, 36, 28, 20, 12, 4, 62, 54, 46, 38, 30, 22, 14, 6, 64, 56, 48, 40, 32, 24, 16, 8,
  57, 49, 41, 33, 25, 17, 9, 1, 59, 51, 43, 35, 27, 19, 11, 3, 61, 53, 45, 37, 29, 21, 13, 5, 63, 55, 47, 39, 31, 23, 15, 7]
const FINAL: Bits = INITIAL.map((_, position) => INITIAL.indexOf(position + 1) + 1)
/** E: 32 bits become eight groups of six, each with its neighbours' next bits. */
const EXPANSION: Bits = Array.from(
  { length: 48 },
  (_, i) => ((Math.floor(i / 6) * 4 + (i % 6) + 31) % 32) + 1,
)
// biome-ignore format: as the standard prints them
const PERMUTATION: Bits = [16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, 2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25]
// biome-ignore format: as the standard prints them
const CHOICE_1: Bits = [57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36,
  63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4]
// biome-ignore format: as the standard prints them
const CHOICE_2: Bits = [14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2,
  41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32]
const SHIFTS: Bits = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1]
/** S1 to S8: four rows of sixteen values each, a hexadecimal digit for a value. */
const BOXES = [
  'e4d12fb83a6c5907 0f74e2d1a6cb9538 41e8d62bfc973a50 fc8249175b3ea06d',
  'f18e6b34972dc05a 3d47f28ec01a69b5 0e7ba4d158c6932f d8a13f42b67c05e9',
  'a09e63f51dc7b428 d709346a285ecbf1 d6498f30b12c5ae7 1ad069874fe3b52c',
  '7de3069a1285bc4f d8b56f03472c1ae9 a690cb7df13e5284 3f06a1d8945bc72e',
  '2c417ab6853fd0e9 eb2c47d150fa3986 421bad78f9c5630e b8c71e2d6f09a453',
  'c1af92680d34e75b af427c9561de0b38 9ef528c3704a1db6 432c95fabe17608d',
  '4b2ef08d3c975a61 d0b7491ae35c2f86 14bdc37eaf680592 6bd814a7950fe23c',
  'd2846fb1a93e50c7 1fd8a374c56b0e92 7b419ce206adf358 21e74a8dfc90356b',
].map((rows) => rows.split(' '))

/** One block in ECB mode. `key` 8 octets, of which the lowest bits are not used; `block` 8 octets. */
export function des(key: Uint8Array, block: Uint8Array): Uint8Array {
  const start = pick(bitsOf(block), INITIAL)
  let [left, right]: [Bits, Bits] = [start.slice(0, 32), start.slice(32)]
  for (const round of roundKeys(key)) [left, right] = [right, xor(left, substitute(right, round))]
  return octetsOf(pick([...right, ...left], FINAL))
}

/** One key of 48 bits for each of the sixteen rounds. */
function roundKeys(key: Uint8Array): Bits[] {
  const chosen = pick(bitsOf(key), CHOICE_1)
  let [c, d]: [Bits, Bits] = [chosen.slice(0, 28), chosen.slice(28)]
  return SHIFTS.map((shift) => {
    ;[c, d] = [turned(c, shift), turned(d, shift)]
    return pick([...c, ...d], CHOICE_2)
  })
}

/** The cipher function f(R, K). */
function substitute(right: Bits, key: Bits): Bits {
  const groups = xor(pick(right, EXPANSION), key)
  const values = BOXES.flatMap((rows, box) => {
    const [first = 0, a = 0, b = 0, c = 0, d = 0, last = 0] = groups.slice(box * 6, box * 6 + 6)
    const value = Number.parseInt(rows[first * 2 + last]?.[a * 8 + b * 4 + c * 2 + d] ?? '0', 16)
    return [value >> 3, (value >> 2) & 1, (value >> 1) & 1, value & 1]
  })
  return pick(values, PERMUTATION)
}

function pick(bits: Bits, positions: Bits): Bits {
  return positions.map((position) => bits[position - 1] ?? 0)
}

function xor(a: Bits, b: Bits): Bits {
  return a.map((bit, position) => bit ^ (b[position] ?? 0))
}

function turned(bits: Bits, shift: number): Bits {
  return [...bits.slice(shift), ...bits.slice(0, shift)]
}

function bitsOf(octets: Uint8Array): Bits {
  return Array.from(octets).flatMap((octet) => [7, 6, 5, 4, 3, 2, 1, 0].map((bit) => (octet >> bit) & 1))
}

function octetsOf(bits: Bits): Uint8Array {
  return Uint8Array.from({ length: bits.length / 8 }, (_, octet) =>
    bits.slice(octet * 8, octet * 8 + 8).reduce((value, bit) => value * 2 + bit, 0),
  )
}
