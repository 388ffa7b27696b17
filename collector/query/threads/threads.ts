/**
 * Threads in which columns are scanned, so that events are taken meanwhile, and questions of a dashboard are answered at the same
 * time. A column's numbers are in memory that all see; its texts are sent to a thread once.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { type Block, type ColumnName, TooManyDifferent } from '../../columns/index.ts'
import { QueryError } from '../query.ts'
import type { Done, Scanning, Supply, Work } from '../scanning.ts'
import type { Call, FromThread, SentBlock, SentColumn, ToThread } from './messages.ts'

/** More would be too much beside mongod and the taking of events. */
const MOST = 4
/**
 * Work that a thread does by turns, so that what takes long is in the way of others only where all turns are taken; the rest
 * waits in its order.
 */
const BY_TURNS = 2
/** Blocks that are sent together. */
const TOGETHER = 16

export interface Threads {
  scanning: Scanning
  /** Columns that are held no more. */
  drop(keys: number[]): void
  /** Ends them: what is under way fails. */
  close(): Promise<void>
}

interface Job {
  supply: Supply
  readings: Reading[]
  done(value: unknown): void
  fail(error: unknown): void
}

/** Work that no thread has begun. */
interface Waiting {
  begin(thread: Thread): void
  fail(error: unknown): void
}

/** Reads ahead by one message, as a thread is at work meanwhile. */
interface Reading {
  names: ReadonlySet<ColumnName>
  next: Promise<Block[]>
  more(): Promise<Block[]>
}

interface Thread {
  worker: Worker
  isBusy(): boolean
  jobs: Map<number, Job>
  /** keys of columns that it has */
  sent: Set<number>
}

const CLOSED = 'the threads that scan are closed'

interface Options {
  /** how many; as many as there are cores, but at most four, if absent */
  size?: number | undefined
  /** whether there is so much else to do that they rest in between; never if absent */
  isBusy?: () => boolean
}

/** @param file what a thread runs */
export function createThreads(
  file: URL,
  { size = Math.min(MOST, availableParallelism()), isBusy = () => false }: Options = {},
): Threads {
  const threads = new Set<Thread>()
  let last = 0
  let isClosed = false

  const start = (): Thread => {
    const worker = new Worker(file, { resourceLimits: { maxYoungGenerationSizeMb: 32 } })
    // It does not keep the process from ending.
    worker.unref()
    const thread: Thread = { worker, isBusy, jobs: new Map(), sent: new Set() }
    const end = (error: unknown): void => {
      threads.delete(thread)
      for (const { fail } of thread.jobs.values()) fail(error)
    }
    worker.on('message', (message: FromThread) => receive(thread, message))
    worker.once('error', end)
    worker.on('messageerror', end)
    worker.once('exit', () => end(new Error('a thread that scans has ended')))
    threads.add(thread)
    return thread
  }

  /** The one that has least to do; `undefined` where all have enough. */
  const choose = (): Thread | undefined => {
    const least = [...threads].reduce<Thread | undefined>(
      (found, one) => (found && found.jobs.size <= one.jobs.size ? found : one),
      undefined,
    )
    if (least?.jobs.size === 0) return least
    if (threads.size < size) return start()
    return least && least.jobs.size < BY_TURNS ? least : undefined
  }

  const waiting = new Set<Waiting>()
  const beginNext = (): void => {
    const [first] = waiting
    const thread = first && !isClosed && choose()
    if (!thread) return
    waiting.delete(first)
    first.begin(thread)
  }

  const scanning: Scanning = <W extends Work>(work: W, supply: Supply, signal: AbortSignal) =>
    new Promise<Done<W>>((resolve, reject) => {
      if (isClosed) throw new Error(CLOSED)
      signal.throwIfAborted()
      const number = ++last
      let its: Thread | undefined
      const leave = (): void => {
        signal.removeEventListener('abort', abort)
        waiting.delete(one)
        its?.jobs.delete(number)
        beginNext()
      }
      const fail = (error: unknown): void => {
        if (its) post(its, { kind: 'stop', job: number })
        leave()
        reject(error)
      }
      const done = (value: unknown): void => {
        leave()
        resolve(value as Done<W>)
      }
      const begin = (thread: Thread): void => {
        its = thread
        thread.jobs.set(number, { supply, readings: [], done, fail })
        try {
          post(thread, { kind: 'work', job: number, work })
        } catch (error) {
          fail(error)
        }
      }
      const abort = (): void => fail(signal.reason)
      signal.addEventListener('abort', abort, { once: true })
      const one = { begin, fail }
      waiting.add(one)
      beginNext()
    })

  return {
    scanning,
    drop(keys) {
      for (const thread of threads) {
        const there = keys.filter(key => thread.sent.delete(key))
        if (there.length > 0) post(thread, { kind: 'drop', keys: there })
      }
    },
    async close() {
      isClosed = true
      for (const { fail } of waiting) fail(new Error(CLOSED))
      await Promise.all([...threads].map(({ worker }) => worker.terminate()))
    },
  }
}

