/**
 * Sign-ins, in the database: they outlive a restart and hold at every collector. A browser has a secret, the database its
 * hash. What was made by the owner key is hashed with it, so another owner key ends it.
 */
import type { Collection, Db } from 'mongodb'
import { type Account, type AccountDocument, accounts, DURABLE, newStamp, toAccount } from './accounts.ts'
import { PeopleError } from './error.ts'
import { hashPassword } from './passwords.ts'
import { hashOf, isSecret, newSecret } from './secrets.ts'

/** How long a sign-in lasts, ms. */
export const SIGNED_IN_MS = 30 * 86_400_000

interface LoginDocument {
  /** hash of the secret */
  _id: string
  /** of the account; absent where the owner key signed in */
  email?: string
  /** the account's, as it was when the password was checked */
  stamp?: string
  createdAt: Date
  expires: Date
}

export interface Login {
  /** under which it is kept */
  id: string
  /** absent where the owner key signed in */
  account?: Account
  expires: Date
}

export const logins = (db: Db): Collection<LoginDocument> => db.collection<LoginDocument>('logins')

/** @param clock ms */
export function createLogins(db: Db, ownerKey: string, clock: () => number) {
  const add = async (_id: string, of: Pick<LoginDocument, 'email' | 'stamp'>): Promise<void> => {
    const now = clock()
    await logins(db).insertOne({ _id, ...of, createdAt: new Date(now), expires: new Date(now + SIGNED_IN_MS) }, DURABLE)
  }
  const idsOf = (secret: string) => ({ owner: hashOf(secret, ownerKey), account: hashOf(secret) })
  return {
    /** Signs the owner in. @returns the browser's secret */
    async ofOwner(): Promise<string> {
      const secret = newSecret()
      await add(idsOf(secret).owner, {})
      return secret
    },
    /** Signs in whose password was checked. @returns the browser's secret */
    async of({ _id: email, stamp }: Pick<AccountDocument, '_id' | 'stamp'>): Promise<string> {
      const secret = newSecret()
      await add(idsOf(secret).account, { email, stamp })
      return secret
    },
    /** The sign-in of this secret; `undefined` where there is none that holds. */
    async find(secret: string): Promise<Login | undefined> {
      if (!isSecret(secret)) return undefined
      const { owner, account } = idsOf(secret)
      const [found] = await logins(db)
        .aggregate<LoginDocument & { of: AccountDocument[] }>([
          { $match: { _id: { $in: [owner, account] }, expires: { $gt: new Date(clock()) } } },
          { $lookup: { from: 'accounts', localField: 'email', foreignField: '_id', as: 'of' } },
        ])
        .toArray()
      if (!found) return undefined
      const { _id: id, email, stamp, expires } = found
      if (email === undefined) return id === owner ? { id, expires } : undefined
      const [its] = found.of
      return its && its.stamp === stamp ? { id, account: toAccount(its), expires } : undefined
    },
    /** @returns whether there was one */
    async end(secret: string): Promise<boolean> {
      if (!isSecret(secret)) return false
      const { owner, account } = idsOf(secret)
      return (await logins(db).deleteMany({ _id: { $in: [owner, account] } }, DURABLE)).deletedCount > 0
    },
    /** Ends all that the owner key and its links have made. */
    async endOwners(): Promise<void> {
      await logins(db).deleteMany({ email: { $exists: false } }, DURABLE)
    },
  }
}

export type Logins = ReturnType<typeof createLogins>

/** Ends all sign-ins of an account, those that are being made too. */
export async function endLogins(db: Db, email: string): Promise<void> {
  await accounts(db).updateOne({ _id: email }, { $set: { stamp: newStamp() } }, DURABLE)
  await logins(db).deleteMany({ email }, DURABLE)
}

/**
 * Gives an account another password, which ends all its sign-ins but this one.
 * @param checked the account, as it was when the old password was checked; absent where a link allows it
 * @param keep id of the sign-in that goes on
 * @throws PeopleError password-wrong, where it was changed in the meantime; person-unknown; PasswordsBusy
 */
export async function setPassword(
  db: Db,
  email: string,
  password: string,
  { checked, keep }: { checked?: AccountDocument; keep?: string } = {},
): Promise<AccountDocument> {
  const change = { password: await hashPassword(password), stamp: newStamp() }
  const changed = await accounts(db).findOneAndUpdate(
    { _id: email, ...(checked && { stamp: checked.stamp, password: checked.password }) },
    { $set: change },
    { returnDocument: 'after', ...DURABLE },
  )
  if (!changed)
    throw checked
      ? new PeopleError('password-wrong', 'the password was changed in the meantime')
      : new PeopleError('person-unknown', `there is no account of ${email}`)
  if (keep !== undefined) await logins(db).updateOne({ _id: keep, email }, { $set: { stamp: change.stamp } }, DURABLE)
  await logins(db).deleteMany({ email, stamp: { $ne: change.stamp } }, DURABLE)
  return changed
}

/** Removes an account with its roles and sign-ins. @throws PeopleError person-unknown */
export async function removeAccount(db: Db, email: string): Promise<void> {
  const { deletedCount } = await accounts(db).deleteOne({ _id: email }, DURABLE)
  await logins(db).deleteMany({ email }, DURABLE)
  if (deletedCount === 0) throw new PeopleError('person-unknown', `there is no account of ${email}`)
}
