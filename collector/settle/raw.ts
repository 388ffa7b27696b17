/** The raw record: settled events in the time-series `events`. */
import { type Db, type Document, MongoBulkWriteError, MongoNetworkError, MongoServerError, ObjectId } from 'mongodb'
import { getOrAdd } from '../get-or-add.ts'
import { compile, type JournalEvent, type JournalPage, objectOf, SHARED, shares } from '../journal/index.ts'
import { documentOf, fieldsOf } from './bson.ts'
import type { Fence } from './fence.ts'

/** A document of `events`. `page` is the journal page that it came with. */
export interface RawEvent {
  ts: Date
  meta: { site: string; name: string }
  id: string
  page: ObjectId
  [field: string]: unknown
}

const RAW: Record<string, string> = {
  meta: '{ site: event.site, name: event.name }',
  page: 'page',
  // Absent where there is none.
  ref: 'event.ref || undefined',
}

const SHARED_RAW = SHARED.filter(field => field !== 'site')
const OWN_RAW = ['props', 'goals', 'revenue', 'currency'] as const
const from = (field: string): string => RAW[field] ?? `event.${field}`

export const toRaw = compile<(event: JournalEvent, page: ObjectId) => RawEvent>(
  'event, page',
  objectOf(['ts', 'meta', 'id', 'page', ...SHARED_RAW, ...OWN_RAW], from),
)

const ownOf = compile<(event: JournalEvent, _id: ObjectId) => Document>(
  'event, _id',
  objectOf(['_id', 'ts', 'id', ...OWN_RAW], field => (field === '_id' ? field : from(field))),
)
const sharedOf = compile<(event: JournalEvent) => Document>('event', objectOf(SHARED_RAW, from))

/** What {@link toRaw} gives, as BSON: of events that follow each other, what they have in common is made once. */
export function toRawBson(events: Placed[]): Uint8Array[] {
  let last: Placed | undefined
  let shared = fieldsOf({})
  const places = new Map<string, Uint8Array>()
  return events.map(placed => {
    const { event, page } = placed
    if (!last || !shares(last.event, event)) shared = fieldsOf(sharedOf(event))
    if (last?.page !== page || last.event.site !== event.site) places.clear()
    last = placed
    const meta = { site: event.site, name: event.name }
    const place = getOrAdd(places, event.name, () => fieldsOf({ meta, page }))
    return documentOf(fieldsOf(ownOf(event, new ObjectId())), place, shared)
  })
}

/**
 * Prepares to insert the events of these pages: what it gives back does so, when it is this batch's turn. Of a page whose
 * insert may have been tried before (it is not `fresh`) it reads what is there and inserts what is missing. Gives back the
 * events that the server can't store at all, each found by halving.
 */
export function prepareRaw(
  db: Db,
  fence: Fence,
  pages: JournalPage[],
  kept: JournalEvent[][],
  fresh: (page: JournalPage) => boolean,
): () => Promise<Unstorable[]> {
  const events: Placed[] = []
  const tried: Placed[] = []
  for (const [i, page] of pages.entries()) {
    const list = fresh(page) ? events : tried
    for (const event of kept[i] ?? []) list.push({ event, page: page._id })
  }
  const insertFresh = prepareInsert(db, fence, events)
  return async () => [...(await insertFresh()), ...(await prepareInsert(db, fence, await missing(db, fence, tried))())]
}

export interface Unstorable extends Placed {
  error: string
}

interface Placed {
  event: JournalEvent
  page: ObjectId
}

function prepareInsert(db: Db, fence: Fence, events: Placed[]): () => Promise<Unstorable[]> {
  if (events.length === 0) return async () => []
  let insert: () => Promise<void>
  try {
    insert = fence.prepare(toRawBson(events))
  } catch (error) {
    insert = () => Promise.reject(error)
  }
  return async () => {
    try {
      await insert()
      return []
    } catch (error) {
      if (!isAboutADocument(error)) throw error
      return await insertHalves(db, fence, events, error as Error)
    }
  }
}

async function insertHalves(db: Db, fence: Fence, events: Placed[], error: Error): Promise<Unstorable[]> {
  const [only] = events
  if (events.length === 1 && only) return [{ ...only, error: String(error.message).slice(0, 300) }]
  const half = Math.ceil(events.length / 2)
  const unstorable: Unstorable[] = []
  for (const part of [events.slice(0, half), events.slice(half)])
    unstorable.push(...(await prepareInsert(db, fence, await missing(db, fence, part))()))
  return unstorable
}

/** What of these events the time-series does not hold yet. */
async function missing(db: Db, fence: Fence, events: Placed[]): Promise<Placed[]> {
  if (events.length === 0) return []
  const times = events.map(({ event }) => +event.ts).filter(Number.isFinite)
  const filter = {
    ts: { $gte: new Date(Math.min(...times)), $lte: new Date(Math.max(...times)) },
    'meta.site': { $in: [...new Set(events.map(({ event }) => event.site))] },
    page: { $in: [...new Map(events.map(({ page }) => [page.toHexString(), page])).values()] },
  }
  const options = { ...fence.reading, projection: { _id: 0, page: 1, meta: 1, id: 1 } }
  const there = await db.collection<RawEvent>('events').find(filter, options).toArray()
  const name = (page: ObjectId, site: string, event: string, id: string) =>
    JSON.stringify([page.toHexString(), site, event, id])
  const held = new Set(there.map(({ page, meta, id }) => name(page, meta.site, meta.name, id)))
  return events.filter(({ event, page }) => !held.has(name(page, event.site, event.name, event.id)))
}

/** Whether a failed insert tells of a document, not of the network, the server's state or a majority. */
function isAboutADocument(error: unknown): boolean {
  if (error instanceof MongoNetworkError) return false
  if (error instanceof MongoBulkWriteError) {
    if (error.result.getWriteConcernError()) return false
    const errors = [error.writeErrors].flat()
    // A document that is too large for any bucket fails the whole command, and no error names it.
    const codes = errors.length > 0 ? errors.map(({ code }) => code) : [error.code]
    return codes.every(code => ABOUT_A_DOCUMENT.has(Number(code)))
  }
  if (error instanceof MongoServerError) return ABOUT_A_DOCUMENT.has(Number(error.code))
  // The driver could not turn the document into BSON.
  return error instanceof Error && /^BSON|RangeError|TypeError/.test(error.name)
}

/** BadValue, FailedToParse, TypeMismatch, Overflow, InvalidBSON, DollarPrefixedFieldName, DocumentValidationFailure, and the codes for documents that are too large. */
const ABOUT_A_DOCUMENT = new Set([2, 9, 14, 15, 22, 52, 121, 5_743_702, 10_334, 17_280])
