/** Events a second in batches of 20, each acknowledged when it is on disk. */
import { randomBytes } from 'node:crypto'
import { load, requestText } from './client.mjs'

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
  const request = () => requestText(url, 'POST', '/e', envelope())
  const { perSecond, p50Ms, p99Ms } = await load({ url, connections: 32, ms: SECONDS * 1000, request })
  return { eventsPerSecond: perSecond * BATCH, p50Ms, p99Ms }
}
