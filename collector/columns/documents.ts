/**
 * How blocks are kept: a finished day of a site has a *manifest* that says what its blocks were made of, and one document a
 * column. Columns belong to a version of the manifest and are there before it is; who reads both at one moment has either all
 * of it or that of before.
 */
import { type AggregateOptions, Binary, type Collection, type Db, type ObjectId } from 'mongodb'
import type { Position } from '../rollup/index.ts'
import type { Revision } from '../settle/index.ts'
import { hashOf, type Seed } from '../sketch/index.ts'
import type { Block, Column, ColumnName, Rows } from './block.ts'
import { bytesOf, numbersOf, shared, type Width, widthOf } from './numbers.ts'

/** How its blocks are divided, and what is in them: those of another one are built anew. */
export const LAYOUT = 3

export interface ManifestDocument extends Position {
  _id: string
  site: string
  layout: number
  /** first and, not included, last moment: a day of the site when it was built */
  at: Date
  to: Date
  /** of its columns */
  version: ObjectId
  /** how often it was built, from 1: who builds it compares and swaps on this */
  built: number
  builtAt: Date
  /** earliest begin of the sessions that it has something of, `at` at the latest: what changes from then on changes it */
  since: Date
  /** the sums of the revisions of visits and of events from then on */
  revision: Revision
  /** names the secret numbers that its visitors are hashed with */
  seed: number
  /** how often counts had been changed other than by settling */
  changes: number
  /** its blocks, 1 or 2 or 4 …, each with the sessions of the same share of all windows of visitors */
  parts: Rows[]
  /** properties that are columns */
  properties: string[]
  /** what was added to the goals that its events carry, as `marksOf` of its begin says it; absent where nothing was */
  goals?: string[]
  /** columns that are not kept, as their texts are too large */
  missing: ColumnName[]
  /** how many there are, of all blocks */
  columns: number
  expires: Date
}

export interface ColumnDocument {
  _id: string
  site: string
  at: Date
  version: ObjectId
  part: number
  name: ColumnName
  width: Width
  /** {@link numbersOf}; absent where all are 0 */
  numbers?: Binary
  length: number
  texts: string[]
  expires: Date
}

export const manifests = (db: Db): Collection<ManifestDocument> => db.collection<ManifestDocument>('manifest')
export const columns = (db: Db): Collection<ColumnDocument> => db.collection<ColumnDocument>('blocks')

/** How many documents each version has, by its text. */
export async function countColumns(db: Db, site: string, options: AggregateOptions): Promise<Map<string, number>> {
  const stages = [{ $match: { site } }, { $group: { _id: '$version', n: { $sum: 1 } } }]
  const counted = await columns(db).aggregate<{ _id: ObjectId; n: number }>(stages, options).toArray()
  return new Map(counted.map(({ _id, n }) => [String(_id), n]))
}

export const manifestId = (site: string, at: number): string => `${site}/${at}`
export const columnId = (site: string, at: number, version: ObjectId, part: number, name: ColumnName): string =>
  `${site}/${at}/${version.toHexString()}/${part}/${name}`

/** Those of different seeds have nothing in common. */
export const markOf = (seed: Seed): number => hashOf('', seed)

/** Bytes that the texts of one column may have: a document takes 16 MB. */
const MOST_TEXT = 6 * 1024 * 1024

/** Each column of a block as a document, and the names of those that are too large. */
export function documentsOf(
  { columns }: Block,
  part: number,
  shared: Pick<ColumnDocument, 'site' | 'at' | 'version' | 'expires'>,
): { documents: ColumnDocument[]; missing: ColumnName[] } {
  const documents: ColumnDocument[] = []
  const missing: ColumnName[] = []
  for (const [name, { numbers, texts }] of columns) {
    if (texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 16, 0) > MOST_TEXT) {
      missing.push(name)
      continue
    }
    documents.push({
      _id: columnId(shared.site, +shared.at, shared.version, part, name),
      ...shared,
      part,
      name,
      width: widthOf(numbers),
      length: numbers.length,
      ...(!numbers.every(number => number === 0) && { numbers: new Binary(bytesOf(numbers)) }),
      texts: [...texts],
    })
  }
  return { documents, missing }
}

export function columnFrom({ width, numbers, length, texts }: ColumnDocument): Column {
  if (!numbers) return { numbers: zeros(length), texts }
  return { numbers: numbersOf(width, numbers.buffer.subarray(0, numbers.position)), texts }
}

let held: Uint8Array = new Uint8Array(shared(0))
/** Of the same piece of memory, whoever asks: nobody writes into columns. */
function zeros(length: number): Uint8Array {
  if (held.length < length) held = new Uint8Array(shared(length))
  return held.subarray(0, length)
}
