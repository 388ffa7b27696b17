/**
 * `GET /t/<site>.js`: the tag of one site, composed of chunks with the site's options, compressed once per change.
 * `GET /t/<site>.<hash>.js`: the same where it has this hash, else what was pinned under it.
 * `GET /t/<site>.js?debug`: the same, and what goes wrong is said in the console.
 */
import { readFileSync } from 'node:fs'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import type { Request, RequestHandler, Response } from 'express'
import type { Db } from 'mongodb'
import type { Options } from '../tag/options.ts'
import { findPinned, hashOf } from './pinned-scripts.ts'
import { CMPS, type Cmp, type Site, type Sites } from './sites/index.ts'

interface Script {
  hash: string
  bodies: Record<'br' | 'gzip' | 'identity', Buffer>
}

/** Browsers ask again after five minutes and use the old one for a day while they do. */
const CACHE = 'public, max-age=300, stale-while-revalidate=86400'

/** What an address with a hash answers never changes. */
const FOR_EVER = 'public, max-age=31536000, immutable'

/** `<site>.<hash>`: keys may have dots, hashes have none. */
const PINNED = /^(.+)\.([\w-]{22})$/

/** What every site gets of consent: the standards. */
const STANDARDS = ['gpc', 'gcm', 'tcf', 'gpp']
/** What is sent first must be clean, and wanted: `offline` comes after what sees to that. */
const CHUNKS = ['rules', 'optout', 'urls', 'offline', 'tabs']

/** @param folder with the built tag's chunks */
export function serveTag(folder: string, sites: Pick<Sites, 'get'>, db: Db): RequestHandler {
  const compose = readComposer(folder)
  const debug = readChunk(folder, 'debug')
  const held = new Map<string, { text: string; script: Script }>()
  const pinned = new Map<string, Script>()

  const scriptOf = (site: Site): Script => {
    const text = compose(optionsOf(site), site.cmp)
    const cached = held.get(site.key)
    if (cached?.text === text) return cached.script
    const script = pack(text)
    held.set(site.key, { text, script })
    return script
  }

  const scriptByHash = async (site: Site, hash: string): Promise<Script | undefined> => {
    const present = scriptOf(site)
    if (present.hash === hash) return present
    const name = `${site.key}.${hash}`
    const cached = pinned.get(name)
    if (cached) return cached
    const text = await findPinned(db, site.key, hash)
    if (text === undefined) return undefined
    const script = pack(text)
    pinned.set(name, script)
    return script
  }

  return async (request: Request, response: Response) => {
    const name = String(request.params.file).replace(/\.js$/, '')
    const whole = sites.get(name)
    const [, key = '', hash] = (!whole && PINNED.exec(name)) || []
    const site = whole ?? sites.get(key)
    response.set({
      'content-type': 'text/javascript; charset=utf-8',
      'cross-origin-resource-policy': 'cross-origin',
      'access-control-allow-origin': '*',
    })
    const refuse = (reason: string, comment: string) => {
      response.set({ 'cache-control': 'no-store', 'x-livetag': reason })
      response.status(404).send(`/* livetag: ${comment} */`)
    }
    if (!site) return refuse('site-unknown', 'no site has this key. Make it with `npx livetag site add`.')
    const script = hash === undefined ? scriptOf(site) : await scriptByHash(site, hash)
    if (!script) {
      const again = `Pin the present one with \`npx livetag site pin ${site.key}\` and paste what that prints.`
      return refuse('script-unknown', `no script of this site with this hash was pinned. ${again}`)
    }
    if (hash === undefined && request.query.debug !== undefined) {
      response.set('cache-control', 'no-store')
      return void response.send(`(${debug})(()=>${scriptOf(site).bodies.identity})`)
    }
    const encoding = (request.acceptsEncodings('br', 'gzip', 'identity') || 'identity') as keyof Script['bodies']
    response.set({
      'cache-control': hash === undefined ? CACHE : FOR_EVER,
      etag: `"${script.hash}-${encoding}"`,
      vary: 'accept-encoding',
    })
    if (encoding !== 'identity') response.set('content-encoding', encoding)
    if (request.fresh) response.status(304).end()
    else response.end(script.bodies[encoding])
  }
}

const readChunk = (folder: string, name: string): string => readFileSync(`${folder}tag/chunks/${name}.js`, 'utf8')

/** Has V8 compile all functions while the script loads, as `scripts/tag-build.mjs` explains. */
const EAGER = '//# allFunctionsCalledOnLoad\n'

/** What the tag is told, but for where events go. */
type SiteOptions = Omit<Options, 'url'>

export const optionsOf = (site: Site): SiteOptions => ({
  site: site.key,
  ...(site.consent !== 'required' && { mode: site.consent }),
  ...(site.cookie === 'collector' && { cookie: 'include' }),
  ...(site.query && { query: site.query }),
  ...(site.category && { category: site.category }),
})

/**
 * Reads the built tag's chunks once; gives back what composes a script of them and of options, with the adapters of the consent
 * platforms that are named. Events go to `/e` beside the
 * folder that the script came from, so a proxy may put both under a path of its own.
 */
export function readComposer(folder: string): (options: SiteOptions, cmps?: readonly Cmp[]) => string {
  const core = readChunk(folder, 'core')
  const chunks = new Map([...STANDARDS, ...CMPS, ...CHUNKS].map(name => [name, readChunk(folder, name)]))
  return (options, cmps = []) => {
    const capabilities = [...STANDARDS, ...cmps, ...CHUNKS].map(name => chunks.get(name))
    const object = JSON.stringify(options).slice(0, -1)
    return `${EAGER}(${core})(${object},url:new URL("../e",document.currentScript.src).href},[${capabilities.join(',')}])`
  }
}

function pack(text: string): Script {
  const identity = Buffer.from(text)
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT } = constants
  return {
    hash: hashOf(identity),
    bodies: {
      identity,
      gzip: gzipSync(identity, { level: 9 }),
      br: brotliCompressSync(identity, {
        params: { [BROTLI_PARAM_QUALITY]: 11, [BROTLI_PARAM_SIZE_HINT]: identity.length },
      }),
    },
  }
}
