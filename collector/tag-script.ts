/** `GET /t/<site>.js`: the tag of one site, composed of chunks with the site's options, compressed once per change. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import type { Request, RequestHandler, Response } from 'express'
import type { Options } from '../tag/options.ts'
import type { Site, Sites } from './sites/index.ts'

interface Script {
  etag: string
  bodies: Record<'br' | 'gzip' | 'identity', Buffer>
}

/** Browsers ask again after five minutes and use the old one for a day while they do. */
const CACHE = 'public, max-age=300, stale-while-revalidate=86400'

/** The preset `full`. What is sent first must be clean, and wanted: `offline` comes after what sees to that. */
const CHUNKS = ['core', 'gpc', 'tabs', 'rules', 'optout', 'urls', 'offline']

/** @param folder with the built tag's chunks */
export function serveTag(folder: string, sites: Pick<Sites, 'get'>): RequestHandler {
  const [core = '', ...capabilities] = CHUNKS.map(name => readFileSync(`${folder}tag/chunks/${name}.js`, 'utf8'))
  const held = new Map<string, { text: string; script: Script }>()

  const scriptOf = (site: Site): Script => {
    const text = compose(core, capabilities, site)
    const cached = held.get(site.key)
    if (cached?.text === text) return cached.script
    const script = pack(text)
    held.set(site.key, { text, script })
    return script
  }

  return (request: Request, response: Response) => {
    const site = sites.get(String(request.params.file).replace(/\.js$/, ''))
    response.set({
      'content-type': 'text/javascript; charset=utf-8',
      'cross-origin-resource-policy': 'cross-origin',
      'access-control-allow-origin': '*',
    })
    if (!site) {
      response.set({ 'cache-control': 'no-store', 'x-livetag': 'site-unknown' })
      response.status(404).send('/* livetag: no site has this key. Make it with `npx livetag site add`. */')
      return
    }
    const { etag, bodies } = scriptOf(site)
    const encoding = (request.acceptsEncodings('br', 'gzip', 'identity') || 'identity') as keyof Script['bodies']
    response.set({ 'cache-control': CACHE, etag: `"${etag}-${encoding}"`, vary: 'accept-encoding' })
    if (encoding !== 'identity') response.set('content-encoding', encoding)
    if (request.fresh) response.status(304).end()
    else response.end(bodies[encoding])
  }
}

/** Events go to `/e` beside the folder that the script came from, so a proxy may put both under a path of its own. */
export function compose(core: string, capabilities: string[], site: Site): string {
  const options: Omit<Options, 'url'> = { site: site.key, ...(site.consent === 'none' && { mode: 'none' }) }
  const object = JSON.stringify(options).slice(0, -1)
  return `(${core})(${object},"url":new URL("../e",document.currentScript.src).href},[${capabilities.join(',')}])`
}

function pack(text: string): Script {
  const identity = Buffer.from(text)
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT } = constants
  return {
    etag: createHash('sha256').update(identity).digest('base64url').slice(0, 22),
    bodies: {
      identity,
      gzip: gzipSync(identity, { level: 9 }),
      br: brotliCompressSync(identity, {
        params: { [BROTLI_PARAM_QUALITY]: 11, [BROTLI_PARAM_SIZE_HINT]: identity.length },
      }),
    },
  }
}
