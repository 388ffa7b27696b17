/** From the collector's receipt of an event to its arrival at each of 20 viewers. */
import { setTimeout as pause } from 'node:timers/promises'

const VIEWERS = 20
const EVENTS = 200

export async function measureLive({ url, key }) {
  const latencies = []
  const stop = new AbortController()
  const joined = []
  for (let i = 0; i < VIEWERS; i++) {
    const response = await fetch(`${url}/api/v2/live?site=demo`, {
      headers: { authorization: `Bearer ${key}` },
      signal: stop.signal,
    })
    joined.push(watch(response, latencies).catch(() => {}))
  }
  await pause(500)
  latencies.length = 0
  for (let n = 0; n < EVENTS; n++) {
    await fetch(`${url}/p.gif?site=demo&event=bench_live&consent=g&n=${n}`)
    await pause(20)
  }
  const until = Date.now() + 5_000
  while (latencies.length < VIEWERS * EVENTS && Date.now() < until) await pause(20)
  stop.abort()
  await Promise.all(joined)
  if (latencies.length !== VIEWERS * EVENTS)
    throw new Error(`${VIEWERS * EVENTS - latencies.length} live events did not arrive`)
  latencies.sort((a, b) => a - b)
  const at = share => latencies[Math.floor(latencies.length * share)]
  return { viewers: VIEWERS, messages: latencies.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: latencies.at(-1) }
}

async function watch(response, latencies) {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body) {
    const now = Date.now()
    text += decoder.decode(chunk, { stream: true })
    const messages = text.split('\n\n')
    text = messages.pop()
    for (const message of messages.filter(part => part.startsWith('event: tick'))) {
      const { events } = JSON.parse(message.slice(message.indexOf('data: ') + 6))
      for (const { name, received } of events) if (name === 'bench_live') latencies.push(now - received)
    }
  }
}
