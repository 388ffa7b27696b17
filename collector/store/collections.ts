/**
 * Every collection of a deployment, with its indexes and how long it keeps its documents: one table.
 * {@link ensureCollections} makes what is missing and may be run by several collectors at once.
 */
import type { CreateCollectionOptions, Db, IndexDescription } from 'mongodb'

interface Spec {
  create?: CreateCollectionOptions
  indexes?: IndexDescription[]
}

const MINUTE = 60
const DAY = 86_400

export const COLLECTIONS: Record<string, Spec> = {
  /** The log: pages of accepted events. Kept 15 minutes after they are folded (never counted from arrival: an outage would delete acknowledged pages). */
  journal: {
    indexes: [
      { key: { lane: 1, state: 1, _id: 1 } },
      { key: { lane: 1, foldedAt: 1, settled: 1 } },
      { key: { foldedAt: 1 }, expireAfterSeconds: 15 * MINUTE },
    ],
  },
  /** The first claim of every event id. Not clustered: a 6.0 answers `_id: {$in: …}` of a clustered collection by reading all of it. */
  seen: { indexes: [{ key: { expires: 1 }, expireAfterSeconds: 0 }] },
  /** The raw record. */
  events: {
    create: { timeseries: { timeField: 'ts', metaField: 'meta', granularity: 'seconds' } },
    indexes: [{ key: { 'meta.site': 1, ts: 1 } }],
  },
  sessions: {
    indexes: [
      { key: { site: 1, start: 1 } },
      { key: { site: 1, end: 1 } },
      // Of cookieless visitors alone, so that other sessions pay nothing for it.
      { key: { site: 1, 'visits.start': 1 }, partialFilterExpression: { 'visits.start': { $exists: true } } },
      { key: { expires: 1 }, expireAfterSeconds: 0 },
    ],
  },
  /** Packed counters. Minutes are kept 35 days, hours 13 months, days, weeks and months for ever. */
  rollups: { indexes: [{ key: { expires: 1 }, expireAfterSeconds: 0 }, { key: { site: 1, grain: 1, dim: 1, at: 1 } }] },
  /** How far the hours of a day have been changed, by lane. Kept as long as these. */
  touch: { indexes: [{ key: { expires: 1 }, expireAfterSeconds: 0 }, { key: { site: 1, from: 1 } }] },
  /** How often sessions changed, and how many events came, by the hour: whether what was made of them still holds. */
  revisions: { indexes: [{ key: { site: 1, day: 1 } }, { key: { expires: 1 }, expireAfterSeconds: 0 }] },
  /** How many different visitors a finished day had. zstd makes a third of their registers. */
  sketches: {
    create: { storageEngine: { wiredTiger: { configString: 'block_compressor=zstd' } } },
    indexes: [{ key: { site: 1, dim: 1, at: 1 } }, { key: { expires: 1 }, expireAfterSeconds: 0 }],
  },
  /** Sessions and events of finished days as columns, one document a column; and what these were made of. */
  blocks: {
    create: { storageEngine: { wiredTiger: { configString: 'block_compressor=zstd' } } },
    indexes: [{ key: { site: 1, at: 1, version: 1 } }, { key: { expires: 1 }, expireAfterSeconds: 0 }],
  },
  manifest: { indexes: [{ key: { site: 1, at: 1 } }, { key: { expires: 1 }, expireAfterSeconds: 0 }] },
  /** Of cookieless visitors, a random text a day. MongoDB looks for what has expired once a minute. */
  salts: { indexes: [{ key: { expires: 1 }, expireAfterSeconds: 0 }] },
  /**
   * Proof of consent: one document a decision. Kept 38 months: what stands on a decision is collected for up to 13 months, as
   * a visitor's id lives no longer, and each event is kept for 25.
   */
  consents: {
    indexes: [
      { key: { site: 1, decided: 1, _id: 1 } },
      { key: { site: 1, visitor: 1, decided: 1, _id: 1 } },
      { key: { site: 1, view: 1, decided: 1, _id: 1 } },
      { key: { expires: 1 }, expireAfterSeconds: 0 },
    ],
  },
  sites: {},
  /** API keys, by the SHA-256 of their text. Kept until they are revoked. */
  keys: {},
  /** Who may sign in, by e-mail address. Kept until they are removed. */
  accounts: { indexes: [{ key: { 'roles.site': 1 } }] },
  /** Sign-ins, by the hash of what the browser has: 30 days. */
  logins: { indexes: [{ key: { email: 1 } }, { key: { expires: 1 }, expireAfterSeconds: 0 }] },
  /** Links that work once, by the hash of their token: a week at most. */
  links: { indexes: [{ key: { site: 1, email: 1 } }, { key: { expires: 1 }, expireAfterSeconds: 0 }] },
  /** Shared links, by their token. Kept until they are revoked. */
  shares: { indexes: [{ key: { site: 1, createdAt: 1 } }] },
  /** What was sent by mail: under which consent, where its links lead. Kept for ever, so that links in old mails lead on. */
  mailings: { indexes: [{ key: { site: 1, created: -1 } }, { key: { created: 1 } }] },
  /** What signs the tokens of mails. Kept for ever, see `email/keys.ts`. */
  email_keys: {},
  /** Who said no, by pseudonym. Kept for ever: a no holds until it is taken back. */
  withdrawals: { indexes: [{ key: { at: 1 } }] },
  /** Of mails under the policy `deliverability`, the day of the last open, one document a recipient. */
  last_opens: { indexes: [{ key: { expires: 1 }, expireAfterSeconds: 0 }] },
  /** Scripts that were pinned: pages load them by their hash. Kept for ever. */
  scripts: {},
  lanes: {},
  /** How often events were rejected, by site, name and reason. */
  rejects: { create: { capped: true, size: 16 * 1024 * 1024 } },
  /** Events that could not be stored, set aside so that the rest goes on. */
  parked: { indexes: [{ key: { site: 1, at: 1 } }] },
  /** What `livetag verify --repair` has mended, with what was there before. Kept for ever. */
  audit: { indexes: [{ key: { site: 1, at: 1 } }] },
}

/** How long documents live from their making, in ms. */
export const KEPT = {
  /** an event's id: a day more than an event may be late */
  seen: 8 * DAY * 1000,
  /** raw events, sessions and callers' own ids: 25 months */
  events: 25 * 31 * DAY * 1000,
  minutes: 35 * DAY * 1000,
  /** 13 months: a year, and what it is held against */
  hours: 13 * 31 * DAY * 1000,
  /** from the begin of its day on: that day, and one more for what arrives late */
  salts: 2 * DAY * 1000,
  /** tokens of mails, from their minting on: 13 months, as long as what measures an audience may recognize somebody */
  tokens: 13 * 31 * DAY * 1000,
  /** from the decision on: 13 + 25 months */
  consents: 38 * 31 * DAY * 1000,
} as const

const alreadyThere = (error: unknown) => (error as { code?: number }).code === 48

export async function ensureCollections(db: Db): Promise<void> {
  const existing = new Set((await db.listCollections({}, { nameOnly: true }).toArray()).map(c => c.name))
  for (const [name, { create, indexes }] of Object.entries(COLLECTIONS)) {
    if (!existing.has(name)) {
      await db.createCollection(name, create).catch(error => {
        if (!alreadyThere(error)) throw error
      })
    }
    if (indexes) await db.collection(name).createIndexes(indexes)
  }
}
