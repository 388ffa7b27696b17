/** When a site's data begins. */
import type { Db } from 'mongodb'
import type { Session } from '../settle/index.ts'
import { reading } from './reading.ts'

/** When the site's data begins, ms: with a session, or an event without one. */
export async function beginOf(db: Db, site: string, signal: AbortSignal): Promise<number | undefined> {
  const options = reading(signal)
  const session = db.collection<Session>('sessions').find({ site }, { ...options, projection: { start: 1 } })
  const event = db.collection('events').find({ 'meta.site': site }, { ...options, projection: { ts: 1 } })
  const [[first], [raw]] = await Promise.all([
    session.sort({ start: 1 }).limit(1).toArray(),
    event.sort({ ts: 1 }).limit(1).toArray(),
  ])
  const times = [first?.start, raw?.ts].flatMap(at => (at ? [+at] : []))
  return times.length > 0 ? Math.min(...times) : undefined
}
