/**
 * Who does not want to be measured, by pseudonym: mails that were sent before are silent, and new ones get no pixel and no
 * links of ours. In memory is a filter of 2 MiB, however many there are (B. H. Bloom, 1970): it never misses one, and whom it may
 * mean is looked up. So opens of others ask the database nothing.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Collection, Db } from 'mongodb'
import { RECIPIENT_BYTES } from './token.ts'

interface WithdrawalDocument {
  /** `<site> <pseudonym>` */
  _id: string
  /** when it was written last, by the server's clock */
  at: Date
  /** since when, s, mails count again, as somebody agreed anew; those of before stay silent */
  again?: number
}

export interface Withdrawals {
  /** Whether a token of this recipient, minted then (s), may not count. @throws when that has to be looked up and can not be */
  silences(site: string, recipient: Buffer, minted: number): boolean | Promise<boolean>
  /** Durable, and known here at once, to other collectors within about a second. Resolves with whether it was new. */
  withdraw(site: string, recipient: Buffer): Promise<boolean>
  /** Takes a withdrawal back for what is minted from now (ms) on. */
  restore(site: string, recipient: Buffer, now: number): Promise<void>
  close(): Promise<void>
}

/** 2²⁴ bits: of a million withdrawals, one of 500 other people is looked up needlessly. */
const BITS = 24
/** Where in a pseudonym, which is random already, the bits of the filter are read. */
const PLACES = [0, 3, 6, RECIPIENT_BYTES - 3]
const LOOK_MS = 1_000
const OVERLAP_MS = 10_000
const DURABLE = { writeConcern: { w: 'majority', journal: true } } as const

const keyOf = (site: string, recipient: Buffer): string => `${site} ${recipient.toString('base64url')}`

export async function followWithdrawals(db: Db, failed: (error: unknown) => void): Promise<Withdrawals> {
  const collection: Collection<WithdrawalDocument> = db.collection('withdrawals')
  const filter = new Uint8Array(2 ** BITS / 8)
  let newest = 0
  const add = (recipient: Buffer): void => {
    for (const place of PLACES) {
      const bit = recipient.readUIntBE(place, 3)
      filter[bit >> 3] = (filter[bit >> 3] ?? 0) | (1 << (bit & 7))
    }
  }
  const mayBe = (recipient: Buffer): boolean => {
    for (const place of PLACES) {
      const bit = recipient.readUIntBE(place, 3)
      if (((filter[bit >> 3] ?? 0) & (1 << (bit & 7))) === 0) return false
    }
    return true
  }
  const look = async (): Promise<void> => {
    const since = { at: { $gte: new Date(newest - OVERLAP_MS) } }
    for await (const { _id, at } of collection.find(since, { projection: { at: 1 } })) {
      add(Buffer.from(_id.slice(_id.lastIndexOf(' ') + 1), 'base64url'))
      newest = Math.max(newest, +at)
    }
  }
  await look()
  const stop = new AbortController()
  const run = (async () => {
    while (!stop.signal.aborted) {
      await pause(LOOK_MS, undefined, { signal: stop.signal }).catch(() => {})
      if (!stop.signal.aborted) await look().catch(failed)
    }
  })()
  return {
    silences(site, recipient, minted) {
      if (!mayBe(recipient)) return false
      return collection
        .findOne({ _id: keyOf(site, recipient) })
        .then(found => found !== null && minted < (found.again ?? Number.POSITIVE_INFINITY))
    },
    async withdraw(site, recipient) {
      const change = { $unset: { again: true }, $currentDate: { at: true } } as const
      const options = { upsert: true, returnDocument: 'before', ...DURABLE } as const
      const before = await collection.findOneAndUpdate({ _id: keyOf(site, recipient) }, change, options)
      add(recipient)
      await db.collection<{ _id: string }>('last_opens').deleteOne({ _id: keyOf(site, recipient) }, DURABLE)
      return before === null || before.again !== undefined
    },
    async restore(site, recipient, now) {
      const change = { $set: { again: Math.ceil(now / 1000) } }
      await collection.updateOne({ _id: keyOf(site, recipient) }, change, DURABLE)
    },
    async close() {
      stop.abort()
      await run
    },
  }
}
