/**
 * Different visitors of visits from the sketches of finished days, all of them or by one attribute; what has no sketches, as
 * the present day, is read from sessions. What else is asked along comes from the engine of counts. With `include.exact`,
 * and of events, of two attributes and of days that are not whole, visitors are left to the next engine.
 */
import type { Abortable, ClientSession, Db, FindOptions, MongoClient } from 'mongodb'
import { gapsBetween } from '../rollup/index.ts'
import {
  readDays,
  readNames,
  readValues,
  type Seed,
  type SketchedDay,
  type SketchedField,
  type Span,
  textOf,
  visitsIn,
} from '../sketch/index.ts'
import { type Ask, type Engine, type Row, type Rows, rowKey } from './engine.ts'
import { donesOf, leavesOf } from './filter.ts'
import { placeOf } from './grid.ts'
import { fittingOf } from './hours.ts'
import { isTimeDimension, isVisitDimension, VISIT_FIELDS } from './names.ts'
import { pageOf } from './order.ts'
import { type Estimated, type Sums, startSums, TooMuch } from './sum-visitors.ts'

/** Visits that are read for an answer. */
const MOST_VISITS = 500_000
/** How long a read may take, ms. */
const LIMITS = { maxTimeMS: 30_000, comment: 'livetag query' } as const

/** @param counts answers what is asked beside visitors */
export function createVisitors(client: MongoClient, db: Db, counts: Engine): Engine {
  return {
    async answer(ask, signal) {
      const field = fieldOf(ask)
      if (field === undefined) return undefined
      const read = await client
        .withSession({ snapshot: true }, session =>
          readVisitors(db, ask, field ?? undefined, { ...LIMITS, session, signal }),
        )
        .catch(error => {
          if (error instanceof TooMuch) return undefined
          throw error
        })
      if (!read) return undefined
      const { rows, ...made } = read
      const others = ask.measures.filter(measure => measure !== 'visitors')
      if (others.length === 0) return pageRows(ask, rows, made)
      const { page: _, ...rest } = ask
      const counted = await counts.answer({ ...rest, measures: others }, signal)
      return counted && pageRows(ask, joinRows(counted.rows, rows), made)
    },
  }
}

/** The attribute that is asked of, `null` where all visits are; `undefined` where sketches do not tell. */
function fieldOf({ over, bots, measures, dimensions, filters, grid, exact }: Ask): SketchedField | null | undefined {
  if (over !== 'visits' || bots !== 'none' || exact || !measures.includes('visitors')) return undefined
  if (filters.flatMap(donesOf).length > 0 || grid?.unit === 'minute' || grid?.unit === 'hour') return undefined
  const asked = filters.flatMap(leavesOf).map(({ attribute }) => attribute)
  const [name, another] = new Set([...dimensions.filter(one => !isTimeDimension(one)), ...asked])
  if (another !== undefined) return undefined
  if (name === undefined) return null
  // Sketches are told apart by codes of countries, not by their names.
  return isVisitDimension(name) && name !== 'visit:country_name' ? VISIT_FIELDS[name] : undefined
}

type Options = { session: ClientSession } & Pick<FindOptions, 'maxTimeMS' | 'comment'> & Abortable
type Made = Pick<Rows, 'source' | 'pending'>

async function readVisitors(
  db: Db,
  ask: Ask,
  field: SketchedField | undefined,
  options: Options,
): Promise<(Made & { rows: Estimated[] }) | undefined> {
  const { site, range, grid } = ask
  const bucketOf = (at: number): number => (grid ? placeOf(grid.starts, at) : 0)
  const fits = ({ from, to }: Span): boolean => bucketOf(from) === bucketOf(to - 1)
  const { days, seed } = await readDays(db, { site: site.key, ...range, field, fits }, options)
  if (!seed || days.length === 0) return undefined
  const sums = startSums(field ? 12 : 14)
  const visits = await sumVisits(db, { ask, field, seed, bucketOf, days, sums }, options)
  if (!field) for (const { from, total } of days) sums.unite(bucketOf(from), '', total)
  else await sumValues(db, { ask, field, bucketOf, days, sums }, options)
  return {
    rows: sums.rows(ask),
    source: visits > 0 ? 'sessions' : 'rollups',
    pending: days.reduce((sum, { pending }) => sum + pending, 0),
  }
}

interface Summing {
  ask: Ask
  field: SketchedField | undefined
  bucketOf(at: number): number
  days: readonly SketchedDay[]
  sums: Sums
}

/** Of what is between the days; gives back how many visits that are. */
async function sumVisits(
  db: Db,
  { ask, field, seed, bucketOf, days, sums }: Summing & { seed: Seed },
  options: Options,
): Promise<number> {
  let visits = 0
  for (const span of gapsBetween(ask.range, days)) {
    const asked = { site: ask.site.key, ...span, fields: field ? [field] : [], seed }
    for await (const { at, hash, session } of visitsIn(db, asked, options)) {
      if (++visits > MOST_VISITS) throw new TooMuch()
      sums.add(bucketOf(at), field ? textOf(session, field) : '', hash)
    }
  }
  return visits
}

async function sumValues(
  db: Db,
  { ask, bucketOf, days, sums, field }: Summing & { field: SketchedField },
  options: Options,
): Promise<void> {
  const asked = { site: ask.site.key, field, days }
  let fitting: ReadonlySet<string> | undefined
  if (ask.filters.length > 0) {
    const names = await readNames(db, asked, options)
    for (const value of sums.values()) names.add(value)
    fitting = await fittingOf(db, ask.filters, [...names], options.signal as AbortSignal)
    sums.keep(fitting)
  }
  for await (const { at, value, sketch } of readValues(db, asked, options))
    if (!fitting || fitting.has(value)) sums.unite(bucketOf(at), value, sketch)
}

/** Rows are what has visits; each visit has one visitor. */
function joinRows(counted: readonly Row[], visitors: readonly Estimated[]): (Row & { error?: number })[] {
  const byKey = new Map(visitors.map(row => [rowKey(row), row]))
  return counted.map(row => {
    const { count = 0, error } = byKey.get(rowKey(row)) ?? {}
    const { visits } = row.counts
    const counts = { ...row.counts, visitors: Math.max(1, visits === undefined ? count : Math.min(count, visits)) }
    return { ...row, counts, ...(error !== undefined && { error }) }
  })
}

function pageRows(
  ask: Ask,
  read: readonly (Estimated | (Row & { error?: number }))[],
  { source, pending }: Made,
): Rows {
  const all = read.map(row => ('counts' in row ? row : { ...row, counts: { visitors: row.count } }))
  const { rows, total } = ask.page ? pageOf(all, ask.dimensions, ask.page) : { rows: all, total: undefined }
  const errors = rows.flatMap(({ error }: { error?: number }) => error ?? [])
  return {
    rows: rows.map(({ values, bucket, counts }) => ({ values, bucket, counts })),
    ...(total !== undefined && { total }),
    source,
    ...(errors.length > 0 && { error: Math.max(...errors) }),
    ...(pending && { pending }),
  }
}
