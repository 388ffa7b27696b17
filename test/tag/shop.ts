/**
 * A site for tests of the tag: a page, and on another origin a collector that answers as it is told, both on real sockets.
 * The tag is composed of the built chunks, as the collector does.
 */
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { builtFolder } from '../../collector/assets.ts'
import type { CapabilityName, Cmp } from '../../collector/sites/index.ts'
import { readComposer } from '../../collector/tag-script.ts'
import { readVitals } from '../../collector/vitals-script.ts'
import type { Options } from '../../tag/options.ts'
import type { Envelope, WireEvent } from '../../tag/wire.ts'

/** The stub as a file, for pages that forbid scripts of their own text. */
const STUB = 'window.livetag=window.livetag||function(){(livetag.q=livetag.q||[]).push([Date.now(),...arguments])}'
const CORS = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'retry-after, x-livetag' }

/** A body that arrived, and how it was answered. */
export interface Post {
  body: Envelope
  bytes: number
  status: number
}

export interface Shop {
  /** where the pages are; every path that is no file of the tag is one */
  url: string
  collector: string
  posts: Post[]
  /** events that were taken */
  events(name?: string): WireEvent[]
  /** `GET`s, by path; a page that comes from a cache is not in it */
  loads: string[]
  /** answers to come, first one first; 204 when there is none */
  answers: { status: number; retryAfter?: number }[]
  close(): Promise<void>
}

export interface Page {
  /** of the tag; the mode is `none` where nothing is said */
  options?: Partial<Options>
  /** capabilities of the tag beside those that every site has, and consent platforms whose adapters are in it */
  with?: (CapabilityName | 'engagement' | Cmp)[]
  head?: string
  body?: string
  headers?: Record<string, string>
  /** files of the site, by path; of a text the path tells the type */
  files?: Record<string, string | { type: string; body: string | Buffer }>
}

const compose = readComposer(builtFolder())
const vitals = readVitals(builtFolder())

export async function openShop(page: Page | ((collector: string) => Page)): Promise<Shop> {
  const posts: Post[] = []
  const answers: Shop['answers'] = []
  const loads: string[] = []
  const events = (name?: string) =>
    posts
      .filter(({ status }) => status < 300)
      .flatMap(({ body }) => body.e)
      .filter(({ n }) => !name || n === name)

  const collector = await listen(async (request, response) => {
    const body = await text(request)
    if (request.url === '/t/shop.js') {
      const script = compose({ site: 'shop', mode: 'none', ...given.options }, given.with)
      return void response.writeHead(200, { ...CORS, 'content-type': 'text/javascript' }).end(script)
    }
    if (request.url === `/t/${vitals.name}`) {
      loads.push(request.url)
      return void response.writeHead(200, { ...CORS, 'content-type': 'text/javascript' }).end(vitals.text)
    }
    if (request.method !== 'POST') return void response.writeHead(405).end()
    const { status, retryAfter } = answers.shift() ?? { status: 204 }
    posts.push({ body: JSON.parse(body) as Envelope, bytes: Buffer.byteLength(body), status })
    response.writeHead(status, { ...CORS, ...(retryAfter && { 'retry-after': `${retryAfter}` }) }).end()
  })
  const given = typeof page === 'function' ? page(collector.url) : page
  const site = await listen((request, response) => {
    if (request.url === '/stub.js') return void response.writeHead(200, { 'content-type': 'text/javascript' }).end(STUB)
    const [path = ''] = (request.url ?? '').split('?')
    const file = given.files?.[path]
    if (typeof file === 'object') return void response.writeHead(200, { 'content-type': file.type }).end(file.body)
    if (file !== undefined) {
      const type = path.endsWith('.css') ? 'css' : path.endsWith('.js') ? 'javascript' : 'html'
      return void response.writeHead(200, { 'content-type': `text/${type}; charset=utf-8` }).end(file)
    }
    loads.push(request.url ?? '')
    response.writeHead(200, { 'content-type': 'text/html', ...given.headers }).end(
      `<!doctype html><title>A page</title><script src="/stub.js"></script>${given.head ?? ''}
       <script defer src="${collector.url}/t/shop.js"></script>${given.body ?? '<p style="height:3000px">'}`,
    )
  })
  return {
    url: site.url,
    collector: collector.url,
    posts,
    events,
    loads,
    answers,
    close: async () => void (await Promise.all([site.close(), collector.close()])),
  }
}

async function listen(listener: RequestListener): Promise<{ url: string; close(): Promise<unknown> }> {
  const server: Server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      return closed
    },
  }
}
