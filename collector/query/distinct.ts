/** Different numbers, many millions of them, in a table of 8 bytes a place: a Set of JavaScript takes five times as much. */

/** There are more than may be held. */
export class TooManyDifferent extends Error {
  override name = 'TooManyDifferent'
}

const EMPTY = -1
/** Spreads what lies close together. @param n whole, from 0 to below 2⁵³ */
const spread = (n: number): number => {
  let hash = Math.imul((n % 0x1_0000_0000) ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(n / 0x1_0000_0000, 0xc2b2ae35)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash ^ (hash >>> 13)) >>> 0
}

/** Gives each number its place, in the order in which they come. */
export class Places {
  private keys = new Float64Array(4_096).fill(EMPTY)
  private places = new Uint32Array(4_096)
  size = 0
  private readonly most: number

  /** @param most how many may be held */
  constructor(most: number) {
    this.most = most
  }

  /** @throws TooManyDifferent */
  of(key: number): number {
    const mask = this.keys.length - 1
    let i = spread(key) & mask
    for (;;) {
      const held = this.keys[i]
      if (held === key) return this.places[i] ?? 0
      if (held === EMPTY) break
      i = (i + 1) & mask
    }
    if (this.size >= this.most) throw new TooManyDifferent('more different visitors than one answer holds')
    this.keys[i] = key
    this.places[i] = this.size++
    if (2 * this.size > this.keys.length) this.grow()
    return this.size - 1
  }

  /** Whether it was not there yet. */
  add(key: number): boolean {
    const before = this.size
    this.of(key)
    return this.size > before
  }

  private grow(): void {
    const [keys, places] = [this.keys, this.places]
    this.keys = new Float64Array(4 * keys.length).fill(EMPTY)
    this.places = new Uint32Array(4 * keys.length)
    const mask = this.keys.length - 1
    for (let k = 0; k < keys.length; k++) {
      const key = keys[k] ?? EMPTY
      if (key === EMPTY) continue
      let i = spread(key) & mask
      while (this.keys[i] !== EMPTY) i = (i + 1) & mask
      this.keys[i] = key
      this.places[i] = places[k] ?? 0
    }
  }
}
