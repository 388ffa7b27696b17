/**
 * API keys: for programs that read a site or send events to it. Only a key's SHA-256 is kept: it is 192 random bits, so
 * nobody finds it by trying, and what is kept opens nothing.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { Collection, Db } from 'mongodb'
import { believe } from '../believed.ts'

/** `read` asks, `write` sends events, `admin` does both and changes the site. */
export const SCOPES = ['read', 'write', 'admin'] as const
export type Scope = (typeof SCOPES)[number]

export interface ApiKey {
  /** names the key wherever the key itself must not stand: its first 8 characters */
  id: string
  /** what it is for, in its owner's words */
  name: string
  scope: Scope
  /** keys of sites; `*` is all, also those to come */
  sites: string[]
  createdAt: Date
  /** when it was last used, to the minute; absent when it never was */
  usedAt?: Date
}

/** As it is told once. */
export interface NewKey extends ApiKey {
  /** the whole key */
  key: string
}

interface KeyDocument extends Omit<ApiKey, 'id'> {
  /** SHA-256 of the key, base64url */
  _id: string
  start: string
}

/** Thrown with every mistake in what is asked of a key, one a line. */
export class KeyError extends Error {
  override name = 'KeyError'
  readonly why: 'invalid' | 'unknown'
  constructor(why: KeyError['why'], message: string) {
    super(message)
    this.why = why
  }
}

const PREFIX = 'lt_'
const SHOWN = 8
const collection = (db: Db): Collection<KeyDocument> => db.collection<KeyDocument>('keys')
const hash = (key: string): string => createHash('sha256').update(key).digest('base64url')

const toKey = ({ start, name, scope, sites, createdAt, usedAt }: KeyDocument): ApiKey => ({
  id: start,
  name,
  scope,
  sites,
  createdAt,
  ...(usedAt && { usedAt }),
})

/**
 * Makes a key. Its text is given back this once and is nowhere else.
 * @throws KeyError
 */
export async function addKey(
  db: Db,
  { name, scope, sites }: Pick<ApiKey, 'name' | 'scope' | 'sites'>,
): Promise<NewKey> {
  const wrong: string[] = []
  if (!/^[^\p{C}]{1,100}$/u.test(name)) wrong.push('the name takes 1 to 100 printable characters')
  if (!SCOPES.includes(scope)) wrong.push(`the scope is one of ${SCOPES.join(', ')}, not "${scope}"`)
  if (sites.length === 0) wrong.push('it needs the key of at least one site, or * for all')
  const there = await db
    .collection<{ _id: string }>('sites')
    .distinct('_id', { _id: { $in: sites }, internal: { $ne: true } })
  for (const site of sites) {
    if (site !== '*' && !there.includes(site))
      wrong.push(`there is no site "${site}": \`livetag site list\` shows them`)
  }
  if (wrong.length > 0) throw new KeyError('invalid', wrong.join('\n'))
  const key = PREFIX + randomBytes(24).toString('base64url')
  const document = { start: key.slice(0, SHOWN), name, scope, sites: [...new Set(sites)], createdAt: new Date() }
  await collection(db).insertOne({ _id: hash(key), ...document }, { writeConcern: { w: 'majority', journal: true } })
  return { ...toKey({ _id: '', ...document }), key }
}

export const listKeys = async (db: Db): Promise<ApiKey[]> =>
  (await collection(db).find().sort({ createdAt: 1, _id: 1 }).toArray()).map(toKey)

/**
 * @param among of which one is revoked; of all, if absent
 * @throws KeyError when there is none, or more than one, that begins like this
 */
export async function revokeKey(db: Db, start: string, among: (key: ApiKey) => boolean = () => true): Promise<ApiKey> {
  const found = (await collection(db).find().toArray()).filter(
    key => start.length >= 5 && key.start.startsWith(start) && among(toKey(key)),
  )
  const [only] = found
  if (!only)
    throw new KeyError('unknown', `there is no key that begins with "${start}": \`livetag key list\` shows them`)
  if (found.length > 1) throw new KeyError('unknown', `${found.length} keys begin with "${start}": say more of it`)
  await collection(db).deleteOne({ _id: only._id }, { writeConcern: { w: 'majority', journal: true } })
  return toKey(only)
}

/** `usedAt` is written at most this often, ms. */
const USED_MS = 60_000

export interface Keys {
  /** The key that this text is; `undefined` when it is none, or revoked for more than a second. */
  find(key: string): Promise<ApiKey | undefined>
  /** Looks them up anew from now on. */
  forget(): void
}

/** @param clock ms */
export function createKeys(db: Db, clock: () => number = Date.now): Keys {
  const look = async (id: string): Promise<ApiKey | undefined> => {
    const found = await collection(db).findOne({ _id: id })
    if (!found) return undefined
    const now = clock()
    if (now - +(found.usedAt ?? 0) > USED_MS)
      await collection(db).updateOne({ _id: id }, { $set: { usedAt: new Date(now - (now % USED_MS)) } })
    return toKey(found)
  }
  const believed = believe(look, clock)
  return {
    find: async key => (key.startsWith(PREFIX) && key.length <= 100 ? await believed.get(hash(key)) : undefined),
    forget: believed.forget,
  }
}

/** Whether a key is for this site. */
export const isFor = ({ sites }: ApiKey, site: string): boolean => sites.includes('*') || sites.includes(site)

/** Whether a key may do this with a site. */
export const mayUse = (key: ApiKey, wanted: Scope, site: string): boolean =>
  isFor(key, site) && (key.scope === 'admin' || key.scope === wanted)
