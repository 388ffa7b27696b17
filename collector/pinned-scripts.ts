/**
 * Scripts that pages load by their hash, with Subresource Integrity (https://www.w3.org/TR/SRI/). Such a page breaks when
 * the script changes, so what was pinned once is kept, and served for ever.
 */
import { createHash } from 'node:crypto'
import type { Collection, Db } from 'mongodb'

interface PinnedScript {
  /** {@link hashOf} the text */
  _id: string
  site: string
  text: string
  at: Date
}

const collection = (db: Db): Collection<PinnedScript> => db.collection<PinnedScript>('scripts')

/** In the address of a pinned script: the first 22 characters of its SHA-256 in base64url, 132 bits. */
export const hashOf = (text: string | Buffer): string =>
  createHash('sha256').update(text).digest('base64url').slice(0, 22)

/** The value of the attribute `integrity`, of the script as it is before compression. */
export const integrityOf = (text: string): string => `sha384-${createHash('sha384').update(text).digest('base64')}`

export interface Pin {
  site: string
  hash: string
  src: string
  integrity: string
  /** the element to paste on the site's pages */
  html: string
}

/** Keeps a site's script. @param url of the collector, as the site's pages see it */
export async function pinScript(db: Db, site: string, text: string, url: string): Promise<Pin> {
  const hash = hashOf(text)
  await collection(db).updateOne({ _id: hash }, { $setOnInsert: { site, text, at: new Date() } }, { upsert: true })
  const src = `${url.replace(/\/+$/, '')}/t/${site}.${hash}.js`
  const integrity = integrityOf(text)
  const html = `<script defer src="${src}" integrity="${integrity}" crossorigin="anonymous"></script>`
  return { site, hash, src, integrity, html }
}

/** The text of a site's script that was pinned once. */
export async function findPinned(db: Db, site: string, hash: string): Promise<string | undefined> {
  return (await collection(db).findOne({ _id: hash, site }))?.text
}
