/** `npm run bench -- --burst`: 1,000,000 events as fast as they are taken, then until all of them are counted. */
import { readFileSync } from 'node:fs'
import { envelope } from './batches.mjs'
import { load, requestText } from './client.mjs'

const EVENTS = 1_000_000
const BATCH = 20

export async function measureBurst({ url, pid }, { journal, settled }) {
  let left = EVENTS / BATCH
  const started = performance.now()
  const request = () => {
    left--
    return requestText(url, 'POST', '/e', envelope())
  }
  const { perSecond, p99Ms } = await load({
    url,
    connections: 32,
    ms: Number.POSITIVE_INFINITY,
    more: () => left > 0,
    request,
  })
  const accepted = (performance.now() - started) / 1000
  const open = await journal.countDocuments({ state: 'open' })
  const peak = peakMemory(pid)
  await settled()
  return {
    events: EVENTS,
    acknowledgedPerSecond: perSecond * BATCH,
    p99Ms,
    openPages: open,
    peakMemoryMiB: Math.max(peak, peakMemory(pid)),
    settledAfterSeconds: (performance.now() - started) / 1000 - accepted,
  }
}

/** Highest resident memory of a process so far, MiB; only Linux tells. */
function peakMemory(pid) {
  try {
    return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024)
  } catch {
    return Number.NaN
  }
}
