/** Where the lines of a bundle come from, in the form that src/runtime/trace.c reads. */

interface SourceMap {
  readonly sources: readonly string[]
  readonly mappings: string
}

const BIAS = 64
const NOWHERE = 254
const ANEW = 255
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

interface Origin {
  readonly source: number
  /** From one. */
  readonly line: number
}

/** Of each line its first piece counts. Sources are named as the map names them, after `rename`. */
export function lineTable({ sources, mappings }: SourceMap, rename = (source: string) => source): Uint8Array {
  const octets: number[] = []
  let last: Origin = { source: 0, line: 0 }
  for (const origin of originsOf(mappings)) {
    const step = origin && origin.line - last.line + BIAS
    if (origin === undefined || step === undefined) {
      octets.push(NOWHERE)
      continue
    }
    if (origin.source === last.source && step >= 0 && step < NOWHERE) octets.push(step)
    else octets.push(ANEW, ...twoOctets(origin.source), ...twoOctets(origin.line))
    last = origin
  }
  const names = sources.map((source) => `${rename(source)}\0`).join('')
  return Uint8Array.from([...Buffer.from(`${names}\0`), ...octets])
}

function twoOctets(value: number): [number, number] {
  return [value & 0xff, value >> 8]
}

/** ECMA-426: lines are divided by semicolons, pieces by commas; all numbers but the column count from those before. */
function originsOf(mappings: string): (Origin | undefined)[] {
  let source = 0
  let line = 0
  return mappings.split(';').map((pieces) => {
    let first: Origin | undefined
    for (const piece of pieces === '' ? [] : pieces.split(',')) {
      const [, sourceStep, lineStep] = numbersOf(piece)
      if (sourceStep === undefined || lineStep === undefined) continue
      source += sourceStep
      line += lineStep
      first ??= { source, line: line + 1 }
    }
    return first
  })
}

/** Base64 VLQ: five bits a digit, the lowest ones first, with a sixth where more follow; the lowest bit of all is the sign. */
function numbersOf(piece: string): number[] {
  const numbers: number[] = []
  let value = 0
  let shift = 0
  for (const digit of piece) {
    const bits = DIGITS.indexOf(digit)
    value |= (bits & 31) << shift
    shift += 5
    if (bits & 32) continue
    numbers.push(value & 1 ? -(value >> 1) : value >> 1)
    value = 0
    shift = 0
  }
  return numbers
}
