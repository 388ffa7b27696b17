/** The record as it should be: raw events of pages that are settled, without what is too many, with what is known to be lost. */
import type { Document, Filter } from 'mongodb'
import type { JournalEvent } from '../journal/index.ts'
import type { RawEvent } from '../settle/index.ts'
import type { Moment, Scope } from './scope.ts'

export interface Part {
  site: string
  /** first and, not included, last ms; to the end if absent */
  from: number
  to?: number
  /** only of these sessions, as the events name them */
  sessions?: string[]
}

/** Fields that counters of sessions need. */
export const COUNTED = {
  ...{ ts: 1, meta: 1, page: 1, path: 1, host: 1, session: 1, bot: 1, consent: 1, id: 1 },
  ...{ goals: 1, revenue: 1, currency: 1 },
} as const
/** The same with what minutes and hours need beside them. */
const OF_HOURS = { ...COUNTED, declared: 1, props: 1, campaign: 1 } as const

export async function* readRecord(
  { db, truth }: Scope,
  part: Part,
  { session, open }: Moment,
  fields: Document = OF_HOURS,
): AsyncGenerator<JournalEvent> {
  const { site, from, to, sessions } = part
  const filter: Filter<RawEvent> = {
    'meta.site': site,
    ts: { $gte: new Date(from), ...(to !== undefined && { $lt: new Date(to) }) },
    page: { $nin: open },
    ...(sessions && { session: { $in: sessions } }),
  }
  const skipped = new Map<string, number>()
  const isExtra = ({ _id }: RawEvent): boolean => {
    const id = String(_id)
    const before = skipped.get(id) ?? 0
    skipped.set(id, before + 1)
    return before < (truth.extras.get(id) ?? 0)
  }
  const cursor = db
    .collection<RawEvent>('events')
    .find(filter, { session, projection: fields, batchSize: 10_000, allowDiskUse: true })
  // Sessions have few events; of a whole hour the order is of no account.
  if (sessions) cursor.sort({ ts: 1, _id: 1 })
  for await (const raw of cursor) {
    if (truth.extras.size > 0 && isExtra(raw)) continue
    yield toEvent(raw)
  }
  for (const event of truth.lost) {
    if (event.site !== site || +event.ts < from || (to !== undefined && +event.ts >= to)) continue
    if (!sessions || (event.session !== undefined && sessions.includes(event.session))) yield event
  }
}

/** In place: a copy made by spreading takes longer than reading it. */
const toEvent = (raw: RawEvent): JournalEvent =>
  Object.assign(raw, { site: raw.meta.site, name: raw.meta.name }) as unknown as JournalEvent
