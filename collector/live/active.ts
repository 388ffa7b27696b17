/** Who is active, and by what: visitors with an event in the last five minutes. Pure state, of bounded size. */
import { NONE, OTHER } from '../rollup/index.ts'
import { MINUTE_MS } from '../settle/index.ts'
import { ACTIVE_BY, type LiveActiveBy } from './messages.ts'

export const ACTIVE_MS = 5 * MINUTE_MS
/** Visitors held; with more, the longest quiet are let go early. */
const MOST_ACTIVE = 200_000
/** Values held of each list, beside `(other)`. */
const MOST_VALUES = 10_000
/** Rows of a list, beside `(other)`. */
const ROWS = 20
/** At most this often a list is told, ms. */
const LISTS_MS = 1_000

type By = (typeof ACTIVE_BY)[number]
export type Traits = { [by in By]?: string | undefined }

interface Active extends Record<By, string> {
  at: number
}

export interface ActiveVisitors {
  /** A visitor was active there. What brought whom, and from where, is what was known first. */
  touch(visitor: string, at: number, traits: Traits): void
  expire(now: number): void
  count(): number
  /** As they were told last. */
  lists(): LiveActiveBy
  /** Lists that have changed since then, which are told now; `undefined` where none has, or it is too soon. */
  changed(now: number): Partial<LiveActiveBy> | undefined
}

export function createActiveVisitors(): ActiveVisitors {
  // In the order of activity.
  const visitors = new Map<string, Active>()
  const counts: Record<By, Map<string, number>> = { page: new Map(), source: new Map(), country: new Map() }
  let told: LiveActiveBy = { page: [], source: [], country: [] }
  let toldAt = Number.NEGATIVE_INFINITY
  let isDirty = false

  const add = (by: By, value: string, n: number): void => {
    const sum = (counts[by].get(value) ?? 0) + n
    if (sum === 0) counts[by].delete(value)
    else counts[by].set(value, sum)
    isDirty = true
  }
  const held = (by: By, value: string): string =>
    counts[by].has(value) || counts[by].size < MOST_VALUES ? value : OTHER

  return {
    touch(visitor, at, traits) {
      const active = visitors.get(visitor) ?? { at, page: '', source: '', country: '' }
      // Deleted first, so that the map's order is the order of activity.
      visitors.delete(visitor)
      visitors.set(visitor, active)
      active.at = at
      for (const by of ACTIVE_BY) {
        const before = active[by]
        if (before !== '' && before !== NONE && (by !== 'page' || !traits.page)) continue
        const value = held(by, traits[by] || NONE)
        if (value === before) continue
        if (before !== '') add(by, before, -1)
        add(by, value, 1)
        active[by] = value
      }
    },
    expire(now) {
      for (const [visitor, active] of visitors) {
        if (active.at >= now - ACTIVE_MS && visitors.size <= MOST_ACTIVE) break
        visitors.delete(visitor)
        for (const by of ACTIVE_BY) add(by, active[by], -1)
      }
    },
    count: () => visitors.size,
    lists: () => told,
    changed(now) {
      if (!isDirty || Math.abs(now - toldAt) < LISTS_MS) return undefined
      const all = { page: largest(counts.page), source: largest(counts.source), country: largest(counts.country) }
      const changed = ACTIVE_BY.filter(by => JSON.stringify(all[by]) !== JSON.stringify(told[by]))
      told = all
      isDirty = false
      if (changed.length === 0) return undefined
      toldAt = now
      return Object.fromEntries(changed.map(by => [by, all[by]]))
    },
  }
}

function largest(counts: ReadonlyMap<string, number>): [value: string, visitors: number][] {
  const rows = [...counts].filter(([value]) => value !== OTHER).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  const rest = rows.splice(ROWS).reduce((sum, [, n]) => sum + n, counts.get(OTHER) ?? 0)
  return rest > 0 ? [...rows, [OTHER, rest]] : rows
}
