/** One server for all: a page, the tags' scripts, and a collector that answers at once and counts what arrives. */
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'

/** Taller than any window: a page that fits its window has been read to its end, which livetag would track. */
const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title><link rel="icon" href="data:,">
<body style="height:9000px"><h1>Shop</h1><a href="#cart">Cart</a></body></html>`

/** How long the browser may take for anything it is waited for; ms */
const PATIENCE = 20_000

/** @param tags by name, as in `tags.mjs` */
export async function startServer(tags) {
  /** what arrived, by page load */
  const loads = new Map()
  const waiting = new Set()

  const collect = async (request, response, load) => {
    const { tag, got } = loads.get(load)
    const { views, events } = tag.inside(JSON.parse(await text(request)))
    got.views += views
    got.events += events
    response.writeHead(tag.answer.status, { 'content-type': 'application/json' }).end(tag.answer.body)
    for (const look of waiting) look()
  }

  const server = createServer((request, response) => {
    const [, what, which] = decodeURIComponent(request.url).split('/')
    if (what === 'in') return collect(request, response, Number(which))
    const [type, body] = what === 'tag' ? ['text/javascript', tags[which].code] : ['text/html', PAGE]
    response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))

  return {
    // Browsers know that names below `localhost` are this machine; Plausible's tag refuses `localhost` itself.
    url: `http://shop.localhost:${server.address().port}`,
    /** Begins a page load with a tag; its number is where the tag has to send to. */
    begin(tag) {
      loads.set(loads.size + 1, { tag, got: { views: 0, events: 0 } })
      return loads.size
    },
    /** Resolves when exactly so much has arrived from a load. @throws Error when it does not: who sends nothing costs nothing */
    async arrived(load, views, events) {
      const { tag, got } = loads.get(load)
      if (tag.silent) return
      let look
      let timer
      await new Promise((resolve, reject) => {
        look = () => got.views >= views && got.events >= events && resolve()
        waiting.add(look)
        const late = `of ${views} page views and ${events} events arrived ${JSON.stringify(got)}: ${tag.call}`
        timer = setTimeout(() => reject(new Error(late)), PATIENCE)
        look()
      }).finally(() => {
        clearTimeout(timer)
        waiting.delete(look)
      })
      if (got.views !== views || got.events !== events) throw new Error(`too much arrived: ${JSON.stringify(got)}`)
    },
    close: () => server.close().closeAllConnections(),
  }
}
