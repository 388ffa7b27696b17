/**
 * How many different visitors, in little space: their hashes while they are few, then a HyperLogLog. Sketches of the same
 * precision can be united, whatever visitors they have in common.
 *
 * Ours, as none of npm's does it: `hyperloglog`, `hyperloglog32`, `hyperlolo` and `bloom-filters` hash to 32 bits (of ten
 * million visitors, eleven thousand collide), and estimate as in 2007, which is off where registers begin to fill.
 */

/** 2 to this power are the registers: 14 for totals, 12 for values. */
export type Precision = 12 | 14

export interface Sketch {
  precision: Precision
  /** hashes, until they are too many */
  few: Set<number> | undefined
  /** then, for each register, the longest run of zero bits, plus one */
  registers: Uint8Array | undefined
}

export interface Estimate {
  count: number
  /** absent where it is exact; else by how much of it, it is off at most, 95 of 100 times */
  error?: number
}

/** Hashes that are kept before they become registers. Exact up to here. */
export const FEW = 256
/** Bits of a hash. */
const BITS = 53
/** Bytes of a hash in a list. */
const WIDTH = 7

/** Bound of the relative error, 95 of 100 times: 1.96 standard errors of 1.04 ÷ √registers. */
export const ERROR: Record<Precision, number> = { 12: 0.032, 14: 0.016 }

/** Of a hash in a set, about, bytes: 250 take 10,000. */
const HASH_BYTES = 40

/** What a sketch takes in memory, about, bytes. */
export const memoryOf = ({ few, registers }: Sketch): number => registers?.length ?? (few?.size ?? 0) * HASH_BYTES

export const emptySketch = (precision: Precision): Sketch => ({ precision, few: new Set(), registers: undefined })

/** @param hash of 53 bits, see `hashOf` */
export function addHash(sketch: Sketch, hash: number): void {
  const { few } = sketch
  if (few) {
    few.add(hash)
    if (few.size > FEW) registersOf(sketch)
  } else raise(registersOf(sketch), sketch.precision, hash)
}

/** Adds what the other has seen. @throws where their precisions differ */
export function unite(into: Sketch, other: Sketch): void {
  checkPrecision(into, other.precision)
  for (const hash of other.few ?? []) addHash(into, hash)
  if (other.registers) raiseAll(registersOf(into), other.registers)
}

/** The same of a packed one, which is not unpacked for it. */
export function unitePacked(into: Sketch, packed: Uint8Array): void {
  checkPrecision(into, packed[0] as Precision)
  const rest = packed.subarray(1)
  if (isRegisters(rest)) raiseAll(registersOf(into), rest)
  else for (const hash of hashesIn(rest)) addHash(into, hash)
}

function checkPrecision(into: Sketch, precision: Precision): void {
  if (into.precision !== precision) throw new Error('sketches of two precisions can not be united')
}

function raiseAll(registers: Uint8Array, others: Uint8Array): void {
  for (let i = 0; i < registers.length; i++) {
    const rank = others[i] as number
    if (rank > (registers[i] as number)) registers[i] = rank
  }
}

/** The registers of a sketch, made of its hashes where there are none yet. */
function registersOf(sketch: Sketch): Uint8Array {
  const { precision, few, registers = new Uint8Array(1 << precision) } = sketch
  for (const hash of few ?? []) raise(registers, precision, hash)
  sketch.few = undefined
  sketch.registers = registers
  return registers
}

function raise(registers: Uint8Array, precision: number, hash: number): void {
  const high = Math.floor(hash / 0x20_0000)
  const place = high >>> (32 - precision)
  // What follows the bits of the place: 32 − p of them here, 21 in the low part.
  const rest = high << precision
  const rank =
    rest !== 0 ? Math.clz32(rest) + 1 : 32 - precision + Math.min(Math.clz32((hash % 0x20_0000) << 11), 21) + 1
  if (rank > (registers[place] as number)) registers[place] = rank
}

/**
 * The improved estimator of Otmar Ertl, “New cardinality estimation algorithms for HyperLogLog sketches” (2017,
 * https://arxiv.org/abs/1702.01284, algorithm 6): unbiased from the first visitor on, without tables.
 */
export function estimate({ precision, few, registers }: Sketch): Estimate {
  if (!registers) return { count: few?.size ?? 0 }
  const m = registers.length
  const longest = BITS - precision + 1
  const counts = new Uint32Array(longest + 1)
  for (const rank of registers) counts[rank] = (counts[rank] ?? 0) + 1
  const of = (rank: number): number => counts[rank] ?? 0
  let z = m * tau(1 - of(longest) / m)
  for (let rank = longest - 1; rank > 0; rank--) z = (z + of(rank)) / 2
  z += m * sigma(of(0) / m)
  return { count: Math.round((m * m) / (2 * Math.LN2 * z)), error: ERROR[precision] }
}

function sigma(x: number): number {
  if (x === 1) return Number.POSITIVE_INFINITY
  let sum = x
  for (let y = 1, last = -1; sum !== last; y *= 2) {
    x *= x
    last = sum
    sum += x * y
  }
  return sum
}

function tau(x: number): number {
  if (x === 0 || x === 1) return 0
  let sum = 1 - x
  for (let y = 0.5, last = -1; sum !== last; y /= 2) {
    x = Math.sqrt(x)
    last = sum
    sum -= (1 - x) ** 2 * y
  }
  return sum / 3
}

/** A byte for the precision; then hashes of seven bytes, or a byte a register, which zstd makes a third of. */
export function packSketch({ precision, few, registers }: Sketch): Buffer {
  if (registers) return Buffer.concat([Buffer.of(precision), registers])
  const hashes = [...(few ?? [])]
  const bytes = Buffer.alloc(1 + hashes.length * WIDTH)
  bytes[0] = precision
  for (const [i, hash] of hashes.entries()) {
    bytes.writeUInt8(Math.floor(hash / 2 ** 48), 1 + i * WIDTH)
    bytes.writeUIntBE(hash % 2 ** 48, 2 + i * WIDTH, 6)
  }
  return bytes
}

const isRegisters = (rest: Uint8Array): boolean => rest.length > FEW * WIDTH

function* hashesIn(rest: Uint8Array): Generator<number> {
  const view = new DataView(rest.buffer, rest.byteOffset, rest.length)
  for (let i = 0; i < rest.length; i += WIDTH)
    yield view.getUint8(i) * 2 ** 48 + view.getUint16(i + 1) * 2 ** 32 + view.getUint32(i + 3)
}

/** Back again. Its registers are those bytes themselves: to change them, {@link unite} it into an empty one. */
export function unpackSketch(bytes: Uint8Array): Sketch {
  const precision = bytes[0] as Precision
  const rest = bytes.subarray(1)
  if (isRegisters(rest)) return { precision, few: undefined, registers: rest }
  return { precision, few: new Set(hashesIn(rest)), registers: undefined }
}
