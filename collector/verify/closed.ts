/** Days, weeks and months: each that is not to be built again says what its hours say. Finds `closed-wrong`. */
import { HOUR_DIMENSIONS, unpackHour } from '../journal/index.ts'
import {
  addDelta,
  CLOSED_GRAINS,
  type ClosedDocument,
  closeSpan,
  fromClosed,
  isStale,
  readSums,
  readTouches,
} from '../rollup/index.ts'
import { KEPT } from '../store/index.ts'
import { writeAudit } from './audit.ts'
import type { Rows } from './counted.ts'
import { difference } from './difference.ts'
import { type Fault, type Found, HOUR_MS, hourOf } from './kinds.ts'
import { atOneMoment, type Moment, type Scope } from './scope.ts'

const DAY_MS = 24 * HOUR_MS

type Head = Pick<ClosedDocument, 'grain' | 'at' | 'to'>

/** After hours were mended: what was closed is held against these. `checked` is told how many documents were looked at. */
export async function* checkClosed(
  scope: Scope,
  site: string,
  checked: (documents: number) => void,
): AsyncGenerator<Fault> {
  // Of what is older hours are missing, and a day sooner than they expire.
  const at = { $gte: new Date(scope.began - KEPT.hours + DAY_MS) }
  for (const grain of CLOSED_GRAINS) {
    const heads = scope.db
      .collection<ClosedDocument>('rollups')
      .find({ site, grain, dim: 'total', at }, { projection: { grain: 1, at: 1, to: 1 } })
    for await (const head of heads) {
      if ([...scope.truth.hours].some(hour => hour >= +head.at && hour < +head.to)) continue
      const fault = await atOneMoment(scope, site, moment => judge(scope, site, head, moment, checked))
      if (fault) yield fault
    }
  }
}

async function judge(
  scope: Scope,
  site: string,
  { grain, at, to }: Head,
  { session, unfolded }: Moment,
  checked: (documents: number) => void,
): Promise<Fault | undefined> {
  const { db } = scope
  const span = { site, from: +at, to: +to }
  const held = await db.collection<ClosedDocument>('rollups').find({ site, grain, at }, { session }).toArray()
  checked(held.length)
  const touches = await readTouches(db, span, { session })
  if (held.some(document => isStale(document, span, touches))) return undefined
  const expected = await readSums(db, { ...span, dims: HOUR_DIMENSIONS, bucketOf: () => 0 }, session)
  for (const dim of HOUR_DIMENSIONS) {
    const document = held.find(one => one.dim === dim)
    const actual: Rows = document ? fromClosed(document) : new Map()
    for (const { lane, settled = 0, hours = [] } of unfolded) {
      if (settled <= (document?.upto[lane] ?? 0)) continue
      for (const hour of hours) {
        if (hour.site !== site || hour.at < span.from || hour.at >= span.to) continue
        for (const rows of unpackHour(hour)) if (rows.dim === dim) addDelta(actual, rows, Number.POSITIVE_INFINITY)
      }
    }
    const wrong = difference({ grain: 'hour', dim, expected: expected.get(dim)?.get(0) ?? new Map(), actual })
    if (!wrong && document) continue
    const id = `${site}/${grain}/${dim}/${+at}`
    const found: Found = {
      kind: 'closed-wrong',
      site,
      hour: hourOf(at),
      id,
      ...(wrong && { expected: wrong.expected, actual: wrong.actual }),
      repairable: true,
    }
    return { found, mend: () => mend(scope, site, { grain, at, to }, id) }
  }
  return undefined
}

/** Built again as a whole: one dimension that is wrong tells of the others. */
async function mend({ db, zoneOf, began }: Scope, site: string, { grain, at, to }: Head, id: string): Promise<boolean> {
  const documents = db.collection<ClosedDocument>('rollups')
  const before = await documents.findOne({ _id: id })
  const outcome = await closeSpan(db, { site, grain, from: +at, to: +to, zone: zoneOf(site) }, began)
  if (outcome === 'unfit') throw new Error('its hours were counted when the site had another time zone')
  await writeAudit(db, { kind: 'closed-wrong', site, what: id, before, after: await documents.findOne({ _id: id }) })
  return true
}
