/** Collectors as processes of their own: started again when they end, as a service manager does. */
import { type ChildProcess, fork } from 'node:child_process'
import { openSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Options } from '../../collector/config.ts'
import { tied } from './children.ts'
import type { Protection } from './protections.ts'
import { until } from './until.ts'

const ENTRY = fileURLToPath(new URL('collector.mjs', import.meta.url))
/** How days are closed: today and this month are taken for over, so that days and months are built while events come in, and built again soon; ms. All is looked at each time: 40 days ahead, nothing is recent. */
export const CLOSING = { ahead: 40 * 86_400_000, pace: { every: 300, first: 0, later: 1_000, all: 0 } }
/** A clean end may take 10 s, ms. */
const CLEAN_END_MS = 20_000
const START_MS = 60_000

export type Point = 'insert' | 'commit' | 'adopted'

export interface CollectorProcess {
  url: string
  readonly pid: number
  /** Returns when it listens. */
  start(): Promise<void>
  /** Returns when it has ended. @throws Error when SIGTERM does not end it */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>
  signal(name: 'SIGSTOP' | 'SIGCONT'): void
  /** Returns when it is held at that point (`holds.mjs`). @throws Error when it does not come to it within so many ms */
  hold(at: Point, limit: number, lane?: number): Promise<void>
  /** Lets it go on, or pass the point. */
  release(): void
  /** which of its lives this is; `undefined` while it is ended or does not listen yet */
  readonly life: number | undefined
  /** bytes */
  memory(): Promise<number>
  /** how it ended without being asked to, once it had started */
  crashes: string[]
}

export interface CollectorParts {
  name: string
  /** of its log */
  folder: string
  /** URL of the built collector */
  built: string
  without: Protection | undefined
  /** as the product does where it is absent */
  closing: typeof CLOSING | undefined
  options: Options & { host: string; port: number }
}

export function collectorProcess({ name, folder, built, without, closing, options }: CollectorParts): CollectorProcess {
  const log = openSync(join(folder, `${name}.log`), 'a')
  const argument = JSON.stringify({ built, without, options, closing })
  const crashes: string[] = []
  let child: ChildProcess | undefined
  let listening = false
  let held: Point | undefined
  /** who waits for its memory */
  const asked: ((rss: number) => void)[] = []
  let wanted = false
  let supervised = Promise.resolve()

  const supervise = async (): Promise<void> => {
    while (wanted) {
      const started = tied(fork(ENTRY, [argument], { stdio: ['ignore', 'ignore', log, 'ipc'], execArgv: [] }))
      child = started
      started.once('message', () => {
        listening = true
        // Not its first message, which is its address.
        started.on('message', (message: { held?: Point; rss?: number }) => {
          held = message.held ?? held
          if (message.rss !== undefined) for (const answer of asked.splice(0)) answer(message.rss)
        })
      })
      const [code, signal] = await new Promise<[number | null, string | null]>(resolve => {
        started.once('exit', (code, signal) => resolve([code, signal]))
        started.once('error', () => resolve([-1, null]))
      })
      if (wanted && listening) crashes.push(`${name} ended by itself (${signal ?? `code ${code}`}): see ${name}.log`)
      listening = false
    }
  }
  return {
    url: `http://${options.host}:${options.port}`,
    crashes,
    get pid() {
      return child?.pid ?? 0
    },
    async start() {
      wanted = true
      supervised = supervise()
      await until(`${name} listens`, START_MS, () => listening)
    },
    async end(signal) {
      wanted = false
      child?.kill(signal)
      let ended = false
      void supervised.then(() => {
        ended = true
      })
      await until(`${name} ends after ${signal}`, CLEAN_END_MS, () => ended, 5).catch(async error => {
        child?.kill('SIGKILL')
        await supervised
        throw error
      })
    },
    signal: name => void child?.kill(name),
    async hold(at, limit, lane) {
      held = undefined
      child?.send({ ask: 'hold', at, lane })
      await until(`${name} comes to "${at}"`, limit, () => held === at, 5)
    },
    release() {
      if (child?.connected) child.send({ ask: 'release' })
    },
    get life() {
      return wanted && listening ? child?.pid : undefined
    },
    memory: () =>
      new Promise((resolve, reject) => {
        if (!child?.connected) return reject(new Error(`${name} does not run`))
        asked.push(resolve)
        child.send({ ask: 'memory' }, error => error && reject(error))
      }),
  }
}
