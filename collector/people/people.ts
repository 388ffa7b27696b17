/**
 * Who may do what with a site: accounts with a role, and who is invited. An invitation gives its role when it is accepted and
 * not before, and who has an account accepts with its password: so no owner of a site gets at what somebody may elsewhere.
 */
import type { Db } from 'mongodb'
import { type AccountDocument, accounts, addAccount, checkAccount, DURABLE, emailOf, passwordOf } from './accounts.ts'
import { PeopleError } from './error.ts'
import { addLink, findJoinLink, type LinkDocument, links } from './links.ts'
import { logins, setPassword } from './logins.ts'
import { isRole, ROLES, type Role } from './roles.ts'

export interface Person {
  email: string
  role: Role
  /** whether the invitation was accepted */
  joined: boolean
  createdAt: Date
}

/** Of a site, invited ones included. */
export const MOST_PEOPLE = 500

const roleOf = (role: unknown): Role => {
  if (isRole(role)) return role
  throw new PeopleError('role-invalid', `role: one of ${ROLES.join(', ')}`)
}
const unknown = (email: string): PeopleError =>
  new PeopleError('person-unknown', `${email} is neither a member of this site nor invited to it`)

const invitesOf = (db: Db, site: string, now: number) =>
  links(db)
    .find({ kind: 'invite', site, expires: { $gt: new Date(now) } })
    .toArray() as unknown as Promise<(LinkDocument & { kind: 'invite' })[]>

/** In the order in which they came. @param now ms */
export async function listPeople(db: Db, site: string, now: number): Promise<Person[]> {
  const [joined, invited] = await Promise.all([
    accounts(db).find({ 'roles.site': site }).toArray(),
    invitesOf(db, site, now),
  ])
  const people = [
    ...joined.flatMap(({ _id: email, roles }) =>
      roles
        .filter(one => one.site === site)
        .map(({ role, since }): Person => ({ email, role, joined: true, createdAt: since })),
    ),
    ...invited.map(({ email, role, createdAt }): Person => ({ email, role, joined: false, createdAt })),
  ]
  return people.sort((a, b) => +a.createdAt - +b.createdAt || (a.email < b.email ? -1 : 1))
}

/**
 * Invites somebody; who is invited already gets another link, and the one before works no longer.
 * @param atOnce where a person with an account is to have the role without being asked
 * @returns with the token of the link, where there is one
 * @throws PeopleError email-invalid, role-invalid, person-exists, too-many-people
 */
export async function invite(
  db: Db,
  site: string,
  asked: { email: unknown; role: unknown },
  now: number,
  atOnce: boolean,
): Promise<Person & { token?: string }> {
  const [email, role] = [emailOf(asked.email), roleOf(asked.role)]
  const people = await listPeople(db, site, now)
  const there = people.find(person => person.email === email)
  if (there?.joined) throw new PeopleError('person-exists', `${email} is a member of this site already`)
  if (!there && people.length >= MOST_PEOPLE)
    throw new PeopleError('too-many-people', `a site has at most ${MOST_PEOPLE} people`)
  const createdAt = new Date(now)
  const joins = atOnce && (await addRole(db, site, email, role, createdAt))
  await links(db).deleteMany({ kind: 'invite', site, email }, DURABLE)
  if (joins) return { email, role, joined: true, createdAt }
  return { email, role, joined: false, createdAt, token: await addLink(db, { kind: 'invite', site, email, role }, now) }
}

/** @returns whether there is an account of this name that had no role at this site */
async function addRole(db: Db, site: string, email: string, role: Role, since: Date): Promise<boolean> {
  const { matchedCount } = await accounts(db).updateOne(
    { _id: email, 'roles.site': { $ne: site } },
    { $push: { roles: { site, role, since } } },
    DURABLE,
  )
  return matchedCount === 1
}

/** @throws PeopleError role-invalid, person-unknown */
export async function setRole(db: Db, site: string, email: string, asked: unknown, now: number): Promise<Person> {
  const role = roleOf(asked)
  await accounts(db).updateOne({ _id: email, 'roles.site': site }, { $set: { 'roles.$.role': role } }, DURABLE)
  await links(db).updateMany({ kind: 'invite', site, email }, { $set: { role } }, DURABLE)
  const person = (await listPeople(db, site, now)).find(person => person.email === email)
  if (!person) throw unknown(email)
  return person
}

/** Takes the role or the invitation away; an account that may nothing any more is removed. @throws PeopleError person-unknown */
export async function removePerson(db: Db, site: string, email: string): Promise<void> {
  const { deletedCount } = await links(db).deleteMany({ kind: 'invite', site, email }, DURABLE)
  const { modifiedCount } = await accounts(db).updateOne(
    { _id: email, 'roles.site': site },
    { $pull: { roles: { site } } },
    DURABLE,
  )
  if (modifiedCount === 1) {
    const gone = await accounts(db).deleteOne({ _id: email, owner: false, roles: { $size: 0 } }, DURABLE)
    if (gone.deletedCount === 1) await logins(db).deleteMany({ email }, DURABLE)
  }
  if (deletedCount + modifiedCount === 0) throw unknown(email)
}

/**
 * Uses up an invitation, or a link to another password. Who has no account gets one with this password; who has one gives
 * the password that it has. A link to another password ends all sign-ins of the account.
 * @throws PeopleError invite-used, password-invalid, password-wrong; PasswordsBusy
 */
export async function join(db: Db, token: unknown, password: unknown, now: number): Promise<AccountDocument> {
  const link = await findJoinLink(db, token, now)
  if (!link) throw used()
  if (link.kind === 'invite') return await accept(db, link, password)
  const text = passwordOf(password)
  return await claim(db, link, () => setPassword(db, link.email, text))
}

const used = () => new PeopleError('invite-used', 'this link was used, taken back, or is too old')
const wrongPassword = () =>
  new PeopleError('password-wrong', 'there is an account of this e-mail address, with another password')

async function accept(db: Db, link: LinkDocument & { kind: 'invite' }, password: unknown): Promise<AccountDocument> {
  const { email, site, role } = link
  const since = new Date()
  const there = await accounts(db).findOne({ _id: email })
  if (!there) {
    const asked = { email, password: passwordOf(password), owner: false, roles: [{ site, role, since }] }
    return await claim(db, link, () => addAccount(db, asked)).catch(error => {
      // Somebody has made it at this very moment: it has a password now.
      throw error instanceof PeopleError && error.why === 'account-exists' ? wrongPassword() : error
    })
  }
  const checked = await checkAccount(db, email, String(password ?? ''))
  if (!checked) throw wrongPassword()
  await claim(db, link, () => addRole(db, site, email, role, since))
  return checked
}

/** Of several who come with a link at the same time who deletes it goes on. What then fails puts it back. */
async function claim<T>(db: Db, link: LinkDocument, act: () => Promise<T>): Promise<T> {
  if ((await links(db).deleteOne({ _id: link._id }, DURABLE)).deletedCount === 0) throw used()
  try {
    return await act()
  } catch (error) {
    await links(db).insertOne(link, DURABLE)
    throw error
  }
}
