/**
 * What a tag costs the main thread of a page, CPU time of a machine a quarter as fast as this one. Slowing down keeps a thread
 * busy also where it waits within a task (for a cookie, say, or for its turn on a busy machine), so that counts, too: figures
 * of two runs are not comparable, and at full speed (`SLOWER=1`) it does not count.
 *
 * Pages are driven over a protocol session of their own: the browser library would have the page report each request, and
 * that would be counted as the tag's.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { runnerImport } from 'vite'

const SLOWER = Number(process.env.SLOWER ?? 4)
const EVENTS = 200
/** So many calls in a row. A page may have 64 KB of keepalive requests in flight; 200 of some tags are more. It is one request of livetag's. */
const BURST = 20
/** empty scripts */
const WARM_UP = 2
/** After the last request has arrived, until its answer has been dealt with; ms */
const SETTLE = 100

export async function openBrowser() {
  const { module } = await runnerImport(fileURLToPath(new URL('../../fixtures/browser.ts', import.meta.url)))
  const browser = await module.launchBrowser()
  const root = await browser.newBrowserCDPSession()
  return { version: browser.version(), root, close: () => browser.close() }
}

/**
 * One page load in a profile of its own.
 * @param withEvents whether events are tracked, too, which takes longer than all else
 * @returns CPU ms of the tag's start, and of each of its events
 */
export async function measurePage({ root }, server, name, tag, withEvents) {
  const { browserContextId } = await root.send('Target.createBrowserContext')
  let page
  try {
    const { targetId } = await root.send('Target.createTarget', { url: 'about:blank', browserContextId })
    page = await attach(root, targetId)
    await open(page, server.url)
    // A page's first scripts cost much more than any later one, whatever is in them.
    for (let i = 0; i < WARM_UP; i++) await page.evaluate(insert('/tag/none', {}))
    const load = server.begin(tag)

    const start = await cost(page, async () => {
      await page.evaluate(insert(`/tag/${name}`, tag.attributes(`${server.url}/in/${load}`)))
      await server.arrived(load, 1, 0)
    })
    if (!withEvents) return { start }
    const events = await cost(page, async () => {
      for (let sent = BURST; sent <= EVENTS; sent += BURST) {
        await page.evaluate(`for (let i = 0; i < ${BURST}; i++) { ${tag.call} }`)
        await server.arrived(load, 1, sent)
        await pause(SETTLE / 5)
      }
    })
    return { start, event: events / EVENTS }
  } finally {
    page?.leave()
    await root.send('Target.disposeBrowserContext', { browserContextId })
  }
}

async function open(page, url) {
  // In thread time, what other processes do in between is not counted.
  await page.send('Performance.enable', { timeDomain: 'threadTicks' })
  await page.send('Page.enable')
  // Plausible's tag does not measure automated browsers unless it finds this.
  await page.send('Page.addScriptToEvaluateOnNewDocument', { source: 'window.__plausible = true' })
  await page.send('Emulation.setCPUThrottlingRate', { rate: SLOWER })
  const loaded = page.once('Page.loadEventFired')
  await page.send('Page.navigate', { url })
  await loaded
  await pause(SETTLE)
}

/** CPU ms of the page's main thread while `act` runs. */
async function cost(page, act) {
  await page.send('HeapProfiler.collectGarbage')
  const before = await spent(page)
  await act()
  await pause(SETTLE)
  return (await spent(page)) - before
}

async function spent(page) {
  const { metrics } = await page.send('Performance.getMetrics')
  return metrics.find(({ name }) => name === 'TaskDuration').value * 1e3
}

/**
 * Code that adds a script element, and waits for it and for a frame. A page that loads draws frames anyway; where one stands still,
 * the first listener for scrolling would be charged with a frame of its own.
 */
const insert = (src, attributes) => `new Promise((resolve, reject) => {
  const script = Object.assign(document.createElement('script'), { src: ${JSON.stringify(src)}, onload: resolve, onerror: reject })
  for (const [name, value] of ${JSON.stringify(Object.entries(attributes))}) script.setAttribute(name, value)
  document.head.append(script)
}).then(() => new Promise(resolve => {
  document.body.style.opacity = 1 - Math.random() / 2
  requestAnimationFrame(() => setTimeout(resolve))
}))`

/** A session with a page, within the session with the browser. */
async function attach(root, targetId) {
  const { sessionId } = await root.send('Target.attachToTarget', { targetId, flatten: false })
  const replies = new Map()
  const heard = new Map()
  let last = 0
  const hear = message => {
    if (message.sessionId !== sessionId) return
    const { id, method, result, error } = JSON.parse(message.message)
    heard.get(method)?.()
    const reply = replies.get(id)
    replies.delete(id)
    if (error) reply?.reject(new Error(error.message))
    else reply?.resolve(result)
  }
  root.on('Target.receivedMessageFromTarget', hear)
  const send = (method, params = {}) =>
    new Promise((resolve, reject) => {
      replies.set(++last, { resolve, reject })
      const message = JSON.stringify({ id: last, method, params })
      root.send('Target.sendMessageToTarget', { sessionId, message }).catch(reject)
    })
  return {
    send,
    leave: () => root.off('Target.receivedMessageFromTarget', hear),
    once: method => new Promise(resolve => heard.set(method, resolve)),
    async evaluate(expression) {
      const { exceptionDetails } = await send('Runtime.evaluate', { expression, awaitPromise: true })
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
    },
  }
}
