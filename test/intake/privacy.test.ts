import { fileURLToPath } from 'node:url'
import { BSON } from 'mongodb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createLog } from '../../collector/log.ts'
import { envelope, startCollector, type TestCollector } from '../fixtures/collector.ts'

const ADDRESSES = [
  ...['203.0.113.77', '198.51.100.201', '2001:db8:1:2:3:4:5:6', '2001:db8:7::beef'],
  // These two are in London and San Diego, for the database of places.
  ...['81.2.69.142', '2001:480:10::beef'],
]
const PLACES = fileURLToPath(new URL('../fixtures/mmdb/GeoLite2-City-Test.mmdb', import.meta.url))
/** As they are hashed for cookieless visitors, and never stored. */
const NETWORKS = ['203.0.113', '198.51.100', '2001:db8:1:', '2001:db8:7:', '81.2.69', '2001:480:10:']
const HOPS = [
  ...ADDRESSES.map(address => `6.6.6.6, ${address}`),
  `[${ADDRESSES[2]}]:4711`,
  `${ADDRESSES[0]}:80`,
  `unknown, ${ADDRESSES[3]}`,
]

const lines: string[] = []
const log = createLog('trace', { write: line => void lines.push(line) })
let behindProxy: TestCollector
let alone: TestCollector
beforeAll(async () => {
  behindProxy = await startCollector({
    log,
    trustProxy: ['127.0.0.0/8'],
    geo: PLACES,
    sites: [{ place: 'city' }, { key: 'counts', consent: 'cookieless', place: 'city' }],
  })
  alone = await startCollector({ log })
})
afterAll(() => Promise.all([behindProxy.close(), alone.close()]))

test('neither the address nor its network is in any document of the database or any line of the log', async () => {
  for (const { url, db, send, ask, settled, collector } of [behindProxy, alone]) {
    for (const hop of HOPS) {
      const headers = { 'x-forwarded-for': hop, forwarded: `for="${hop}"`, 'x-real-ip': hop }
      const cookieless = envelope([{}], { s: 'counts', c: 'l' })
      const bodies = ['broken', envelope(), envelope([{ n: '' }]), envelope([], { s: 'nobody' }), cookieless]
      for (const body of bodies) await send(body, headers)
      for (const query of ['?site=shop', '?site=nobody', '?site=shop&event='])
        await fetch(`${url}/p.gif${query}`, { headers })
      for (const path of ['/', '/login', '/t/shop.js', '/api/v2/sites', '/nothing/%E0%A4%A', '/api/v2/stats?site=shop'])
        await ask(path, { headers })
      await fetch(`${url}/api/v2/sites`, { headers })
    }
    await settled()
    await collector.close()
    const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name)
    expect(names).toContain('events')
    let documents = 0
    for (const name of names) {
      for await (const document of db.collection(name).find()) {
        documents++
        const bytes = Buffer.from(BSON.serialize(document))
        for (const trace of [...ADDRESSES.flatMap(tracesOf), ...NETWORKS])
          expect(bytes.includes(trace), `${name} holds ${trace}`).toBe(false)
      }
    }
    expect(documents).toBeGreaterThan(HOPS.length * 4)
    if (db === behindProxy.db) {
      // Six networks, though ten hops: they were taken from the header, cut, and hashed.
      const visitors = await db.collection('events').distinct('visitor', { consent: 'l' })
      expect(visitors).toHaveLength(6)
      // Whole they were only looked up.
      const cities = await db.collection('events').distinct('city')
      expect(cities.toSorted()).toEqual(['London', 'San Diego'])
    }
  }
  const text = lines.join('')
  expect(text).toContain('"reason":"site-unknown"')
  for (const trace of [...ADDRESSES, ...NETWORKS, '6.6.6', '127.0.0']) expect(text).not.toContain(trace)
})

test('what a URL tells of its reader is in no document, whatever sent the URL', async () => {
  const it = await startCollector({ sites: [{ query: ['q'] }] })
  const secrets = ['jane.doe', 'hunter2', 'd41d8cd98f00b204e9800998ecf8427e', 'blue-shoes']
  const url = `https://me:${secrets[1]}@shop.example/u/${secrets[0]}@mail.example/${secrets[2]}?q=kept&find=${secrets[3]}#${secrets[1]}`
  const place = `site=shop&url=${encodeURIComponent(url)}&ref=${encodeURIComponent(url)}`
  try {
    await it.deliver(envelope([{}], { p: { u: url, r: url.replace('shop', 'news') } }))
    await it.deliver(envelope([{}], { p: { u: url.slice('https:'.length) } }))
    await fetch(`${it.url}/p.gif?site=shop`, { headers: { referer: url } })
    await fetch(`${it.url}/p.gif?${place}`)
    await it.settled()
    const names = (await it.db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name)
    const documents = await Promise.all(names.map(name => it.db.collection(name).find().toArray()))
    const text = JSON.stringify(documents)
    expect(await it.db.collection('events').countDocuments({ url: 'https://shop.example/u/*/*?q=kept' })).toBe(3)
    for (const secret of secrets) expect(text).not.toContain(secret)
  } finally {
    await it.close()
  }
})

/** The address as text and as the four bytes of which it is made. */
function tracesOf(address: string): (string | Buffer)[] {
  return address.includes(':') ? [address] : [address, Buffer.from(address.split('.').map(Number))]
}
