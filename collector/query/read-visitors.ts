/** Reads different visitors: from the sketches of the days and weeks that have some, and between these from visits or events. */
import type { Abortable, ClientSession, Db, FindOptions } from 'mongodb'
import { gapsBetween } from '../rollup/index.ts'
import {
  eventsIn,
  isOfEvents,
  isTotal,
  readNames,
  readSpans,
  readValues,
  type Seed,
  type SketchedField,
  type SketchedSpan,
  type Span,
  type Told,
  textOf,
  textsOf,
  visitsIn,
} from '../sketch/index.ts'
import type { Ask, Rows } from './engine.ts'
import { placeOf } from './grid.ts'
import { fittingOf } from './hours.ts'
import { type Estimated, type Sums, startSums, TooMuch } from './sum-visitors.ts'

/** Visits or events that are read for an answer. */
const MOST_READ = 500_000
/** Values that an answer holds. */
const MOST_VALUES = 300_000

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
export async function startReading(db: Db, ask: Ask, told: Told, options: Options): Promise<Reading | undefined> {
  const { site, range, grid } = ask
  const bucketOf = (at: number): number => (grid ? placeOf(grid.starts, at) : 0)
  const fits = ({ from, to }: Span): boolean => bucketOf(from) === bucketOf(to - 1)
  const { spans, seed } = await readSpans(db, { site: site.key, ...range, told, fits }, options)
  if (!seed || spans.length === 0) return undefined
  const sums = startSums(isTotal(told) ? 14 : 12)
  const summing = { ask, told, bucketOf, spans, sums }
  const read = await sumBetween(db, { ...summing, seed }, options)
  const unite = isTotal(told) ? uniteTotals(summing) : uniteValues(db, { ...summing, told }, options)
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

function uniteTotals({ bucketOf, spans, sums }: Summing): Unite {
  return async () => {
    for (const { from, total } of spans) if (total) sums.unite(bucketOf(from), '', total)
    return new Set([''])
  }
}

function uniteValues(
  db: Db,
  { ask, bucketOf, spans, sums, told: field }: Summing & { told: SketchedField },
  options: Options,
): Unite {
  const asked = { site: ask.site.key, field, spans }
  const united = new Set<string>()
  const namesOf = async (): Promise<ReadonlySet<string>> => {
    const names = new Set([...(await readNames(db, asked, MOST_VALUES, options)), ...sums.values()])
    if (names.size > MOST_VALUES) throw new TooMuch()
    return ask.filters.length > 0 ? await fittingOf(db, ask.filters, [...names], options.signal as AbortSignal) : names
  }
  return async (values = undefined) => {
    const wanted = new Set([...(values ?? (await namesOf()))].filter(value => !united.has(value)))
    for (const value of wanted) united.add(value)
    if (wanted.size > 0) {
      for await (const { at, value, packed } of readValues(db, { ...asked, wanted }, options))
        sums.unite(bucketOf(at), value, packed)
    }
    return united
  }
}
