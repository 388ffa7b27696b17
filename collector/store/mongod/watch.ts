import { existsSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import { isAlive } from './alive.ts'
import { type Folder, type Lock, liveLock } from './folder.ts'
import { launch } from './launch.ts'
import { boundLog, lastWords } from './log.ts'
import { becomePrimary } from './primary.ts'
import { freeSpace, fullText, LEAST_FREE } from './space.ts'
import { inTurn } from './turn.ts'

/** How often a user looks whether mongod still runs, ms. Its parent is told at once, the others find out by this. */
const LOOK = 250
/** How often the size of the log is looked at, ms. */
const LOG_LOOK = 60_000
/** How often the space on the disk is looked at, ms. */
const SPACE_LOOK = 1_000
/** Deaths within this time, ms, make a crash loop: each doubles the wait before the next start. */
const LOOP = 60_000

export type Log = Pick<Logger, 'info' | 'warn' | 'error'>

export interface Watch {
  /** the mongod that runs now */
  lock(): Lock
  /** looks now, not at the next tick */
  look(): void
  /** whether the disk has too little space left for mongod to go on for long */
  full(): boolean
  end(): void
}

/**
 * Restarts the mongod of a folder when it dies, on the same port and data. Every user of the folder watches, whoever
 * notices first takes the turn and restarts, and the others find a new live lock: so no duty has to be handed on when
 * the process that started it leaves.
 */
export function watch(folder: Folder, first: Lock, log: Log): Watch {
  let lock = first
  let reviving: Promise<void> | undefined
  const deaths: number[] = []
  let full = false
  const ended = new AbortController()

  const look = (): void => {
    if (ended.signal.aborted || reviving || isAlive(lock.mongod)) return
    reviving = revive().finally(() => {
      reviving = undefined
    })
  }

  async function revive(): Promise<void> {
    while (!ended.signal.aborted) {
      if (!existsSync(folder.data)) {
        log.error({ folder: folder.data }, 'mongod ended and its data folder is gone: it is not started again')
        ended.abort()
        return
      }
      await pause(backOff(), undefined, { signal: ended.signal }).catch(() => undefined)
      await spaceAgain()
      try {
        await inTurn(folder.root, restart)
        return
      } catch (error) {
        log.error({ err: error, port: lock.port }, 'mongod could not be started again')
      }
    }
  }

  /** A mongod that ended as it could not write would end again. */
  async function spaceAgain(): Promise<void> {
    await lookAtSpace()
    if (!full) return
    while (full && !ended.signal.aborted) {
      await pause(SPACE_LOOK, undefined, { signal: ended.signal }).catch(() => undefined)
      await lookAtSpace()
    }
    deaths.length = 0
  }

  async function lookAtSpace(): Promise<void> {
    const free = await freeSpace(folder.data)
    const before = full
    full = free !== undefined && free < LEAST_FREE
    if (free === undefined || full === before) return
    if (full) log.error({ free }, fullText(folder.data, free))
    else log.warn({ free }, 'there is space on the disk again: going on')
  }

  /** ms to wait before the next start: none at first, then 0.5 s, 1 s, 2 s … 30 s while it keeps dying. */
  function backOff(): number {
    const now = Date.now()
    deaths.push(now)
    while ((deaths[0] ?? now) < now - LOOP) deaths.shift()
    if (deaths.length === 1) return 0
    const wait = Math.min(30_000, 250 * 2 ** (deaths.length - 1))
    log.error(
      { deaths: deaths.length, wait, said: lastWords(folder) },
      'mongod keeps dying, waiting before the next start',
    )
    return wait
  }

  async function restart(): Promise<void> {
    if (ended.signal.aborted) return
    const other = liveLock(folder)
    if (other !== undefined) {
      lock = other
      return
    }
    const died = lock.mongod.pid
    const began = Date.now()
    lock = await launch(folder, lock, look)
    await becomePrimary(lock.port)
    const { mongod, port } = lock
    log.warn({ died, mongod: mongod.pid, port, ms: Date.now() - began }, 'mongod died and was started again')
  }

  const timer = setInterval(look, LOOK).unref()
  const spaceTimer = setInterval(lookAtSpace, SPACE_LOOK).unref()
  const logTimer = setInterval(() => boundLog(folder, lock.mongod), LOG_LOOK).unref()

  return {
    lock: () => lock,
    look,
    full: () => full,
    end() {
      ended.abort()
      clearInterval(timer)
      clearInterval(spaceTimer)
      clearInterval(logTimer)
    },
  }
}
