import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, BlockList, connect } from 'node:net'
import { expect, test } from 'vitest'
import { createIntake } from '../../collector/intake/index.ts'
import type { JournalEvent } from '../../collector/journal/index.ts'
import { createLog } from '../../collector/log.ts'
import type { Site } from '../../collector/sites/index.ts'
import { envelope } from '../fixtures/collector.ts'

const SITE: Site = { key: 'shop', domain: 'shop.example', consent: 'cookieless', timezone: 'UTC' }
const BODY = JSON.stringify(envelope([{}], { c: 'l' }))
const POST = `POST /e HTTP/1.1\r\nHost: x\r\nUser-Agent: one\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`

/** Node 20 has no `Promise.withResolvers`. */
function resolvable() {
  let resolve = () => {}
  const promise = new Promise<void>(done => {
    resolve = done
  })
  return { promise, resolve }
}

test('who leaves while a salt is loaded is the visitor that they are otherwise: the address is not forgotten', async () => {
  const taken: JournalEvent[] = []
  const salt = Buffer.alloc(32, 7)
  let loaded = false
  /** resolves when a salt is asked for, and its loading waits until the client is gone */
  const asked = resolvable()
  const gone = resolvable()
  const intake = createIntake({
    journal: { append: async events => void taken.push(...events) },
    sites: { get: () => SITE, cookieDomains: () => [] },
    rejects: { add() {} },
    places: { find: () => ({}) },
    salts: {
      find: () => (loaded ? salt : { id: 'a day', expires: 0 }),
      async load() {
        asked.resolve()
        await gone.promise
        loaded = true
      },
    },
    trustProxy: new BlockList(),
    log: createLog('silent'),
    clock: Date.now,
  })
  const server = createServer((request, response) => {
    request.socket.once('close', () => gone.resolve())
    intake(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  try {
    const leaving = connect(port, '127.0.0.1')
    leaving.on('error', () => {})
    leaving.write(POST)
    await asked.promise
    leaving.destroy()
    await gone.promise
    const staying = connect(port, '127.0.0.1')
    staying.write(POST)
    await once(staying, 'data')
    staying.destroy()
    expect(taken).toHaveLength(2)
    expect(taken[0]?.visitor).toMatch(/^~/)
    expect(taken[1]?.visitor).toBe(taken[0]?.visitor)
  } finally {
    server.close()
  }
})
