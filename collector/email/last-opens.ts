/** The day on which a recipient has opened a mail last: all that the policy `deliverability` keeps. */
import type { Db } from 'mongodb'
import { KEPT } from '../store/index.ts'

interface LastOpen {
  /** `<site> <pseudonym>` */
  _id: string
  /** begin of the day, UTC */
  day: Date
  expires: Date
}

export interface LastOpens {
  /** Durable when it resolves. */
  note(site: string, recipient: Buffer, now: number): Promise<void>
  /** As `2026-03-29`; `undefined` where there is none. */
  find(site: string, recipient: Buffer): Promise<string | undefined>
}

const DAY = 86_400_000

export function createLastOpens(db: Db): LastOpens {
  const collection = db.collection<LastOpen>('last_opens')
  const keyOf = (site: string, recipient: Buffer) => `${site} ${recipient.toString('base64url')}`
  return {
    async note(site, recipient, now) {
      const day = new Date(now - (now % DAY))
      await collection.updateOne(
        { _id: keyOf(site, recipient) },
        { $max: { day, expires: new Date(+day + KEPT.events) } },
        { upsert: true, writeConcern: { w: 'majority', journal: true } },
      )
    },
    async find(site, recipient) {
      const found = await collection.findOne({ _id: keyOf(site, recipient) })
      return found?.day.toISOString().slice(0, 10)
    },
  }
}
