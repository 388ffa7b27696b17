/** One marked event through the whole path of a collector, each step timed. */
import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Envelope } from '../../tag/wire.ts'
import { DOCTOR_SITE } from '../sites/index.ts'
import type { Oplog } from '../status/index.ts'
import type { Running } from './running.ts'

export interface Step {
  ok: boolean
  /** how long it took, ms; `live` and `stored` count from the moment at which the collector had received the event */
  ms: number
  error?: string
}

export interface Report {
  ok: boolean
  collector: 'running' | 'temporary'
  steps: Record<string, Step>
  /** how far back MongoDB's oplog reaches, in which deleted salts can still be read; null where it is not known */
  oplog: Oplog | null
}

/** How long each step is waited for, ms. */
const PATIENCE_MS = 10_000

export async function examine(running: Running, collector: Report['collector']): Promise<Report> {
  const steps: Record<string, Step> = {}
  let sent = 0
  const step = async (name: string, from: () => number, action: () => Promise<unknown>): Promise<boolean> => {
    const started = performance.now()
    try {
      await within(action(), name)
      steps[name] = { ok: true, ms: since(from() || started) }
      return true
    } catch (error) {
      steps[name] = { ok: false, ms: since(started), error: (error as Error).message }
      return false
    }
  }
  const now = () => performance.now()
  const id = `doctor-${randomBytes(8).toString('hex')}`
  const stop = new AbortController()
  try {
    await step(
      'ready',
      () => 0,
      () => running.ask('/readyz'),
    )
    let stream: AsyncGenerator<string> | undefined
    await step(
      'joined',
      () => 0,
      async () => {
        stream = messages(await running.ask(`/api/v2/live?site=${DOCTOR_SITE}`, { signal: stop.signal }))
        await findMessage(stream, 'event: snapshot')
      },
    )
    const live = stream && findMessage(stream, id)
    live?.catch(() => {})
    sent = now()
    const accepted = await step(
      'accepted',
      () => sent,
      () => send(running, id),
    )
    if (accepted) {
      if (live)
        await step(
          'live',
          () => sent,
          () => live,
        )
      await step(
        'stored',
        () => sent,
        () => waitStored(running, id),
      )
    }
  } finally {
    stop.abort()
  }
  const oplog = await readOplog(running)
  return {
    oplog,
    ok: ['ready', 'joined', 'accepted', 'live', 'stored'].every(name => steps[name]?.ok),
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

async function send(running: Running, id: string): Promise<void> {
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
}

async function waitStored(running: Running, id: string): Promise<void> {
  const until = performance.now() + PATIENCE_MS
  while (performance.now() < until) {
    const { stored } = (await (await running.ask(`/api/v2/doctor/${id}`)).json()) as { stored: number }
    if (stored === 1) return
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

async function findMessage(stream: AsyncGenerator<string>, text: string): Promise<void> {
  // Not `for await`: leaving that loop would end the stream.
  for (;;) {
    const { value, done } = await stream.next()
    if (done) throw new Error('the live stream ended')
    if (value.includes(text)) return
  }
}

async function within<T>(action: Promise<T>, name: string): Promise<T> {
  const timer = new AbortController()
  const late = pause(PATIENCE_MS, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`${name} took more than ${PATIENCE_MS / 1000} s`)
  })
  late.catch(() => {})
  try {
    return await Promise.race([action, late])
  } finally {
    timer.abort()
  }
}

const since = (from: number): number => Math.round((performance.now() - from) * 10) / 10
