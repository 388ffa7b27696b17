/**
 * Shared links: whoever has one reads one site, without a sign-in. Owners are shown a link again whenever they look, so its
 * token is kept as it is: it opens no more than the database in which it stands. A password is kept as scrypt's hash.
 */
import { createHmac, randomBytes } from 'node:crypto'
import type { Collection, Db } from 'mongodb'
import { DURABLE } from './accounts.ts'
import { PeopleError } from './error.ts'
import { hashPassword, isPassword, isRight, PASSWORD_LENGTH } from './passwords.ts'
import { equal, isSecret, newSecret } from './secrets.ts'

/** What somebody who entered a link's password has; ms. */
export const TICKET_MS = 7 * 86_400_000
/** Shared links of a site. */
export const MOST_SHARES = 100

export interface Share {
  /** names the link wherever the link itself must not stand */
  id: string
  /** in the link */
  token: string
  site: string
  /** what it is for, in its owner's words */
  name: string
  /** whether it asks for one */
  password: boolean
  /** whether other sites may show it in a frame */
  embed: boolean
  createdAt: Date
}

interface ShareDocument extends Omit<Share, 'token' | 'password'> {
  /** the token */
  _id: string
  password?: string
}

const collection = (db: Db): Collection<ShareDocument> => db.collection<ShareDocument>('shares')

const toShare = ({ _id: token, password, ...rest }: ShareDocument): Share => ({
  ...rest,
  token,
  password: password !== undefined,
})

/** In the order in which they were made. */
export const listShares = async (db: Db, site: string): Promise<Share[]> =>
  (await collection(db).find({ site }).sort({ createdAt: 1, _id: 1 }).toArray()).map(toShare)

/** @throws PeopleError share-invalid, password-invalid, too-many-shares; PasswordsBusy */
export async function addShare(
  db: Db,
  site: string,
  { name, password, embed }: { name: unknown; password?: unknown; embed?: unknown },
  createdAt: Date,
): Promise<Share> {
  if (typeof name !== 'string' || !/^[^\p{C}]{1,100}$/u.test(name))
    throw new PeopleError('share-invalid', 'name: 1 to 100 printable characters')
  if (embed !== undefined && typeof embed !== 'boolean') throw new PeopleError('share-invalid', 'embed: true or false')
  if (password !== undefined && !isPassword(password))
    throw new PeopleError(
      'password-invalid',
      `a password has ${PASSWORD_LENGTH.least} to ${PASSWORD_LENGTH.most} characters; leave it out for a link without`,
    )
  if ((await collection(db).countDocuments({ site }, { limit: MOST_SHARES })) >= MOST_SHARES)
    throw new PeopleError('too-many-shares', `a site has at most ${MOST_SHARES} shared links`)
  const document: ShareDocument = {
    _id: newSecret(),
    id: randomBytes(9).toString('base64url'),
    site,
    name,
    embed: embed === true,
    createdAt,
    ...(password !== undefined && { password: await hashPassword(password) }),
  }
  await collection(db).insertOne(document, DURABLE)
  return toShare(document)
}

/** Who has it open sees no more of it within two seconds. @throws PeopleError share-unknown */
export async function removeShare(db: Db, site: string, id: string): Promise<void> {
  const { deletedCount } = await collection(db).deleteOne({ site, id }, DURABLE)
  if (deletedCount === 0) throw new PeopleError('share-unknown', 'the site has no shared link of this id')
}

export interface FoundShare {
  share: Share
  /** a ticket for who knows the password; `undefined` where it is wrong. @throws PasswordsBusy */
  ticketFor(password: string): Promise<string | undefined>
  /** whether it opens the link: any text does where there is no password */
  admits(ticket: string): boolean
}

/**
 * The link of this token; `undefined` where there is none, or no more. A ticket is signed with what is kept of the password,
 * so nothing of it has to be kept, and another password is another key.
 * @param clock ms
 */
export async function findShare(db: Db, token: string, clock: () => number): Promise<FoundShare | undefined> {
  if (!isSecret(token)) return undefined
  const found = await collection(db).findOne({ _id: token })
  if (!found) return undefined
  const { password } = found
  const sign = (expires: string): string =>
    createHmac('sha256', password ?? '')
      .update(`${token}.${expires}`)
      .digest('base64url')
  return {
    share: toShare(found),
    async ticketFor(text) {
      if (password !== undefined && !(await isRight(text, password))) return undefined
      const expires = (clock() + TICKET_MS).toString(36)
      return sign(expires) + expires
    },
    admits(ticket) {
      if (password === undefined) return true
      const [signature, expires] = [ticket.slice(0, 43), ticket.slice(43)]
      return equal(signature, sign(expires)) && Number.parseInt(expires, 36) > clock()
    },
  }
}
