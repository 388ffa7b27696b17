/**
 * The keys and mailings of a deployment, held in memory by every collector and in files of its data folder, and kept fresh. At
 * most 10,000 mailings, with 200 links each: mostly a few MB.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Db } from 'mongodb'
import { getOrAdd } from '../get-or-add.ts'
import type { EmailFolder, HeldMailing } from './folder.ts'
import { ensureKeys, KEY, listEmailKeys, toSigningKey } from './keys.ts'
import { type MailingDocument, mailings } from './mailings.ts'
import type { SigningKey } from './token.ts'

export interface Known {
  key(number: number): SigningKey | undefined
  mailing(number: number): HeldMailing | undefined
  /** the key that signs now */
  signing(now: number): SigningKey | undefined
}

export interface Followed extends Known {
  /** Looks at the database for a mailing that it may have. */
  find(number: number): Promise<HeldMailing | undefined>
  /** The key that signs now, made where there is none. */
  sign(now: number): Promise<SigningKey | undefined>
  close(): Promise<void>
}

/** How often the database is looked at, ms. */
const LOOK_MS = 1_000
/** Of what was made so shortly before the newest that is known, it may be that it was not to be seen yet, ms. */
const OVERLAP_MS = 10_000

interface Held extends Known {
  keys: Map<number, SigningKey>
  mailings: Map<number, HeldMailing>
}

/** What the files tell, for as long as there is no database. */
export async function readKnown(folder: EmailFolder): Promise<Known & { hasMailings: boolean }> {
  const known = holdNothing()
  const { keys, mailings } = await folder.read()
  for (const key of keys) known.keys.set(key.number, key)
  for (const mailing of mailings) known.mailings.set(mailing.number, mailing)
  return { ...known, hasMailings: mailings.length > 0 }
}

function holdNothing(): Held {
  const keys: Held['keys'] = new Map()
  const mailings: Held['mailings'] = new Map()
  return {
    keys,
    mailings,
    key: number => keys.get(number),
    mailing: number => mailings.get(number),
    signing: now => [...keys.values()].find(({ from, until }) => from <= now && now < until),
  }
}

/** @param clock ms */
export async function followKnown(
  { db, folder, clock }: { db: Db; folder: EmailFolder; clock(): number },
  failed: (error: unknown) => void,
): Promise<Followed> {
  // Of the database alone: the folder may have seen another one.
  const known = holdNothing()
  // What is registered of a mailing never changes, so its file is right as it is.
  const written = new Set((await folder.read()).mailings.map(({ number }) => `mailing ${number}`))
  const looking = new Map<'look', Promise<void>>()
  let newest = 0

  const write = async (name: string, writing: () => Promise<void>): Promise<void> => {
    if (written.has(name)) return
    await writing().then(() => written.add(name), failed)
  }
  const look = async (): Promise<void> => {
    const now = clock()
    if (!known.signing(now + KEY.ahead)) await ensureKeys(db, now)
    const [keys, made] = await Promise.all([
      listEmailKeys(db),
      mailings(db)
        .find({ created: { $gte: new Date(newest - OVERLAP_MS) } })
        .toArray(),
    ])
    for (const key of keys.map(toSigningKey)) {
      if (!known.keys.has(key.number)) known.keys.set(key.number, key)
      await write(`key ${key.number}`, () => folder.writeKey(key))
    }
    for (const document of made) {
      const mailing = toHeld(document)
      if (!known.mailings.has(mailing.number)) known.mailings.set(mailing.number, mailing)
      if (mailing.policy === 'measure') await write(`mailing ${mailing.number}`, () => folder.writeMailing(mailing))
      newest = Math.max(newest, +document.created)
    }
  }
  const shared = () =>
    getOrAdd(looking, 'look', () => {
      const one = look().finally(() => looking.delete('look'))
      // Whoever asked may have given up.
      one.catch(() => {})
      return one
    })

  await shared()
  const lookFor = async <T>(find: () => T | undefined): Promise<T | undefined> => {
    // A look that is on its way may have begun too early to see it.
    for (let looks = 0; looks < 2 && find() === undefined; looks++) await shared()
    return find()
  }
  const stop = new AbortController()
  const run = (async () => {
    while (!stop.signal.aborted) {
      await pause(LOOK_MS, undefined, { signal: stop.signal }).catch(() => {})
      if (!stop.signal.aborted) await shared().catch(failed)
    }
  })()
  return {
    ...known,
    find: number => lookFor(() => known.mailings.get(number)),
    sign: now => lookFor(() => known.signing(now)),
    async close() {
      stop.abort()
      await run
    },
  }
}

const toHeld = ({ _id: number, site, name, policy, links }: MailingDocument): HeldMailing => ({
  number,
  site,
  name,
  policy,
  links,
})
