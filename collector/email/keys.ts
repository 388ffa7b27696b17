/**
 * Keys that sign tokens, in the database, one for every 30 days: each is made a day before it is needed, so that all collectors
 * know it by then. None is deleted: links in old mails lead on, and a key signs nothing that was minted outside of its days.
 */
import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { Binary, type Collection, type Db, MongoServerError } from 'mongodb'
import type { SigningKey } from './token.ts'

export interface KeyDocument {
  /** its number; 0 is the secret of the pseudonyms, which stays the same */
  _id: number
  secret: Binary
  from: Date
  until: Date
}

const DAY = 86_400_000
/** How long a key signs, ms, and how long before its days it is made. */
export const KEY = { signs: 30 * DAY, ahead: DAY } as const
const PSEUDONYMS = 0
const BYTES = 32
const DURABLE = { writeConcern: { w: 'majority', journal: true } } as const
const collection = (db: Db): Collection<KeyDocument> => db.collection<KeyDocument>('email_keys')

const insert = async (db: Db, document: Omit<KeyDocument, 'secret'>): Promise<void> => {
  await collection(db)
    .insertOne({ ...document, secret: new Binary(randomBytes(BYTES)) }, DURABLE)
    .catch(error => {
      // Another collector was first: its key is everybody's.
      if (!(error instanceof MongoServerError && error.code === 11000)) throw error
    })
}

/**
 * Makes what is missing now and within a day, also where a clock that was wrong for a while has made keys of the future. May be
 * run by several collectors at once.
 */
export async function ensureKeys(db: Db, now: number): Promise<void> {
  const there = await collection(db)
    .find({}, { projection: { secret: 0 } })
    .toArray()
  const newest = Math.max(PSEUDONYMS, ...there.map(({ _id }) => _id))
  if (there.length === 0) await insert(db, { _id: PSEUDONYMS, from: new Date(0), until: new Date(0) })
  const at = (ms: number) => there.find(({ from, until }) => +from <= ms && ms < +until)
  const present = at(now)
  if (present && at(now + KEY.ahead)) return
  const from = present ? +present.until : now
  await insert(db, { _id: newest + 1, from: new Date(from), until: new Date(from + KEY.signs) })
}

export const listEmailKeys = (db: Db): Promise<KeyDocument[]> =>
  collection(db)
    .find({ _id: { $gt: PSEUDONYMS } })
    .toArray()

export const toSigningKey = ({ _id, secret, from, until }: KeyDocument): SigningKey => ({
  number: _id,
  secret: createSecretKey(secret.buffer),
  from: +from,
  until: +until,
})

/** @throws Error where {@link ensureKeys} was never run */
export async function readPseudonymSecret(db: Db): Promise<KeyObject> {
  const document = await collection(db).findOne({ _id: PSEUDONYMS })
  if (!document) throw new Error('the secret of the pseudonyms is missing in the collection email_keys')
  return createSecretKey(document.secret.buffer)
}
