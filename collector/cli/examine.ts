/** One marked event through the whole path of a collector, each step timed. */
import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Envelope } from '../../tag/wire.ts'
import type { Condition } from '../api.ts'
import { NOT_READY } from '../readiness.ts'
import { DOCTOR_SITE } from '../sites/index.ts'
import type { Oplog } from '../status/index.ts'
import { within } from '../within.ts'
import { adviceOnDisk, adviceOnFence, adviceOnPlaces, adviceOnTransactions, askReady, type Ready } from './advice.ts'
import type { Running } from './running.ts'

export interface Step {
  /** false with an error, and with a warning */
  ok: boolean
  /** how long it took, ms; `live` and `stored` count from the moment at which the collector had received the event */
  ms: number
  /** why the path is broken */
  error?: string
  /** why it should be better, though all arrives */
  warning?: string
}

export interface Report {
  /** whether the path works; warnings don't count */
  ok: boolean
  collector: 'running' | 'temporary'
  steps: Record<string, Step>
  /** how far back MongoDB's oplog reaches, in which deleted salts can still be read; null where it is not known */
  oplog: Oplog | null
  /** the database by which visitors are placed; null where there is none */
  places: Condition['places']
}

/** How long each step is waited for, ms. */
const PATIENCE_MS = 10_000

/** Without one of these the path is broken. */
const PATH = ['ready', 'joined', 'accepted', 'live', 'stored']

export async function examine(running: Running, collector: Report['collector']): Promise<Report> {
  const steps: Record<string, Step> = {}
  /** @param action gives back what to warn of */
  const step = async (name: string, action: () => Promise<string | undefined>, from?: number): Promise<boolean> => {
    const started = performance.now()
    try {
      const warning = await within(action(), PATIENCE_MS, name)
      const ms = since(from ?? started)
      steps[name] = warning === undefined ? { ok: true, ms } : { ok: false, ms, warning }
      return true
    } catch (error) {
      steps[name] = { ok: false, ms: since(started), error: (error as Error).message }
      return false
    }
  }
  const id = `doctor-${randomBytes(8).toString('hex')}`
  const stop = new AbortController()
  let places: Condition['places'] = null
  try {
    let ready: Ready | undefined
    await step('ready', async () => {
      ready = await askReady(running)
      if (ready.why) throw new Error(NOT_READY[ready.why])
      return undefined
    })
    if (ready) {
      const { fenced } = ready
      await step('fence', async () => adviceOnFence(fenced))
    }
    let server: Condition | undefined
    await step('disk', async () => {
      server = (await (await running.ask('/api/v2/doctor')).json()) as Condition
      return adviceOnDisk(server)
    })
    const { transactions = null } = server ?? {}
    places = server?.places ?? null
    if (transactions !== null) await step('transactions', async () => adviceOnTransactions(transactions))
    if (places) {
      const found = places
      await step('places', async () => adviceOnPlaces(found, Date.now()))
    }
    let stream: AsyncGenerator<string> | undefined
    await step('joined', async () => {
      stream = messages(await running.ask(`/api/v2/live?site=${DOCTOR_SITE}`, { signal: stop.signal }))
      return await findMessage(stream, 'event: snapshot')
    })
    const live = stream && findMessage(stream, id)
    live?.catch(() => {})
    const sent = performance.now()
    if (await step('accepted', () => send(running, id), sent)) {
      if (live) await step('live', () => live, sent)
      await step('stored', () => waitStored(running, id), sent)
    }
  } finally {
    stop.abort()
  }
  const oplog = await readOplog(running)
  return {
    oplog,
    places,
    ok: PATH.every(name => steps[name]?.ok),
    collector,
    steps,
  }
}

/** No step of an event: where it can't be had, nothing is wrong with the path. */
async function readOplog(running: Running): Promise<Oplog | null> {
  try {
    return ((await (await running.ask('/api/v2/doctor/oplog')).json()) as { oplog: Oplog | null }).oplog
  } catch {
    return null
  }
}

async function send(running: Running, id: string): Promise<undefined> {
  const envelope: Envelope = {
    s: DOCTOR_SITE,
    t: Date.now(),
    w: randomBytes(8).toString('hex'),
    p: { u: `${running.url}/doctor` },
    c: 'x',
    e: [{ n: 'doctor', q: 0, t: 0, id }],
  }
  const response = await running.ask('/e?debug', {
    method: 'POST',
    body: JSON.stringify(envelope),
    headers: { 'content-type': 'text/plain' },
  })
  const { accepted, rejected } = (await response.json()) as { accepted: number; rejected: { reason: string }[] }
  if (accepted !== 1) throw new Error(`the event was rejected: ${rejected.map(({ reason }) => reason).join(', ')}`)
  return undefined
}

async function waitStored(running: Running, id: string): Promise<undefined> {
  const until = performance.now() + PATIENCE_MS
  while (performance.now() < until) {
    const { stored } = (await (await running.ask(`/api/v2/doctor/${id}`)).json()) as { stored: number }
    if (stored === 1) return undefined
    if (stored > 1) throw new Error(`the event is in the time-series ${stored} times`)
    await pause(20)
  }
  throw new Error('the event did not reach the time-series')
}

async function* messages(response: Response): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let text = ''
  if (!response.body) return
  for await (const chunk of response.body) {
    text += decoder.decode(chunk as Uint8Array, { stream: true })
    const parts = text.split('\n\n')
    text = parts.pop() ?? ''
    yield* parts
  }
}

async function findMessage(stream: AsyncGenerator<string>, text: string): Promise<undefined> {
  // Not `for await`: leaving that loop would end the stream.
  for (;;) {
    const { value, done } = await stream.next()
    if (done) throw new Error('the live stream ended')
    if (value.includes(text)) return undefined
  }
}

const since = (from: number): number => Math.round((performance.now() - from) * 10) / 10
