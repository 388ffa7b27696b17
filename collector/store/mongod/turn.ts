import { randomUUID } from 'node:crypto'
import { link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { isAlive, type ProcessMark, self } from './alive.ts'

interface Ticket extends ProcessMark {
  /** one a turn, so that two turns of one process are told apart */
  token: string
}

/**
 * Runs `work` while no other process (and no other call in this one) is in its turn on the same folder. Opening,
 * restarting and closing the mongod of a folder each take one.
 *
 * The turn is a file `turn` made by `link`, which is atomic and refuses to replace; it names its holder, and whoever
 * meets a holder that is dead may clear it. A mongod's own lock on its data files stands behind this one: at worst a
 * second mongod refuses to start, data is never at risk.
 *
 * @param onWait called once, with the pid of the holder, if somebody else is in its turn
 */
export async function inTurn<T>(folder: string, work: () => Promise<T>, onWait?: (pid: number) => void): Promise<T> {
  const file = join(folder, 'turn')
  const ticket: Ticket = { ...self(), token: randomUUID() }
  const draft = join(folder, `turn-${ticket.token}`)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await writeFile(draft, JSON.stringify(ticket))
  try {
    let told = false
    while (!(await linked(draft, file))) {
      const holder = await read(file)
      if (holder !== undefined && !isAlive(holder)) {
        await clear(file, holder)
      } else {
        if (holder !== undefined && !told) onWait?.(holder.pid)
        told ||= holder !== undefined
        await pause(20)
      }
    }
  } finally {
    await rm(draft, { force: true })
  }
  try {
    return await work()
  } finally {
    await rm(file, { force: true })
  }
}

/**
 * Removes a dead holder's turn. Two processes may meet it at the same time, and the slower one must not remove the
 * turn that the faster one has taken since: so removing needs a claim on exactly that holder's token, and under the
 * claim the file is read again.
 */
async function clear(file: string, dead: Ticket): Promise<void> {
  const claim = `${file}-clear-${dead.token}`
  try {
    await writeFile(claim, '', { flag: 'wx' })
  } catch {
    // Somebody else clears it, in microseconds; a claim that is seconds old was left by one who was killed meanwhile.
    const made = await stat(claim).catch(() => undefined)
    if (made && Date.now() - made.mtimeMs > 5_000) await rm(claim, { force: true })
    else await pause(5)
    return
  }
  if ((await read(file))?.token === dead.token) await rm(file, { force: true })
  await rm(claim, { force: true })
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function read(file: string): Promise<Ticket | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Ticket
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
