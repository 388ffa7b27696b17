/** Links that work once: the owner's to sign in, an invitation to a site, another password. */
import type { Collection, Db } from 'mongodb'
import { DURABLE } from './accounts.ts'
import type { Role } from './roles.ts'
import { hashOf, isSecret, newSecret } from './secrets.ts'

const DAY_MS = 86_400_000
/** How long a link works, ms. */
export const LINK_MS = { 'sign-in': DAY_MS, invite: 7 * DAY_MS, reset: DAY_MS } as const

export type Link =
  | { kind: 'sign-in' }
  /** joins a site */
  | { kind: 'invite'; email: string; site: string; role: Role }
  /** chooses another password */
  | { kind: 'reset'; email: string }

/** Those that choose a password. */
export type JoinLink = Exclude<Link, { kind: 'sign-in' }>

export type LinkDocument = Link & {
  /** hash of the link's token */
  _id: string
  createdAt: Date
  expires: Date
}

export const links = (db: Db): Collection<LinkDocument> => db.collection<LinkDocument>('links')

/**
 * @param now ms
 * @param key where the link is worth nothing without this
 * @returns the token, which is nowhere else
 */
export async function addLink(db: Db, link: Link, now: number, key?: string): Promise<string> {
  const token = newSecret()
  const [createdAt, expires] = [new Date(now), new Date(now + LINK_MS[link.kind])]
  await links(db).insertOne({ _id: hashOf(token, key), ...link, createdAt, expires }, DURABLE)
  return token
}

/** Uses a link up: of several who come with it at the same time one gets it. */
export const takeLink = async (
  db: Db,
  kind: Link['kind'],
  token: unknown,
  now: number,
  key?: string,
): Promise<LinkDocument | undefined> =>
  isSecret(token)
    ? ((await links(db).findOneAndDelete(
        { _id: hashOf(token, key), kind, expires: { $gt: new Date(now) } },
        DURABLE,
      )) ?? undefined)
    : undefined

/** An invitation, or a link to another password, that still works; it is not used up. */
export async function findJoinLink(
  db: Db,
  token: unknown,
  now: number,
): Promise<(JoinLink & LinkDocument) | undefined> {
  if (!isSecret(token)) return undefined
  const found = await links(db).findOne({ _id: hashOf(token), expires: { $gt: new Date(now) } })
  return found && found.kind !== 'sign-in' ? (found as JoinLink & LinkDocument) : undefined
}
