/** Accounts: an e-mail address, a password, and a role a site. */
import { randomBytes } from 'node:crypto'
import type { Collection, Db } from 'mongodb'
import { PeopleError } from './error.ts'
import { hashPassword, isPassword, isRight, PASSWORD_LENGTH } from './passwords.ts'
import type { Role } from './roles.ts'

export interface Account {
  email: string
  /** one of the deployment's owners: may do everything on every site */
  owner: boolean
  roles: SiteRole[]
  createdAt: Date
}

export interface SiteRole {
  /** key of the site */
  site: string
  role: Role
  since: Date
}

export interface AccountDocument extends Omit<Account, 'email'> {
  /** the e-mail address, in lower case */
  _id: string
  password: string
  /** random, and another one when all sign-ins end: a sign-in holds as long as it has the account's */
  stamp: string
}

export const DURABLE = { writeConcern: { w: 'majority', journal: true } } as const
export const accounts = (db: Db): Collection<AccountDocument> => db.collection<AccountDocument>('accounts')
export const newStamp = (): string => randomBytes(12).toString('base64url')

export const toAccount = ({ _id: email, owner, roles, createdAt }: AccountDocument): Account => ({
  email,
  owner,
  roles,
  createdAt,
})

/** No more than that it may be one: whether there is such a mailbox only a mail could tell. */
const EMAIL = /^[^\s@\p{C}<>"'`\\,;:()[\]]{1,64}@[^\s@\p{C}<>"'`\\,;:()[\]]{1,190}$/u

/** In the form in which it is kept; `undefined` where it is none. */
export function readEmail(text: unknown): string | undefined {
  if (typeof text !== 'string' || text.length > 300) return undefined
  const email = text.trim().normalize('NFKC').toLowerCase()
  return EMAIL.test(email) ? email : undefined
}

/** @throws PeopleError email-invalid */
export function emailOf(text: unknown): string {
  const email = readEmail(text)
  if (email === undefined) throw new PeopleError('email-invalid', 'email: an e-mail address such as ada@shop.example')
  return email
}

/** @throws PeopleError password-invalid */
export function passwordOf(text: unknown): string {
  if (isPassword(text)) return text
  const { least, most } = PASSWORD_LENGTH
  throw new PeopleError('password-invalid', `a password has ${least} to ${most} characters`)
}

/** @throws PeopleError account-exists, email-invalid, password-invalid; PasswordsBusy */
export async function addAccount(
  db: Db,
  { email, password, owner, roles }: { email: unknown; password: unknown; owner: boolean; roles: SiteRole[] },
): Promise<AccountDocument> {
  const _id = emailOf(email)
  const document: AccountDocument = {
    _id,
    password: await hashPassword(passwordOf(password)),
    stamp: newStamp(),
    owner,
    roles,
    createdAt: new Date(),
  }
  await accounts(db)
    .insertOne(document, DURABLE)
    .catch(error => {
      if (error.code === 11_000) throw new PeopleError('account-exists', `${_id} has an account already`)
      throw error
    })
  return document
}

/**
 * The account of this e-mail address and password; `undefined` where one of them is wrong, after the same time.
 * @throws PasswordsBusy
 */
export async function checkAccount(db: Db, email: string, password: string): Promise<AccountDocument | undefined> {
  const account = await accounts(db).findOne({ _id: email })
  const right = await isRight(isPassword(password) ? password : '', account?.password)
  return right && account ? account : undefined
}

export const listAccounts = async (db: Db): Promise<Account[]> =>
  (await accounts(db).find().sort({ createdAt: 1, _id: 1 }).toArray()).map(toAccount)
