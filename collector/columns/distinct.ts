/** Different numbers, many millions of them, in a table of 16 to 24 bytes each: a Set of JavaScript takes twice as much. */

/** There are more than may be held. */
export class TooManyDifferent extends Error {
  override name = 'TooManyDifferent'
}

/** Spreads what lies close together. @param n whole, from 0 to below 2⁵³ */
const spread = (n: number): number => {
  let hash = Math.imul((n % 0x1_0000_0000) ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(n / 0x1_0000_0000, 0xc2b2ae35)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash ^ (hash >>> 13)) >>> 0
}

/** Gives each number its place, in the order in which they come. */
export class Places {
  /** by place */
  private keys = new Float64Array(64)
  /** one more than the place, so that 0 is free */
  private slots = new Uint32Array(256)
  size = 0
  private readonly most: number

  /** @param most how many may be held */
  constructor(most: number) {
    this.most = most
  }

  get bytes(): number {
    return this.keys.byteLength + this.slots.byteLength
  }

  /** @throws TooManyDifferent */
  of(key: number): number {
    const { keys, slots } = this
    const mask = slots.length - 1
    let i = spread(key) & mask
    for (;;) {
      const held = slots[i] as number
      if (held === 0) break
      if (keys[held - 1] === key) return held - 1
      i = (i + 1) & mask
    }
    if (this.size >= this.most) throw new TooManyDifferent('more different visitors than one answer holds')
    if (this.size === keys.length) this.growKeys()
    this.keys[this.size] = key
    slots[i] = ++this.size
    if (2 * this.size > slots.length) this.growSlots()
    return this.size - 1
  }

  /** Whether it was not there yet. */
  add(key: number): boolean {
    const before = this.size
    this.of(key)
    return this.size > before
  }

  private growKeys(): void {
    const grown = new Float64Array(2 * this.keys.length)
    grown.set(this.keys)
    this.keys = grown
  }

  private growSlots(): void {
    const slots = new Uint32Array(2 * this.slots.length)
    const mask = slots.length - 1
    for (let place = 0; place < this.size; place++) {
      let i = spread(this.keys[place] as number) & mask
      while (slots[i] !== 0) i = (i + 1) & mask
      slots[i] = place + 1
    }
    this.slots = slots
  }
}
