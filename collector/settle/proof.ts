/**
 * Proof of consent: each decision that arrives as an event `consent` leaves a record. It is written in the transaction that
 * counts its page: so it is there as surely as the event is counted, and once, as the event is.
 */
import type { ClientSession, Db } from 'mongodb'
import { type ConsentRecord, recordOf } from '../../consent/record.ts'
import type { JournalEvent, JournalPage } from '../journal/index.ts'
import { KEPT } from '../store/index.ts'

/** @param kept by page, the events that were not there before; also those that the raw record can't take */
export async function writeProofs(
  db: Db,
  session: ClientSession,
  pages: JournalPage[],
  kept: JournalEvent[][],
): Promise<void> {
  const records: ConsentRecord[] = []
  for (const [i, { at }] of pages.entries()) {
    for (const event of kept[i] ?? []) {
      if (event.name !== 'consent') continue
      const record = proofOf(event, at)
      if (record) records.push(record)
    }
  }
  if (records.length === 0) return
  // Where an event's claim has expired and the event comes again, the first record stays.
  const updates = records.map(({ _id, ...rest }) => ({
    updateOne: { filter: { _id }, update: { $setOnInsert: rest }, upsert: true },
  }))
  await db.collection<ConsentRecord>('consents').bulkWrite(updates, { session, ordered: false })
}

const proofOf = ({ site, id, ts, visitor, consent, props }: JournalEvent, received: Date): ConsentRecord | undefined =>
  recordOf(
    {
      site,
      id,
      decided: ts,
      received,
      // The name of a cookieless visitor would outlive its day here.
      visitor: consent === 'l' ? undefined : visitor,
      said: props,
      withdrawal: consent === 'd',
    },
    KEPT.consents,
  )
