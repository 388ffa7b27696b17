/** Puts the room together: for a collector, for a command, and for a collector whose database is not there yet. */
import type { BlockList } from 'node:net'
import type { Db } from 'mongodb'
import type { Rejects } from '../intake/index.ts'
import { type Journal, JournalError } from '../journal/index.ts'
import type { Log } from '../log.ts'
import type { Sites } from '../sites/index.ts'
import { createCount } from './count.ts'
import { emailFolder } from './folder.ts'
import { createEmailRoutes, type EmailRoutes } from './http.ts'
import { readPseudonymSecret } from './keys.ts'
import { followKnown, readKnown } from './known.ts'
import { createLastOpens } from './last-opens.ts'
import { addMailing, findMailing, MailingError, type Registered, raise } from './mailings.ts'
import { createMint, type Minted } from './mint.ts'
import { createRecent } from './recent.ts'
import { pseudonym } from './token.ts'
import { countUncounted, type Uncounted } from './uncounted.ts'
import { followWithdrawals } from './withdrawals.ts'

export interface Email {
  /** Registers a mailing, also in the file of this collector. @throws MailingError */
  add(site: string, input: unknown): Promise<Registered>
  /** Mints for one recipient after the other. @throws MailingError when the site has no such mailing */
  minting(site: string, id: string): Promise<Minting>
  /** By the caller's own reference. @param mailing the one that made somebody do so @throws MailingError when there is no such mailing */
  withdraw(site: string, recipient: string, mailing?: string): Promise<void>
  /** Somebody agreed anew: mails that are minted from now on count. */
  restore(site: string, recipient: string): Promise<void>
  /** The day on which a recipient has opened a mail last, under the policy `deliverability`. */
  lastOpen(site: string, recipient: string): Promise<{ recipient: string; day: string | null }>
  close(): Promise<void>
}

export interface Minting {
  mint(recipient: string): Promise<Minted>
  /** Counts for how many it was minted. */
  end(): Promise<void>
}

interface EmailParts {
  db: Db
  /** data folder */
  home: string
  log: Log
  clock(): number
  /** what could not be counted before there was a database */
  uncounted?: Uncounted | undefined
}

export interface EmailIntakeParts {
  journal: Pick<Journal, 'append'>
  sites: Pick<Sites, 'get'>
  rejects: Pick<Rejects, 'add'>
  scanners: BlockList | undefined
  trustProxy: BlockList
}

export async function createEmail({
  db,
  home,
  log,
  clock,
  uncounted: given,
}: EmailParts): Promise<Email & { routes(parts: EmailIntakeParts): EmailRoutes }> {
  const folder = emailFolder(home)
  const known = await followKnown({ db, folder, clock }, error =>
    log.warn({ err: error }, 'mailings could not be followed'),
  )
  const secret = await readPseudonymSecret(db)
  const withdrawals = await followWithdrawals(db, error =>
    log.warn({ err: error }, 'withdrawals could not be followed'),
  )
  const uncounted = given ?? (await countUncounted(home, log))
  uncounted.sendTo(db)
  const lastOpens = createLastOpens(db)
  const mint = createMint({ known, secret, withdrawals, clock })
  return {
    routes: parts =>
      createEmailRoutes({
        known,
        find: known.find,
        count: createCount({ ...parts, withdrawals, lastOpens, recent: createRecent(), clock }),
        uncounted,
        rejects: parts.rejects,
        log,
        clock,
      }),
    async add(site, input) {
      const made = await addMailing(db, site, input)
      await known.find(Number.parseInt(made.id, 16))
      return made
    },
    async minting(site, id) {
      await findMailing(db, site, id)
      const mailing = await known.find(Number.parseInt(id, 16))
      if (!mailing) throw new MailingError('unknown', `the mailing "${id}" is gone`)
      let minted = 0
      return {
        async mint(recipient) {
          const made = await mint(mailing, recipient)
          minted++
          return made
        },
        end: () => raise(db, id, { minted }),
      }
    },
    async withdraw(site, recipient, mailing) {
      if (mailing !== undefined) await findMailing(db, site, mailing)
      const isNew = await withdrawals.withdraw(site, pseudonym(secret, site, recipient))
      if (isNew && mailing !== undefined) await raise(db, mailing, { withdrawn: 1 })
    },
    restore: (site, recipient) => withdrawals.restore(site, pseudonym(secret, site, recipient), clock()),
    async lastOpen(site, recipient) {
      return { recipient, day: (await lastOpens.find(site, pseudonym(secret, site, recipient))) ?? null }
    },
    async close() {
      await Promise.all([known.close(), withdrawals.close(), uncounted.close()])
    },
  }
}

/** A collector's mails while it has no database: see {@link emailWithout}. */
export interface EmailWithout {
  routes: EmailRoutes
  /** for the collector that comes after */
  uncounted: Uncounted
}

/**
 * While there is no database: links lead on by the files of the data folder, images are shown, and how many could not be counted
 * is noted. `undefined` when there is no link to lead on.
 */
export async function emailWithout(home: string, log: Log): Promise<EmailWithout | undefined> {
  const known = await readKnown(emailFolder(home))
  if (!known.hasMailings) return undefined
  const uncounted = await countUncounted(home, log)
  const routes = createEmailRoutes({
    known,
    count: () => Promise.reject(new JournalError('full')),
    uncounted,
    rejects: { add() {} },
    log,
    clock: Date.now,
  })
  return { routes, uncounted }
}
