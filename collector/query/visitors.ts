/**
 * Different visitors from the sketches of finished days: of visits, all of them or by one attribute, and of events by name,
 * goal, page or host; what has no sketches, as the present day, is read from sessions or events. What else is asked along
 * comes from the engine of counts, which also tells of which values sketches are worth reading: a value has no more visitors
 * than visits or events. With `include.exact`, of two attributes, of minutes and hours, and where no whole day has sketches,
 * visitors are left to the next engine.
 */
import type { Db } from 'mongodb'
import { uncarried } from '../sites/index.ts'
import { isTotal, type Told } from '../sketch/index.ts'
import type { Ask, Engine, Measure, Row, Rows } from './engine.ts'
import { rowKey } from './engine.ts'
import { donesOf, leavesOf } from './filter.ts'
import { isTimeDimension, isVisitDimension, VISIT_FIELDS } from './names.ts'
import { pageOf } from './order.ts'
import { createHeld, type Reading, startReading } from './read-visitors.ts'
import { reading } from './reading.ts'
import { type Estimated, TooMuch } from './sum-visitors.ts'
import { boundOf, pageOfFew } from './top-visitors.ts'

const OF_EVENTS: Record<string, Told> = {
  'event:name': 'name',
  'event:goal': 'goal',
  'event:page': 'page',
  'event:hostname': 'pageHost',
}

/** @param counts answers what is asked beside visitors */
export function createVisitors(db: Db, counts: Engine): Engine {
  const held = createHeld()
  return {
    name: 'sketches',
    async answer(ask, reads) {
      const told = toldOf(ask)
      if (!told) return undefined
      const { page: _, ...all } = ask
      const measures = new Set([...ask.measures.filter(one => one !== 'visitors'), boundOf(ask)])
      // A total by itself needs no count beside it.
      const counted =
        isTotal(told) && isAlone(ask) ? undefined : await counts.answer({ ...all, measures: [...measures] }, reads)
      if (!counted && !isAlone(ask)) return undefined
      try {
        const { session, signal } = reads
        const visitors = await startReading(db, ask, told, held, { ...reading(signal), session })
        return visitors && (await rowsOf(ask, counted?.rows, visitors))
      } catch (error) {
        if (error instanceof TooMuch) return undefined
        throw error
      }
    },
  }
}

/** `undefined` where sketches do not tell it. */
function toldOf(ask: Ask): Told | undefined {
  const { site, range, over, bots, measures, dimensions, filters, grid, exact, pagesOnly } = ask
  if (over === 'events' || bots !== 'none' || exact || !measures.includes('visitors')) return undefined
  if (filters.flatMap(donesOf).length > 0 || grid?.unit === 'minute' || grid?.unit === 'hour') return undefined
  const asked = filters.flatMap(leavesOf).map(({ attribute }) => attribute)
  const [name, another] = new Set([...dimensions.filter(one => !isTimeDimension(one)), ...asked])
  if (another !== undefined) return undefined
  if (name === undefined) return over === 'visits' ? 'visits' : pagesOnly ? 'views' : 'events'
  // Sketches are told apart by codes of countries, not by their names.
  if (isVisitDimension(name)) return over === 'visits' && name !== 'visit:country_name' ? VISIT_FIELDS[name] : undefined
  // Sketches have what events carried when they came.
  if (name === 'event:goal' && uncarried(site.goals, range.from).length > 0) return undefined
  const field = Object.hasOwn(OF_EVENTS, name) ? OF_EVENTS[name] : undefined
  return (field === 'page' || field === 'pageHost') === pagesOnly ? field : undefined
}

/** Whether visitors answer all. All visits have one; of events some are nobody's, and have rows nevertheless. */
const isAlone = ({ over, measures, dimensions, filters }: Ask): boolean =>
  measures.length === 1 && (over === 'visits' || dimensions.length + filters.length === 0)

/** What a row has at least as many of as visitors. */

type Rowed = Row & { error?: number }

async function rowsOf(ask: Ask, counted: Row[] | undefined, { source, pending, rows }: Reading): Promise<Rows> {
  const bound = boundOf(ask)
  const isAsked = ask.measures.includes(bound)
  const page = async (): Promise<{ rows: Rowed[]; total?: number }> => {
    if (!counted) {
      const all = (await rows()).map(({ count, ...row }): Rowed => ({ ...row, counts: { visitors: count } }))
      return ask.page ? pageOf(all, ask.dimensions, ask.page) : { rows: all }
    }
    if (ask.dimensions.every(isTimeDimension)) return { rows: joined(counted, await rows(), bound) }
    const valued = (some: Row[]): ReadonlySet<string> => new Set(some.map(({ values }) => values[0] ?? ''))
    return await pageOfFew(ask, counted, bound, async some => joined(some, await rows(valued(some)), bound))
  }
  const { rows: shown, total } = await page()
  const errors = shown.flatMap(({ error }) => error ?? [])
  return {
    rows: shown.map(({ error: _, ...row }) => (isAsked ? row : { ...row, counts: without(row.counts, bound) })),
    ...(total !== undefined && { total }),
    source,
    ...(errors.length > 0 && { error: Math.max(...errors) }),
    ...(pending && { pending }),
  }
}

function without(counts: Row['counts'], measure: Measure): Row['counts'] {
  const { [measure]: _, ...others } = counts
  return others
}

/** With their visitors: of visits at least one, as each has one, and never more than what they are of. */
function joined(counted: readonly Row[], visitors: readonly Estimated[], bound: Measure): Rowed[] {
  const byKey = new Map(visitors.map(row => [rowKey(row), row]))
  return counted.map(row => {
    const { count = 0, error } = byKey.get(rowKey(row)) ?? {}
    const least = bound === 'visits' ? 1 : 0
    const counts = { ...row.counts, visitors: Math.max(least, Math.min(count, row.counts[bound] ?? count)) }
    return { ...row, counts, ...(error !== undefined && { error }) }
  })
}
