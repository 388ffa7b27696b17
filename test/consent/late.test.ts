/** Where IAB's APIs are not there when the tag starts, or not in its page. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { browserOrSkip } from '../fixtures/browser.ts'
import { openShop, type Shop } from '../tag/shop.ts'

const browser = await browserOrSkip()
let shop: Shop
afterEach(() => shop?.close())
afterAll(() => browser?.close())

/** A CMP in a page: `answer` tells its listeners, those in frames by messages, as TCF's specification has it. */
const CMP = `(() => {
  const listeners = []
  let data = { eventStatus: 'cmpuishown', gdprApplies: true, tcString: '', purpose: { consents: {} }, vendor: { consents: {} } }
  window.__tcfapi = (command, version, hear) => { listeners.push(hear); hear(data, true) }
  addEventListener('message', ({ data, source }) => {
    const call = data?.__tcfapiCall
    if (call) __tcfapi(call.command, call.version, (returnValue, success) =>
      source.postMessage({ __tcfapiReturn: { returnValue, success, callId: call.callId } }, '*'))
  })
  window.answer = yes => {
    data = { ...data, tcString: 'CP', eventStatus: 'useractioncomplete', purpose: { consents: yes ? { 1: true, 8: true, 9: true } : {} } }
    for (const hear of listeners) hear(data, true)
  }
})()`
const LOCATOR = '<iframe name=__tcfapiLocator hidden></iframe>'
const arrived = (count: number) =>
  vi.waitFor(() => expect(shop.events('consent')).toHaveLength(count), { timeout: 10_000 })

describe.skipIf(!browser)('TCF', () => {
  it('is heard where its stub comes after the tag', async () => {
    shop = await openShop({ options: { mode: 'required' } })
    const page = await browser?.newPage()
    await page?.goto(shop.url)
    await page?.waitForFunction(() => 'track' in (window.livetag ?? {}))
    await page?.evaluate(CMP)
    await page?.evaluate('answer(true)')
    await arrived(1)
    await page?.evaluate('answer(false)')
    await arrived(2)
    expect(shop.posts.map(({ body }) => body.c)).toEqual(['g', 'd'])
    await page?.close()
  })

  it('is heard in a frame, from a page of another origin around it', async () => {
    shop = await openShop({ options: { mode: 'required' } })
    const around = createServer((_, response) =>
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end(`<!doctype html>${LOCATOR}<script>${CMP}</script><iframe id=shop src="${shop.url}"></iframe>`),
    ).listen(0, '127.0.0.1')
    await once(around, 'listening')
    const page = await browser?.newPage()
    await page?.goto(`http://127.0.0.1:${(around.address() as AddressInfo).port}`)
    await page
      ?.frames()
      .at(-1)
      ?.waitForFunction(() => 'track' in (window.livetag ?? {}))
    expect(shop.posts).toEqual([])
    await page?.evaluate('answer(true)')
    await arrived(1)
    expect(shop.posts[0]?.body).toMatchObject({
      c: 'g',
      e: [{ n: 'pageview' }, { n: 'consent', d: { signal: 'tcf' } }],
    })
    await page?.evaluate('answer(false)')
    await arrived(2)
    expect(shop.posts.at(-1)?.body.c).toBe('d')
    await page?.close()
    around.closeAllConnections()
    around.close()
  })
})
