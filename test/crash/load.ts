/** A client that sends batches of events, as many tags would, and writes down what was acknowledged. */
import type { Envelope } from '../../tag/wire.ts'
import { pageViewId } from '../fixtures/collector.ts'

export interface LoadOptions {
  url: string
  site: string
  random: () => number
  /** batches sent at the same time */
  clients: number
  /** events a batch */
  batch: number
  /** share of the batches that are sent twice */
  twice: number
}

export interface Load {
  /** ids of acknowledged events */
  readonly acknowledged: Set<string>
  /** ids of all events that were ever sent */
  readonly sent: Set<string>
  /** answers by status; 0 = no answer */
  readonly statuses: Map<number, number>
  /** Sends nothing new, and what was refused until it is taken. */
  finish(): Promise<void>
}

export function startLoad({ url, site, random, clients, batch, twice }: LoadOptions): Load {
  const acknowledged = new Set<string>()
  const sent = new Set<string>()
  const statuses = new Map<number, number>()
  let finishing = false

  const envelope = (visitor: string, session: string): Envelope => {
    const w = pageViewId()
    const names = ['pageview', 'click', 'scroll', 'add_to_cart']
    const page = { u: `https://shop.example/p/${Math.floor(random() ** 3 * 50)}`, ti: 'A page', vw: 1280 }
    const e = Array.from({ length: batch }, (_, q) => ({
      n: q === 0 ? 'pageview' : (names[Math.floor(random() * names.length)] ?? 'click'),
      q,
      t: Math.floor(random() * 60_000),
      d: { n: q },
    }))
    return { s: site, t: Date.now(), w, p: page, c: 'x', i: visitor, k: session, e }
  }
  const post = async (body: string): Promise<number> => {
    const status = await fetch(`${url}/e`, { method: 'POST', body, headers: { 'content-type': 'text/plain' } }).then(
      response => response.arrayBuffer().then(() => response.status),
      () => 0,
    )
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
    return status
  }
  const deliver = async (body: string): Promise<void> => {
    // As the tag does: until it is taken, with a growing pause.
    for (let wait = 50; ; wait = Math.min(wait * 2, 1_000)) {
      if ((await post(body)) === 204) return
      await new Promise(resolve => setTimeout(resolve, wait * (0.5 + random() / 2)))
    }
  }
  const client = async (): Promise<void> => {
    const [visitor, session] = [pageViewId(), pageViewId()]
    while (!finishing) {
      const one = envelope(visitor, session)
      const ids = one.e.map(({ q }) => `${one.w}.${q}`)
      for (const event of ids) sent.add(event)
      const body = JSON.stringify(one)
      await Promise.all(random() < twice ? [deliver(body), deliver(body)] : [deliver(body)])
      for (const event of ids) acknowledged.add(event)
    }
  }
  const running = Promise.all(Array.from({ length: clients }, client))
  return {
    acknowledged,
    sent,
    statuses,
    async finish() {
      finishing = true
      await running
    },
  }
}
