/**
 * People: who signs in, who may do what with which site, and whom a shared link lets look. Passwords, tokens and roles come
 * in, accounts, sign-ins and rights go out. It promises that the database alone opens nothing (of passwords, sign-ins and
 * links that work once it holds hashes), that nobody learns by a wrong sign-in whether there is such an account, and that
 * what is taken back is worthless within a second, at every collector.
 */
export {
  type Account,
  addAccount,
  checkAccount,
  emailOf,
  listAccounts,
  passwordOf,
  readEmail,
  type SiteRole,
} from './accounts.ts'
export { ATTEMPTS, type Attempts, createAttempts } from './attempts.ts'
export { PeopleError, type PeopleFault } from './error.ts'
export { addLink, findJoinLink, LINK_MS, takeLink } from './links.ts'
export { createLogins, endLogins, type Login, type Logins, removeAccount, SIGNED_IN_MS, setPassword } from './logins.ts'
export { PASSWORD_LENGTH, PasswordsBusy } from './passwords.ts'
export { invite, join, listPeople, MOST_PEOPLE, type Person, removePerson, setRole } from './people.ts'
export { isRole, RIGHTS, type Right, ROLES, type Role } from './roles.ts'
export { equal, isSecret } from './secrets.ts'
export {
  addShare,
  type FoundShare,
  findShare,
  listShares,
  MOST_SHARES,
  removeShare,
  type Share,
  TICKET_MS,
} from './shares.ts'
