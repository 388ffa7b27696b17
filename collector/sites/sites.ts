/** The sites of a deployment, held in memory by every collector and kept fresh. */
import { setTimeout as pause } from 'node:timers/promises'
import { BSON, type Collection, type Db } from 'mongodb'
import { isTimeZone } from '../zone.ts'
import type { Goal } from './goals.ts'
import type { Property } from './properties.ts'

export const CONSENT_MODES = ['required', 'cookieless', 'none'] as const
export type ConsentMode = (typeof CONSENT_MODES)[number]

/** What a site's tag has when it asks: `livetag site add … --with forms,media`. */
export const CAPABILITIES = ['forms', 'media', 'errors', 'vitals'] as const
export type CapabilityName = (typeof CAPABILITIES)[number]
/** Consent platforms whose decisions the tag can follow: each is an adapter in `consent/cmp/`. */
export const CMPS = [
  'cookiebot',
  'didomi',
  'klaro',
  'onetrust',
  'osano',
  'shopify',
  'tarteaucitron',
  'usercentrics',
  'vanilla',
  'wordpress',
] as const
export type Cmp = (typeof CMPS)[number]

/** What of a visitor's place is kept, each with what is before it. */
export const PLACES = ['nothing', 'country', 'region', 'city'] as const

export interface Site {
  /** in the tag's URL and in every event: 1 to 64 letters, digits, `-`, `_` or `.` */
  key: string
  domain: string
  consent: ConsentMode
  /** IANA name; days are the site's own days */
  timezone: string
  /** names of query parameters that are kept in URLs, beside those of campaigns */
  query?: string[]
  /** the collector sets the visitor's cookie; if absent, the tag sets its own */
  cookie?: 'collector'
  /** capabilities of the tag beside those that every site has */
  with?: CapabilityName[]
  /** other domains of the same owner: links and forms that lead there take the visitor's id along */
  link?: string[]
  /** the share of visitors that is measured, above 0 and up to 1; if absent, all */
  sample?: number
  /** how much of a visitor's place is kept, where the owner has a database of places; if absent, the country */
  place?: (typeof PLACES)[number]
  /** consent platforms whose decisions the tag follows; TCF, GPP and Google Consent Mode it always reads */
  cmp?: Cmp[]
  /** how that platform calls what stands for measuring: a category or a service; each adapter has a default */
  category?: string
  /** what counts as a conversion: each made by `readGoal` */
  goals?: Goal[]
  /** by which its events are counted: each declared by `addProperty` */
  properties?: Property[]
}

type SiteDocument = Omit<Site, 'key'> & { _id: string; createdAt: Date; internal?: true }

/** The site whose events `livetag doctor` sends; in no list and in no report. */
export const DOCTOR_SITE = '_doctor'

/** Thrown with every mistake in a site's data, one a line. */
export class SiteError extends Error {
  override name = 'SiteError'
  readonly why: 'invalid' | 'exists' | 'unknown'
  constructor(why: SiteError['why'], message: string) {
    super(message)
    this.why = why
  }
}

const DOMAIN = /^[^\s/:]+(:\d+)?$/

const collection = (db: Db): Collection<SiteDocument> => db.collection<SiteDocument>('sites')

