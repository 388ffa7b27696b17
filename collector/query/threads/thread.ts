/** A thread that scans columns: what it reads it asks for, one block after the other. */
import { readlinkSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { basename } from 'node:path'
import { parentPort } from 'node:worker_threads'
import type { Block, Column, ColumnName } from '../../columns/index.ts'
import type { Leaf } from '../filter.ts'
import { QueryError } from '../query.ts'
import { doWork, type Supply, type Work } from '../scanning.ts'
import type { Call, FromThread, SentBlock, ToThread } from './messages.ts'

if (!parentPort) throw new Error('this is a thread: start it as one')
const port = parentPort
giveWay()

/** The taking of events comes first. A thread has a priority of its own on Linux alone, where it is named like a process. */
function giveWay(): void {
  try {
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), constants.priority.PRIORITY_LOW)
  } catch {
    // Elsewhere all threads share one.
  }
}

/** Longest rest, ms. */
const REST_MS = 20
const asleep = new Int32Array(new SharedArrayBuffer(4))
let rested = performance.now()
/**
 * As long as the last one is ago, in which it worked, or waited. What is scanned streams through the memory that all cores
 * share: without rests events were taken at 0.74 of the rate at which they are taken alone (`npm run bench -- reports`, 50
 * million).
 */
function rest(): void {
  Atomics.wait(asleep, 0, 0, Math.min(REST_MS, performance.now() - rested))
  rested = performance.now()
}

const send = (message: FromThread): void => port.postMessage(message)

/** Columns that were sent, by key. */
const columns = new Map<number, Column>()
interface Waiting {
  resolve(value: unknown): void
  reject(error: Error): void
}
const jobs = new Map<number, Map<number, Waiting>>()
let calls = 0

const call = (job: number, asked: Call): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const waiting = jobs.get(job)
    if (!waiting) return reject(new Error('nobody waits for it any more'))
    const call = ++calls
    waiting.set(call, { resolve, reject })
    send({ kind: 'call', job, call, asked })
  })

const supplyOf = (job: number): Supply => ({
  fits: async (leaf: Leaf, values: string[]) => (await call(job, { of: 'fits', leaf, values })) as ReadonlySet<string>,
  async *blocks(names: readonly ColumnName[], from: number) {
    const reading = (await call(job, { of: 'open', names, from })) as number
    for (;;) {
      const some = (await call(job, { of: 'next', reading })) as Block[]
      if (some.length === 0) return
      yield* some
    }
  },
})

async function run(job: number, work: Work): Promise<void> {
  jobs.set(job, new Map())
  try {
    const value = await doWork(work, supplyOf(job))
    send({ kind: 'done', job, value })
  } catch (error) {
    const { name, message } = error as Error
    const fault = error instanceof QueryError ? error.fault : undefined
    send({ kind: 'failed', job, name, message, fault })
  } finally {
    jobs.delete(job)
  }
}

/** At once, as what a message names may be dropped by the next one. */
const restored = ({ columns: sent, ...block }: SentBlock): Block => ({
  ...block,
  columns: new Map(
    sent.map(([name, column]) => {
      if (typeof column === 'number') return [name, columns.get(column) as Column]
      if (column.key !== undefined) columns.set(column.key, column)
      return [name, column]
    }),
  ),
})

const isBlocks = (value: unknown): value is SentBlock[] => Array.isArray(value)

port.on('message', (message: ToThread) => {
  switch (message.kind) {
    case 'work':
      run(message.job, message.work)
      return
    case 'answer': {
      const { job, call, value, rests } = message
      if (rests) rest()
      const waiting = jobs.get(job)?.get(call)
      jobs.get(job)?.delete(call)
      const read = isBlocks(value) ? value.map(restored) : value
      waiting?.resolve(read)
      return
    }
    case 'stop': {
      const waiting = jobs.get(message.job)
      jobs.delete(message.job)
      for (const { reject } of waiting?.values() ?? []) reject(new Error('nobody waits for it any more'))
      return
    }
    case 'drop':
      for (const key of message.keys) columns.delete(key)
  }
})
