/** The closer: finds days, weeks and months that are over and not built of what their hours hold now, and builds them. */
import type { Db, Filter } from 'mongodb'
import type { HourDimension } from '../journal/index.ts'
import { KEPT } from '../store/index.ts'
import { dayOf, monthOf, weekOf, type ZoneSpan } from '../zone.ts'
import { type ClosedSpan, closeSpan } from './close.ts'
import { CLOSED_GRAINS, type ClosedDocument, type ClosedGrain } from './closed.ts'
import { createPass, LATE_MS, type Look, type Pace, type Pass, type PassParts } from './passes.ts'
import type { RollupDocument } from './rollup.ts'
import { isStale, readTouches, type Touch } from './touch.ts'

const DAY_MS = 86_400_000
/** One of them has a row in each hour in which something was. */
const TELLING: HourDimension[] = ['total', 'visits', 'bot']

type Span = Pick<ClosedSpan, 'from' | 'to'>
type Head = Pick<ClosedDocument, 'grain' | 'at' | 'to' | 'built' | 'builtAt' | 'upto' | 'mended'>

/** Closes days, weeks and months. */
export function createCloser(parts: PassParts): Pass {
  /** spans whose hours do not tell, and when that was seen */
  const unfit = new Map<string, number>()

  return createPass(parts, async ({ signal, ...look }) => {
    const { site, zone, began, pace } = look
    let closed = 0
    for (const grain of CLOSED_GRAINS) {
      for (const span of await dueSpans(parts.db, grain, look)) {
        if (signal?.aborted) return closed
        const key = `${site}/${grain}/${span.from}`
        if (began < (unfit.get(key) ?? began - pace.later) + pace.later) continue
        unfit.delete(key)
        const outcome = await closeSpan(parts.db, { site, grain, zone, ...span }, began, signal)
        if (outcome === 'closed') closed++
        else if (outcome === 'unfit') unfit.set(key, began)
      }
    }
    return closed
  })
}

type Asked = Omit<Look, 'signal'>

async function dueSpans(db: Db, grain: ClosedGrain, { site, zone, all, began, pace }: Asked): Promise<Span[]> {
  // A day sooner than they expire: what has lost some of its hours stays as it is.
  const oldest = began - KEPT.hours + DAY_MS
  const from = all ? oldest : spanOf(grain, began - LATE_MS, zone).from
  const range = { site, from, to: began }
  const touches = await readTouches(db, range, {})
  const spans = new Map<number, Span>()
  let last: Span | undefined
  const note = (at: number): void => {
    // Neighbors mostly have the same one, and finding it takes time.
    if (last && at >= last.from && at < last.to) return
    const span = spanOf(grain, at, zone)
    last = span
    // Of what begins before, the heads are not read.
    if (span.from >= from && span.to <= began) spans.set(span.from, span)
  }
  for (const touch of touches) {
    note(touch.from)
    note(touch.to - 1)
  }
  if (all) for (const at of await hoursIn(db, range)) note(at)
  const heads = await headsIn(db, range, grain)
  return [...spans.values()]
    .filter(span => isDue(span, heads.get(span.from), touches, began, pace))
    .sort((a, b) => a.from - b.from)
}

function isDue(span: Span, head: Head | undefined, touches: readonly Touch[], now: number, pace: Pace): boolean {
  if (!head) return now >= span.to + pace.first
  // Of a zone of before, whose day began at the same time.
  if (+head.to !== span.to) return true
  const wait = head.built < 2 ? pace.first : pace.later
  return now >= +head.builtAt + wait && isStale(head, span, touches)
}

const SPANS: Record<ClosedGrain, (at: number, zone: string) => ZoneSpan> = {
  day: dayOf,
  week: weekOf,
  month: monthOf,
}

/** Of a zone that Node does not know it is that of UTC. */
function spanOf(grain: ClosedGrain, at: number, zone: string): Span {
  const of = (some: string): Span => {
    const { start, end } = SPANS[grain](at, some)
    return { from: start, to: end }
  }
  try {
    return of(zone)
  } catch {
    return of('UTC')
  }
}

/** The hours that have something, from the index alone. */
async function hoursIn(db: Db, { site, from, to }: Span & { site: string }): Promise<number[]> {
  const filter: Filter<RollupDocument> = {
    site,
    grain: 'hour',
    dim: { $in: TELLING },
    at: { $gte: new Date(from), $lt: new Date(to) },
  }
  return (await db.collection<RollupDocument>('rollups').distinct('at', filter)).map(Number)
}

async function headsIn(db: Db, { site, from, to }: Span & { site: string }, grain: ClosedGrain) {
  const filter: Filter<ClosedDocument> = { site, grain, dim: 'total', at: { $gte: new Date(from), $lt: new Date(to) } }
  const heads = new Map<number, Head>()
  const found = db.collection<ClosedDocument>('rollups').find(filter, { projection: { values: 0, counters: 0 } })
  for await (const head of found) heads.set(+head.at, head)
  return heads
}
