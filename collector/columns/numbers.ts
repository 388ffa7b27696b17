/** Columns of numbers: they grow while they are made, and are kept in the narrowest type that holds them. */

export type Numbers = Uint8Array | Uint16Array | Uint32Array | Float64Array

/** Where there is none: no session, no visitor, no number of page views. */
export const NOTHING = 0xffff_ffff

/** Whole numbers from 0 to 2³² − 1, or with `isFloat` any. */
export class Growing {
  private array: Uint32Array | Float64Array
  length = 0

  constructor(isFloat = false) {
    this.array = isFloat ? new Float64Array(64) : new Uint32Array(64)
  }

  push(value: number): void {
    if (this.length === this.array.length) this.grow(this.length + 1)
    this.array[this.length++] = value
  }

  /** What lies between is 0. */
  set(place: number, value: number): void {
    if (place >= this.array.length) this.grow(place + 1)
    if (place >= this.length) this.length = place + 1
    this.array[place] = value
  }

  get(place: number): number {
    return this.array[place] ?? 0
  }

  /** All of them, as they are. */
  all(): Uint32Array | Float64Array {
    return this.array.subarray(0, this.length)
  }

  private grow(least: number): void {
    const size = Math.max(least, 2 * this.array.length)
    const grown = this.array instanceof Float64Array ? new Float64Array(size) : new Uint32Array(size)
    grown.set(this.array)
    this.array = grown
  }
}

/** Memory that threads look at together. @param bytes a multiple of what a number takes */
export const shared = (bytes: number): SharedArrayBuffer => new SharedArrayBuffer(bytes)

/** In an order of its own, in the narrowest type. */
export function narrowed(values: Uint32Array | Float64Array, order?: Uint32Array): Numbers {
  const { length } = order ?? values
  let most = 0
  if (values instanceof Uint32Array) for (let i = 0; i < values.length; i++) most = Math.max(most, values[i] ?? 0)
  const made: Numbers =
    values instanceof Float64Array
      ? new Float64Array(shared(8 * length))
      : most < 0x100
        ? new Uint8Array(shared(length))
        : most < 0x1_0000
          ? new Uint16Array(shared(2 * length))
          : new Uint32Array(shared(4 * length))
  for (let i = 0; i < length; i++) made[i] = values[order ? (order[i] ?? 0) : i] ?? 0
  return made
}

const TYPES = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: Float64Array } as const
export type Width = keyof typeof TYPES

export const widthOf = (numbers: Numbers): Width => numbers.BYTES_PER_ELEMENT as Width

export const bytesOf = ({ buffer, byteOffset, byteLength }: Numbers): Buffer =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)

/** A copy of its own, as what it came in holds others, and begins anywhere. */
export function numbersOf(width: Width, bytes: Uint8Array): Numbers {
  const own = shared(bytes.length)
  new Uint8Array(own).set(bytes)
  return new TYPES[width](own as ArrayBufferLike as ArrayBuffer)
}
