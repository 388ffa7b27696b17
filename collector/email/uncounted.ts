/**
 * How many opens and clicks could not be counted, by mailing, as people are led on all the same. Kept in a file of this
 * process as long as the database is away, so that a restart forgets none, and added to the mailing when it is back.
 */
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Db } from 'mongodb'
import { getOrAdd } from '../get-or-add.ts'
import type { Log } from '../log.ts'
import { emailPath, writeWhole } from './folder.ts'
import { mailings } from './mailings.ts'

export interface Uncounted {
  add(mailing: number, kind: keyof Count): void
  /** From now on there is a database: until then the file is all. */
  sendTo(db: Db): void
  /** Puts away what there is. */
  close(): Promise<void>
}

/** How often what is new is put away, ms. */
const FLUSH_MS = 1_000
const NAME = /^uncounted-(\d+)\.json$/

interface Count {
  opens: number
  clicks: number
}
/** By the mailing's number. */
type Counts = Map<number, Count>

/** @param home data folder */
export async function countUncounted(home: string, log: Log): Promise<Uncounted> {
  const folder = emailPath(home)
  const own = `uncounted-${process.pid}.json`
  const counts = await adopt(folder, own)
  let waiting = 0
  for (const { opens, clicks } of counts.values()) waiting += opens + clicks
  let changed = false
  let db: Db | undefined
  let sending: Promise<void> | undefined

  /** What was sent is taken off only when the database has it. */
  const send = async (to: Db): Promise<void> => {
    const sent = [...counts].map(([mailing, count]) => ({ mailing, ...count }))
    await mailings(to).bulkWrite(
      sent.map(({ mailing, opens, clicks }) => ({
        updateOne: {
          filter: { _id: mailing },
          update: { $inc: { 'uncounted.opens': opens, 'uncounted.clicks': clicks } },
        },
      })),
      { ordered: false },
    )
    let all = 0
    for (const { mailing, opens, clicks } of sent) {
      const count = counts.get(mailing)
      if (!count) continue
      count.opens -= opens
      count.clicks -= clicks
      all += opens + clicks
      if (count.opens + count.clicks === 0) counts.delete(mailing)
    }
    waiting -= all
    changed = true
    log.warn({ n: all }, 'opens and clicks of mails could not be counted: the reports of their mailings say so')
  }
  const flush = async (): Promise<void> => {
    if (waiting > 0 && db && !sending) {
      sending = send(db)
        .catch(error => log.warn({ err: error }, 'what could not be counted of mails waits in a file'))
        .finally(() => {
          sending = undefined
        })
    }
    if (!changed) return
    changed = false
    if (waiting === 0) await rm(join(folder, own), { force: true })
    else await writeWhole(folder, own, Object.fromEntries(counts))
  }
  let flushed = Promise.resolve()
  // One after the other: they write the same file.
  const flushSafely = () => {
    flushed = flushed.then(flush).catch(error => log.warn({ err: error }, 'a file of mails could not be written'))
    return flushed
  }
  const timer = setInterval(() => void flushSafely(), FLUSH_MS).unref()
  return {
    add(mailing, kind) {
      getOrAdd(counts, mailing, () => ({ opens: 0, clicks: 0 }))[kind]++
      waiting++
      changed = true
    },
    sendTo(given) {
      db = given
    },
    async close() {
      clearInterval(timer)
      await flushSafely()
      await sending
      await flushSafely()
    },
  }
}

/** What processes that are gone, or this one before, have left. */
async function adopt(folder: string, own: string): Promise<Counts> {
  const counts: Counts = new Map()
  const names = (await readdir(folder).catch(() => [])).filter(name => {
    const [, pid] = NAME.exec(name) ?? []
    return pid !== undefined && (name === own || !isAlive(Number(pid)))
  })
  for (const name of names) {
    for (const [mailing, { opens, clicks }] of Object.entries(await readCounts(join(folder, name)))) {
      const count = getOrAdd(counts, Number(mailing), () => ({ opens: 0, clicks: 0 }))
      count.opens += opens
      count.clicks += clicks
    }
  }
  if (counts.size > 0) await writeWhole(folder, own, Object.fromEntries(counts))
  for (const name of names) if (name !== own) await rm(join(folder, name), { force: true })
  return counts
}

async function readCounts(path: string): Promise<Record<string, Count>> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Record<string, Count>
  } catch {
    return {}
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
