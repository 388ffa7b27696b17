/** Reads different visitors: from the sketches of the days and weeks that have some, and between these from visits or events. */
import type { Abortable, ClientSession, Db, FindOptions } from 'mongodb'
import { getOrAdd } from '../get-or-add.ts'
import { gapsBetween } from '../rollup/index.ts'
import {
  createHeldSketches,
  emptySketch,
  eventsIn,
  type HeldSketches,
  isOfEvents,
  isTotal,
  packSketch,
  readNames,
  readSpans,
  readValues,
  type Seed,
  type Sketch,
  type SketchedField,
  type SketchedSpan,
  type Span,
  type Told,
  type Total,
  textOf,
  textsOf,
  unitePacked,
  visitsIn,
} from '../sketch/index.ts'
import type { Ask, Rows } from './engine.ts'
import { placeOf } from './grid.ts'
import { fittingOf } from './hours.ts'
import { type Estimated, type Sums, startSums, TooMuch } from './sum-visitors.ts'
import { createUnited } from './united.ts'

/** Visits or events that are read for an answer. */
const MOST_READ = 500_000
/** Values of one answer that are kept for others. */
const MOST_KEPT = 500
const NONE_OF_IT = new Uint8Array()
/** Values that an answer holds. */
const MOST_VALUES = 300_000

/** What was read for other questions, and what was made of it. */
export interface Held {
  sketches: HeldSketches
  united: ReturnType<typeof createUnited>
}
export const createHeld = (): Held => ({ sketches: createHeldSketches(), united: createUnited() })

type Options = { session: ClientSession } & Pick<FindOptions, 'maxTimeMS' | 'comment'> & Abortable

export interface Reading extends Pick<Rows, 'source' | 'pending'> {
  /** Rows of these values, of all that fit the filters if none are given. @throws TooMuch */
  rows(values?: ReadonlySet<string>): Promise<Estimated[]>
}

/**
 * @param options with the session of a snapshot, which the rows are read in, too
 * @returns `undefined` where no day has sketches
 * @throws TooMuch where there is more between these than one answer reads
 */
export async function startReading(
  db: Db,
  ask: Ask,
  told: Told,
  held: Held,
  options: Options,
): Promise<Reading | undefined> {
  const { site, range, grid } = ask
  const bucketOf = (at: number): number => (grid ? placeOf(grid.starts, at) : 0)
  const fits = ({ from, to }: Span): boolean => bucketOf(from) === bucketOf(to - 1)
  const { spans, seed } = await readSpans(db, { site: site.key, ...range, told, fits }, options)
  if (!seed || spans.length === 0) return undefined
  const sums = startSums(isTotal(told) ? 14 : 12)
  const summing = { ask, told, bucketOf, spans, sums }
  const read = await sumBetween(db, { ...summing, seed }, options)
  const unite = isTotal(told)
    ? uniteTotals(db, { ...summing, told }, held, options)
    : uniteValues(db, { ...summing, told }, held, options)
  return {
    source: read === 0 ? 'rollups' : ask.over === 'visits' ? 'sessions' : 'events',
    pending: spans.reduce((sum, { pending }) => sum + pending, 0),
    rows: async values => sums.rows(ask, await unite(values)),
  }
}

interface Summing {
  ask: Ask
  told: Told
  bucketOf(at: number): number
  spans: readonly SketchedSpan[]
  sums: Sums
}

/** Of what is between these; gives back how many visits or events that are. */
async function sumBetween(
  db: Db,
  { ask, told, seed, bucketOf, spans, sums }: Summing & { seed: Seed },
  options: Options,
): Promise<number> {
  let read = 0
  const take = (at: number, values: readonly string[], hash: number): void => {
    if (++read > MOST_READ) throw new TooMuch()
    for (const value of values) sums.add(bucketOf(at), value, hash)
  }
  for (const span of gapsBetween(ask.range, spans)) {
    const asked = { site: ask.site.key, ...span, seed }
    if (isOfEvents(told)) {
      for await (const { at, hash, event } of eventsIn(db, { ...asked, told: [told] }, options))
        take(at, textsOf(event, told), hash)
    } else {
      for await (const { at, hash, session } of visitsIn(db, { ...asked, told: [told] }, options))
        take(at, [textOf(session, told)], hash)
    }
  }
  return read
}

/** Adds the sketches of values, once each, and gives back which values have been added. */
type Unite = (values?: ReadonlySet<string>) => Promise<ReadonlySet<string>>

function uniteTotals(
  db: Db,
  { ask, bucketOf, spans, sums, told }: Summing & { told: Total },
  { sketches }: Held,
  options: Options,
): Unite {
  return async () => {
    const totals = await sketches.totals(db, { site: ask.site.key, told, spans }, options)
    for (const [{ from }, total] of totals) sums.unite(bucketOf(from), '', total)
    return new Set([''])
  }
}

function uniteValues(
  db: Db,
  { ask, bucketOf, spans, sums, told: field }: Summing & { told: SketchedField },
  { sketches, united: unitedOf }: Held,
  options: Options,
): Unite {
  const asked = { site: ask.site.key, field, spans }
  const kept = unitedOf(ask.site.key, field, spans)
  const united = new Set<string>()
  const namesOf = async (): Promise<ReadonlySet<string>> => {
    const names = new Set([...(await readNames(db, asked, MOST_VALUES, options)), ...sums.values()])
    if (names.size > MOST_VALUES) throw new TooMuch()
    return ask.filters.length > 0 ? await fittingOf(db, ask.filters, [...names], options.signal as AbortSignal) : names
  }
  const uniteKept = async (wanted: ReadonlySet<string>): Promise<void> => {
    // Looked for once: one that is there now may have gone for others when the rest is read.
    const there = new Map([...wanted].map(value => [value, kept.get(value)]))
    const absent = new Set([...wanted].filter(value => there.get(value) === undefined))
    const read = new Map<string, Sketch>()
    if (absent.size > 0) {
      for (const { value, packed } of await sketches.values(db, { ...asked, wanted: absent }, options))
        unitePacked(
          getOrAdd(read, value, () => emptySketch(12)),
          packed,
        )
    }
    for (const value of wanted) {
      const sketch = read.get(value)
      const packed = there.get(value) ?? (sketch ? packSketch(sketch) : NONE_OF_IT)
      if (absent.has(value)) kept.keep(value, packed)
      if (packed.length > 0) sums.unite(0, value, packed)
    }
  }
  return async (values = undefined) => {
    const wanted = new Set([...(values ?? (await namesOf()))].filter(value => !united.has(value)))
    for (const value of wanted) united.add(value)
    if (!ask.grid && wanted.size <= MOST_KEPT) await uniteKept(wanted)
    else if (wanted.size <= MOST_KEPT) {
      for (const { at, value, packed } of await sketches.values(db, { ...asked, wanted }, options))
        sums.unite(bucketOf(at), value, packed)
    } else {
      for await (const { at, value, packed } of readValues(db, { ...asked, wanted }, options))
        sums.unite(bucketOf(at), value, packed)
    }
    return united
  }
}
