import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startCollector, type TestCollector } from '../fixtures/collector.ts'
import { LINKS, makeMailing, mint } from './sending.ts'

let it: TestCollector
beforeAll(async () => {
  it = await startCollector()
})
afterAll(() => it.close())

const N = 100_000
/** Requests in one piece. */
const PIECE = 200

/** mulberry32: the same numbers for the same seed. */
function random(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** Those whose headers are all there, as they came, with the headers in small letters. */
function readResponses(text: string): { status: number; head: string }[] {
  return text
    .split(/(?=HTTP\/1\.1 \d{3} )/)
    .filter(part => part.startsWith('HTTP/1.1') && part.includes('\r\n\r\n'))
    .map(part => ({ status: Number(part.slice(9, 12)), head: (part.split('\r\n\r\n')[0] ?? '').toLowerCase() }))
}

test('100,000 random and mutated tokens and queries: an image, or a plain 404', { timeout: 600_000 }, async () => {
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
  const below = random(seed)
  const [anna] = await mint(it, await makeMailing(it), ['anna'])
  const good = [anna?.pixel ?? '', ...(anna?.links ?? [])]
  // All that may stand in a request's first line.
  const character = () => String.fromCharCode(0x21 + below(0x7e - 0x21))
  const noise = (most: number) => Array.from({ length: below(most) }, character).join('')
  const path = (): string => {
    const genuine = good[below(good.length)] ?? ''
    if (below(3) === 0) return below(2) ? `/p/${noise(80)}.gif` : `/l/${noise(80)}`
    const chars = [...genuine]
    for (let changes = 1 + below(3); changes > 0; changes--) {
      const at = 3 + below(chars.length - 3)
      const kind = below(4)
      if (kind === 0) chars[at] = character()
      else if (kind === 1) chars.splice(at, 1 + below(5))
      else if (kind === 2) chars.splice(at, 0, character())
      else chars[at] = 'Aa0-_'[below(5)] ?? ''
    }
    const changed = chars.join('')
    return below(2) ? changed : `${changed}?${noise(200)}`
  }
  const address = new URL(it.url)
  const socket = connect(Number(address.port), address.hostname)
  socket.setEncoding('latin1')
  const token = (text: string) => /^\/[pl]\/([^/?]*?)(?:\.gif)?(?:\?|$)/.exec(text)?.[1]
  const isGenuine = (text: string) =>
    good.some(one => one.slice(0, 3) === text.slice(0, 3) && token(one) === token(text))
  let redirects = 0
  try {
    for (let done = 0; done < N; done += PIECE) {
      const paths = Array.from({ length: PIECE }, path)
      socket.write(paths.map(one => `GET ${one} HTTP/1.1\r\nhost: x\r\nuser-agent: fuzz\r\n\r\n`).join(''))
      let text = ''
      for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
        text += chunk
        if (readResponses(text).length === PIECE) break
      }
      for (const [i, { status, head }] of readResponses(text).entries()) {
        const asked = paths[i] ?? ''
        const context = `SEED=${seed} ${asked}`
        const location = /\r\nlocation: (.*)/.exec(head)?.[1]
        if (location !== undefined) {
          redirects++
          expect(isGenuine(asked), context).toBe(true)
          expect(LINKS, context).toContain(location)
        } else if (/^\/p\/[^/?]*\.gif(?:\?|$)/.test(asked)) {
          expect([status, /content-type: image\/gif/.test(head)], context).toEqual([200, true])
          expect(/x-livetag: token-invalid/.test(head) || isGenuine(asked), context).toBe(true)
        } else expect(status, context).toBe(404)
      }
    }
  } finally {
    socket.destroy()
  }
  // A change to what is there already leaves a link as it was.
  expect(redirects).toBeLessThan(N / 10)
  expect((await fetch(`${it.url}/healthz`)).status).toBe(200)
})
