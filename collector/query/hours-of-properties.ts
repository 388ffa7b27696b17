/** What hours know of declared properties, and whether it is all. */
import type { Db } from 'mongodb'
import { HOUR_COUNTERS, type JournalEvent } from '../journal/index.ts'
import type { Hours } from '../rollup/index.ts'
import type { RawEvent } from '../settle/index.ts'
import type { Property } from '../sites/index.ts'
import type { Ask } from './engine.ts'
import { attributesOf } from './filter.ts'
import { reading } from './reading.ts'

const PREFIX = 'event:props:'

/** The property that is asked for, where it is declared. */
export function propertyOf(ask: Ask): Property | undefined {
  const [name = ''] = attributesOf(ask)
  return ask.site.properties?.find(one => name === PREFIX + one.name)
}

/**
 * Whether an event of the range from before it was declared says so: then hours need not be read to find out. That others do
 * not, {@link hasAll} finds.
 */
export async function isFromBefore(
  db: Db,
  { site, range }: Ask,
  { name, since }: Property,
  signal: AbortSignal,
): Promise<boolean> {
  if (+since <= range.from) return false
  const ts = { $gte: new Date(range.from), $lt: new Date(Math.min(range.to, +since)) }
  const event = { 'meta.site': site.key, ts, bot: { $exists: false } }
  const options = { ...reading(signal), projection: { declared: 1 } }
  const any = await db.collection<RawEvent & Pick<JournalEvent, 'declared'>>('events').findOne(event, options)
  return any !== null && !any.declared?.includes(name)
}

/**
 * Whether all events of the range are in the rows of the property: each is in one of them, also one that has it not, if it
 * was declared when the event came.
 * @param total of the same moment
 */
export const hasAll = (hours: Hours, total: Hours | undefined): boolean =>
  eventsIn(hours) === eventsIn(total ?? new Map())

const EVENTS = HOUR_COUNTERS.indexOf('events')
const eventsIn = (hours: Hours): number =>
  [...hours.values()].flatMap(rows => [...rows.values()]).reduce((sum, row) => sum + (row[EVENTS] ?? 0), 0)
