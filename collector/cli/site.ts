import { defineCommand } from 'citty'
import { builtFolder } from '../assets.ts'
import { pinScript } from '../pinned-scripts.ts'
import {
  addSite,
  CAPABILITIES,
  type CapabilityName,
  CMPS,
  type Cmp,
  type ConsentMode,
  listSites,
  PLACES,
  type Site,
  SiteError,
  setSite,
} from '../sites/index.ts'
import { capabilitiesOf, optionsOf, readComposer } from '../tag-script.ts'
import { withDatabase } from './database.ts'
import { table } from './table.ts'

const namesIn = (list: string): string[] => list.split(',').map(name => name.trim())

const add = defineCommand({
  meta: { name: 'add', description: 'Make a site; running collectors know it within a second' },
  args: {
    key: { type: 'positional', description: "the site's key, in the tag's URL", required: true },
    domain: { type: 'string', description: 'host name, such as shop.example', required: true },
    consent: { type: 'string', description: 'required, cookieless or none', default: 'required' },
    timezone: {
      type: 'string',
      description: 'IANA name; days are days there',
      default: Intl.DateTimeFormat().resolvedOptions().timeZone,
    },
    cookie: { type: 'string', description: "collector: it sets the visitor's cookie, instead of the tag" },
    cmp: { type: 'string', description: `consent platforms to follow: ${CMPS.join(', ')}` },
    category: { type: 'string', description: 'how the platform calls measuring, if not by its default' },
    query: { type: 'string', description: 'names of query parameters to keep in URLs, such as q,page' },
    with: { type: 'string', description: `what else the tag tells, of ${CAPABILITIES.join(', ')}` },
    link: {
      type: 'string',
      description: 'other domains of yours on which a visitor stays the same, such as pay.example',
    },
    sample: { type: 'string', description: 'the share of visitors that is measured, such as 0.1' },
    place: {
      type: 'string',
      description: `what is kept of where visitors are: ${PLACES.join(', ')}; if absent, country`,
    },
  },
  async run({
    args: { key, domain, consent, timezone, cookie, cmp, category, query, with: extra, link, sample, place },
  }) {
    await withDatabase(async db => {
      await addSite(db, {
        key,
        domain,
        consent: consent as ConsentMode,
        timezone,
        ...(cookie !== undefined && { cookie: cookie as 'collector' }),
        ...(cmp !== undefined && { cmp: namesIn(cmp) as Cmp[] }),
        ...(category !== undefined && { category }),
        ...(query !== undefined && { query: namesIn(query) }),
        ...(extra !== undefined && { with: namesIn(extra) as CapabilityName[] }),
        ...(link !== undefined && { link: namesIn(link) }),
        ...(sample !== undefined && { sample: Number(sample) }),
        ...(place !== undefined && { place: place as NonNullable<Site['place']> }),
      })
      process.stdout.write(`Made the site "${key}" (${domain}, consent ${consent}, ${timezone}).\n`)
      process.stdout.write(
        `Paste on its pages, with the collector's address:  <script defer src="https://YOUR-COLLECTOR/t/${key}.js"></script>\n`,
      )
    })
  },
})

const set = defineCommand({
  meta: { name: 'set', description: 'Change a site; running collectors know it within a second' },
  args: {
    key: { type: 'positional', description: "the site's key", required: true },
    domain: { type: 'string', description: 'host name, such as shop.example' },
    consent: { type: 'string', description: 'required, cookieless or none' },
    timezone: { type: 'string', description: 'IANA name; days are days there' },
  },
  async run({ args: { key, domain, consent, timezone } }) {
    await withDatabase(async db => {
      const change = {
        ...(domain !== undefined && { domain }),
        ...(consent !== undefined && { consent: consent as ConsentMode }),
        ...(timezone !== undefined && { timezone }),
      }
      if (Object.keys(change).length === 0)
        throw new SiteError('invalid', 'say what to change: --domain, --consent, --timezone')
      const site = await setSite(db, key, change)
      process.stdout.write(`Changed the site "${key}" (${site.domain}, consent ${site.consent}, ${site.timezone}).\n`)
      if (timezone !== undefined)
        process.stdout.write(
          `Reports are in the new zone from now on. Where it is a part of an hour from the old one, they read hours again once \`livetag verify --site ${key} --repair\` has counted these anew.\n`,
        )
    })
  },
})

const list = defineCommand({
  meta: { name: 'list', description: 'Show all sites' },
  args: { json: { type: 'boolean', description: 'as JSON' } },
  async run({ args }) {
    await withDatabase(async db => {
      const sites = await listSites(db)
      if (args.json) return void process.stdout.write(`${JSON.stringify({ sites })}\n`)
      const rows = sites.map(({ key, domain, consent, timezone }) => [key, domain, consent, timezone])
      process.stdout.write(table([['key', 'domain', 'consent', 'time zone'], ...rows]))
    })
  },
})

const pin = defineCommand({
  meta: { name: 'pin', description: "Keep a site's present script, to be loaded with its integrity checked" },
  args: {
    key: { type: 'positional', description: "the site's key", required: true },
    url: { type: 'string', description: "the collector's address, as pages see it", default: 'https://YOUR-COLLECTOR' },
    json: { type: 'boolean', description: 'as JSON' },
  },
  async run({ args: { key, url, json } }) {
    await withDatabase(async db => {
      const site = (await listSites(db)).find(site => site.key === key)
      if (!site) throw new SiteError('unknown', `there is no site "${key}": \`livetag site list\` shows them`)
      const pinned = await pinScript(db, key, readComposer(builtFolder())(optionsOf(site), capabilitiesOf(site)), url)
      process.stdout.write(`${json ? JSON.stringify(pinned) : pinned.html}\n`)
    })
  },
})

/** `livetag site add|set|list|pin` */
export const site = defineCommand({
  meta: { name: 'site', description: 'Make, change and list sites, pin their scripts' },
  subCommands: { add, set, list, pin },
})
