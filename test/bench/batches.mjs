/** Events a second in batches of 20, each acknowledged when it is on disk. */
import { randomBytes } from 'node:crypto'
import autocannon from 'autocannon'

const BATCH = 20
const SECONDS = 8

const id = () => [...randomBytes(16)].map(byte => (byte % 36).toString(36)).join('')
const pages = Array.from({ length: 50 }, (_, i) => `https://shop.example/p/${i}`)
const names = ['pageview', 'click', 'scroll', 'add_to_cart']

/** As the tag sends it, granted. */
export function envelope(site = 'demo') {
  const e = Array.from({ length: BATCH }, (_, q) => ({
    n: names[q % names.length],
    q,
    t: q * 10,
    d: { n: q, label: 'Some text' },
  }))
  const page = { u: pages[Math.floor(Math.random() ** 2 * pages.length)], ti: 'A page', vw: 1280, l: 'en' }
  return JSON.stringify({ s: site, t: Date.now(), w: id(), p: page, c: 'g', i: id(), k: id(), e })
}

export async function measureBatches({ url }) {
  const result = await autocannon({
    url: `${url}/e`,
    connections: 32,
    duration: SECONDS,
    method: 'POST',
    headers: {
      'content-type': 'text/plain',
      'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    },
    requests: [{ setupRequest: request => ({ ...request, body: envelope() }) }],
  })
  if (result.non2xx > 0) throw new Error(`${result.non2xx} batches were refused`)
  return {
    eventsPerSecond: (result['2xx'] * BATCH) / result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
  }
}