/** @throws SiteError with all that is wrong */
function check(site: Partial<Site>): void {
  const wrong: string[] = []
  if (site.key !== undefined && !/^[A-Za-z0-9][\w.-]{0,63}$/.test(site.key))
    wrong.push('the key takes 1 to 64 letters, digits, "-", "_" or ".", and begins with a letter or digit')
  if (site.domain !== undefined && !DOMAIN.test(site.domain))
    wrong.push(`the domain is a host name such as shop.example, not "${site.domain}"`)
  if (site.consent !== undefined && !CONSENT_MODES.includes(site.consent))
    wrong.push(`consent is one of ${CONSENT_MODES.join(', ')}, not "${site.consent}"`)
  if (site.timezone !== undefined && !isTimeZone(site.timezone))
    wrong.push(`the time zone is an IANA name such as Europe/Berlin, not "${site.timezone}"`)
  if (site.cookie !== undefined && site.cookie !== 'collector')
    wrong.push(`the cookie is set by the tag, or by the collector: "collector", not "${site.cookie}"`)
  for (const name of site.cmp ?? [])
    if (!CMPS.includes(name)) wrong.push(`a consent platform is one of ${CMPS.join(', ')}, not "${name}"`)
  if (site.category !== undefined && !/^[^<>"'\s][^<>"']{0,99}$/.test(site.category))
    wrong.push(`a category takes 1 to 100 characters, and none of < > " ', not "${site.category}"`)
  for (const name of site.query ?? [])
    if (!/^[\w.[\]-]{1,64}$/.test(name))
      wrong.push(`a query parameter takes 1 to 64 letters, digits, "-", "_", "." or brackets, not "${name}"`)
  for (const name of site.with ?? [])
    if (!CAPABILITIES.includes(name)) wrong.push(`a tag can be made with ${CAPABILITIES.join(', ')}, not "${name}"`)
  for (const domain of site.link ?? [])
    if (!DOMAIN.test(domain)) wrong.push(`a linked domain is a host name such as pay.example, not "${domain}"`)
  if (site.place !== undefined && !PLACES.includes(site.place))
    wrong.push(`of a place one of ${PLACES.join(', ')} is kept, not "${site.place}"`)
  if (site.sample !== undefined && !(site.sample > 0 && site.sample <= 1))
    wrong.push(`the sample is a share of the visitors, above 0 and up to 1, not "${site.sample}"`)
  if (wrong.length > 0) throw new SiteError('invalid', wrong.join('\n'))
}

/** @throws SiteError when a field is wrong or the key is taken */
export async function addSite(db: Db, site: Site): Promise<void> {
  check(site)
  const { key, ...rest } = site
  const result = await collection(db).updateOne(
    { _id: key },
    { $setOnInsert: { ...rest, createdAt: new Date() } },
    { upsert: true, writeConcern: { w: 'majority', journal: true } },
  )
  if (result.upsertedCount === 0) throw new SiteError('exists', `there is a site "${key}" already`)
}

/**
 * Changes what is given. Of another time zone, hours stay as they were counted (`settle/zones.ts`).
 * @throws SiteError when a field is wrong or there is no such site
 */
export async function setSite(
  db: Db,
  key: string,
  change: Partial<Pick<Site, 'domain' | 'consent' | 'timezone'>>,
): Promise<Site> {
  check(change)
  const filter = { _id: key, internal: { $exists: false } }
  const options = { returnDocument: 'after', writeConcern: { w: 'majority', journal: true } } as const
  const changed = await collection(db).findOneAndUpdate(filter, { $set: change }, options)
  if (!changed) throw new SiteError('unknown', `there is no site "${key}": \`livetag site list\` shows them`)
  return toSite(changed)
}

export async function listSites(db: Db): Promise<Site[]> {
  return (
    await collection(db)
      .find({ internal: { $ne: true } })
      .sort({ createdAt: 1, _id: 1 })
      .toArray()
  ).map(toSite)
}

/** Makes the site `demo` where there is none at all, and the doctor's. */
export async function ensureSites(db: Db): Promise<void> {
  if ((await collection(db).countDocuments({ internal: { $ne: true } }, { limit: 1 })) === 0) {
    const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone
    await addSite(db, { key: 'demo', domain: 'localhost', consent: 'required', timezone }).catch(() => {})
  }
  await collection(db).updateOne(
    { _id: DOCTOR_SITE },
    { $setOnInsert: { domain: 'localhost', consent: 'none', timezone: 'UTC', createdAt: new Date(), internal: true } },
    { upsert: true },
  )
}

const toSite = ({ _id: key, createdAt: _, internal: _i, ...site }: SiteDocument): Site => ({ key, ...site })

export interface Sites {
  get(key: string): Site | undefined
  /** Reads them now: what was changed here acts at once. */
  reload(): Promise<void>
  /** domains of the sites whose cookie the collector sets */
  cookieDomains(): readonly string[]
  close(): Promise<void>
}

/** How often the collection is looked at, ms. */
const LOOK_MS = 500

/**
 * Loads all sites and follows their changes: a change acts within a second. They are read again and again, as bytes, and
 * taken apart only when these differ: a change stream has mongod look at whatever is written anywhere, which was a tenth
 * of its work under load.
 */
export async function watchSites(db: Db, failed: (error: unknown) => void): Promise<Sites> {
  const stop = new AbortController()
  let bytes = Buffer.alloc(0)
  let held = new Map<string, Site>()
  let cookieDomains: string[] = []
  const load = async () => {
    // With the option `raw` documents are buffers, which the driver's types do not know.
    const documents = (await collection(db).find({}, { raw: true }).sort({ _id: 1 }).toArray()) as unknown as Buffer[]
    const now = Buffer.concat(documents)
    if (now.equals(bytes)) return
    bytes = now
    held = new Map(
      documents.map(document => toSite(BSON.deserialize(document) as SiteDocument)).map(site => [site.key, site]),
    )
    cookieDomains = [...held.values()].filter(({ cookie }) => cookie === 'collector').map(({ domain }) => domain)
  }
  await load()
  const run = (async () => {
    while (!stop.signal.aborted) {
      await pause(LOOK_MS, undefined, { signal: stop.signal }).catch(() => {})
      if (!stop.signal.aborted) await load().catch(failed)
    }
  })()
  return {
    get: key => held.get(key),
    reload: load,
    cookieDomains: () => cookieDomains,
    async close() {
      stop.abort()
      await run
    },
  }
}
