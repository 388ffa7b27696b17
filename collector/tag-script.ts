/**
 * `GET /t/<site>.js`: the tag of one site, composed of chunks with the site's options, compressed once per change.
 * `GET /t/<site>.<hash>.js`: the same where it has this hash, else what was pinned under it.
 * `GET /t/<site>.js?debug`: the same, and what goes wrong is said in the console.
 */
import { readFileSync } from 'node:fs'
import type { Request, RequestHandler, Response } from 'express'
import type { Db } from 'mongodb'
import type { Options } from '../tag/options.ts'
import { FOR_EVER, type PackedScript, packScript, SCRIPT_HEADERS, sendScript } from './packed-script.ts'
import { findPinned } from './pinned-scripts.ts'
import { CAPABILITIES, CMPS, type Site, type Sites } from './sites/index.ts'
import { readVitals } from './vitals-script.ts'

/** Browsers ask again after five minutes and use the old one for a day while they do. */
const CACHE = 'public, max-age=300, stale-while-revalidate=86400'

/** `<site>.<hash>`: keys may have dots, hashes have none. */
const PINNED = /^(.+)\.([\w-]{22})$/

/** What every site gets of consent: the standards. Platforms are followed where they are named. */
const STANDARDS = ['gpc', 'gcm', 'tcf', 'gpp']
/** In the order in which they join. What is sent first must be clean, and wanted: `offline` comes after what sees to that. */
const CHUNKS = [
  ...['core', ...STANDARDS, ...CMPS, 'rules', 'engagement', ...CAPABILITIES],
  // after `rules`, so that a click is told as the page's author wrote it
  ...['link', 'sample', 'optout', 'urls', 'offline', 'tabs'],
]
/** Those that a tag has only where they are asked for, or have an option. */
const OPTIONAL: readonly string[] = [...CMPS, 'engagement', ...CAPABILITIES, 'link', 'sample']

export const capabilitiesOf = (site: Site): readonly string[] => [
  ...(site.cmp ?? []),
  'engagement',
  ...(site.with ?? []),
]

/** @param folder with the built tag's chunks */
export function serveTag(folder: string, sites: Pick<Sites, 'get'>, db: Db): RequestHandler {
  const compose = readComposer(folder)
  const debug = readChunk(folder, 'debug')
  const held = new Map<string, { text: string; script: PackedScript }>()
  const pinned = new Map<string, PackedScript>()

  const scriptOf = (site: Site): PackedScript => {
    const text = compose(optionsOf(site), capabilitiesOf(site))
    const cached = held.get(site.key)
    if (cached?.text === text) return cached.script
    const script = packScript(text)
    held.set(site.key, { text, script })
    return script
  }

  const scriptByHash = async (site: Site, hash: string): Promise<PackedScript | undefined> => {
    const present = scriptOf(site)
    if (present.hash === hash) return present
    const name = `${site.key}.${hash}`
    const cached = pinned.get(name)
    if (cached) return cached
    const text = await findPinned(db, site.key, hash)
    if (text === undefined) return undefined
    const script = packScript(text)
    pinned.set(name, script)
    return script
  }

  return async (request: Request, response: Response) => {
    const name = String(request.params.file).replace(/\.js$/, '')
    const whole = sites.get(name)
    const [, key = '', hash] = (!whole && PINNED.exec(name)) || []
    const site = whole ?? sites.get(key)
    response.set(SCRIPT_HEADERS)
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
    sendScript(request, response, script, hash === undefined ? CACHE : FOR_EVER)
  }
}

const readChunk = (folder: string, name: string): string => readFileSync(`${folder}tag/chunks/${name}.js`, 'utf8')

/** Has V8 compile all functions while the script loads, as `scripts/tag-build.mjs` explains. */
const EAGER = '//# allFunctionsCalledOnLoad\n'

/** What the tag is told, but for where events go and the second file is. */
type SiteOptions = Omit<Options, 'url' | 'vitals'>

export const optionsOf = (site: Site): SiteOptions => ({
  site: site.key,
  ...(site.consent !== 'required' && { mode: site.consent }),
  ...(site.cookie === 'collector' && { cookie: 'include' }),
  // as they may stand in a URL: forms encode brackets, links need not
  ...(site.query && { query: [...new Set(site.query.flatMap(name => [name, encodeURIComponent(name)]))] }),
  ...(site.link && { link: site.link }),
  ...(site.sample !== undefined && { sample: site.sample }),
  ...(site.category && { category: site.category }),
})

export type Composer = (options: SiteOptions, capabilities?: readonly string[]) => string

/**
 * Reads the built tag's chunks once; gives back what composes a script of them and of options, with the adapters of the consent
 * platforms that are named. Events go to `/e` beside the
 * folder that the script came from, so a proxy may put both under a path of its own.
 */
export function readComposer(folder: string): Composer {
  const chunks = CHUNKS.map(name => ({ name, code: readChunk(folder, name) }))
  const [core, ...others] = chunks
  // The first chunk is a program with two holes.
  const [open, between, close] = core?.code.split(/OPTIONS|CAPABILITIES/) ?? []
  const { name: vitals, integrity } = readVitals(folder)
  const second = `,vitals:{src:new URL("${vitals}",document.currentScript.src).href,integrity:"${integrity}",crossOrigin:""}`
  return (options, capabilities = []) => {
    const wanted = [...capabilities, ...Object.keys(options)]
    const chosen = others
      .filter(({ name }) => !OPTIONAL.includes(name) || wanted.includes(name))
      .map(({ code }) => code)
    const object = JSON.stringify(options).slice(0, -1)
    const url = `url:new URL("../e",document.currentScript.src).href${wanted.includes('vitals') ? second : ''}`
    return `${EAGER}${open}${object},${url}}${between}${chosen.join(',')}${close}`
  }
}