const post = ({ worker }: Thread, message: ToThread): void => worker.postMessage(message)

function receive(thread: Thread, message: FromThread): void {
  const job = thread.jobs.get(message.job)
  if (!job) return
  if (message.kind === 'done') job.done(message.value)
  else if (message.kind === 'failed') job.fail(errorOf(message))
  else {
    const { job: number, call, asked } = message
    answer(job, asked)
      // At once, as a column that is named may be dropped by whoever comes next.
      .then(giving =>
        post(thread, { kind: 'answer', job: number, call, value: giving(thread), rests: thread.isBusy() }),
      )
      .catch(job.fail)
  }
}

function errorOf({ name, message, fault }: Extract<FromThread, { kind: 'failed' }>): Error {
  if (fault) return new QueryError(fault)
  return name === TooManyDifferent.name ? new TooManyDifferent(message) : new Error(message)
}

/** @returns what makes the answer for a thread */
async function answer({ supply, readings }: Job, asked: Call): Promise<(thread: Thread) => unknown> {
  if (asked.of === 'fits') {
    const fitting = await supply.fits(asked.leaf, asked.values)
    return () => fitting
  }
  if (asked.of === 'open') {
    const more = inGroups(supply.blocks(asked.names, asked.from))
    readings.push({ names: new Set(asked.names), next: ahead(more), more })
    const number = readings.length - 1
    return () => number
  }
  const reading = readings[asked.reading]
  if (!reading) throw new Error('there is no such reading')
  const blocks = await reading.next
  if (blocks.length > 0) reading.next = ahead(reading.more)
  return thread => blocks.map(block => toSend(thread, block, reading.names))
}

/** Begun before somebody waits for it, who hears of it when it has failed. */
function ahead<T>(begin: () => Promise<T>): Promise<T> {
  const begun = begin()
  begun.catch(() => {})
  return begun
}

/** Some at a time; none at the end. */
function inGroups(blocks: AsyncIterable<Block>): () => Promise<Block[]> {
  const iterator = blocks[Symbol.asyncIterator]()
  return async () => {
    const group: Block[] = []
    while (group.length < TOGETHER) {
      const { value, done } = await iterator.next()
      if (done) break
      group.push(value)
    }
    return group
  }
}

function toSend({ sent }: Thread, { columns, ...block }: Block, names: ReadonlySet<ColumnName>): SentBlock {
  const sending: SentColumn[] = []
  for (const [name, column] of columns) {
    if (!names.has(name)) continue
    const { key } = column
    if (key !== undefined && sent.has(key)) sending.push([name, key])
    else {
      if (key !== undefined) sent.add(key)
      sending.push([name, column])
    }
  }
  return { ...block, columns: sending }
}
