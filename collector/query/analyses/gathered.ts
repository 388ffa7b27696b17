/** What was done by whom and when, gathered from blocks and put in order. */
import { Growing, TooManyDifferent } from '../../columns/index.ts'

/** Of one analysis: 100 MB. */
const MOST = 5_000_000

export interface Gathered {
  /** @param code what it was @throws TooManyDifferent */
  add(unit: number, at: number, code: number): void
  /** Calls for each unit that has some, with its times, ascending, and their codes. */
  each(call: (times: Float64Array, codes: Uint32Array, unit: number) => void): void
}

export function gather(): Gathered {
  const [units, times, codes] = [new Growing(), new Growing(true), new Growing()]
  let count = 0
  return {
    add(unit, at, code) {
      if (units.length >= MOST) throw new TooManyDifferent('more events than one analysis holds')
      units.push(unit)
      times.push(at)
      codes.push(code)
      count = Math.max(count, unit + 1)
    },
    each(call) {
      const all = units.all()
      const starts = new Uint32Array(count + 1)
      for (const unit of all) starts[unit + 1] = (starts[unit + 1] ?? 0) + 1
      for (let unit = 0; unit < count; unit++) starts[unit + 1] = (starts[unit + 1] ?? 0) + (starts[unit] ?? 0)
      const next = starts.slice()
      const at = new Float64Array(all.length)
      const what = new Uint32Array(all.length)
      for (let i = 0; i < all.length; i++) {
        const unit = all[i] ?? 0
        let place = next[unit] ?? 0
        next[unit] = place + 1
        // They come nearly in the order of time: what is later moves up.
        const [time, first] = [times.get(i), starts[unit] ?? 0]
        for (; place > first && (at[place - 1] ?? 0) > time; place--) {
          at[place] = at[place - 1] ?? 0
          what[place] = what[place - 1] ?? 0
        }
        at[place] = time
        what[place] = codes.get(i)
      }
      for (let unit = 0; unit < count; unit++) {
        const [first = 0, end = 0] = [starts[unit], starts[unit + 1]]
        if (end > first) call(at.subarray(first, end), what.subarray(first, end), unit)
      }
    },
  }
}
