/**
 * Blocks for a question: of finished days those that are kept and hold, one part of all days after the other; of what lies
 * between what is read from sessions and events.
 */
import { createHash, randomInt } from 'node:crypto'
import { totalmem } from 'node:os'
import { LRUCache } from 'lru-cache'
import type { ClientSession, Db } from 'mongodb'
import { gapsBetween } from '../rollup/index.ts'
import { readRevisions } from '../settle/index.ts'
import { backfillOf, type Goal, marksOf } from '../sites/index.ts'
import { readSeed, type Seed } from '../sketch/index.ts'
import { once } from '../store/index.ts'
import { type Block, type Column, type ColumnName, columnOf, type Rows } from './block.ts'
import { columnId, type ManifestDocument, markOf } from './documents.ts'
import { hasGoals, readHolds, readManifests } from './fresh.ts'
import { createLoading } from './load.ts'
import { type Options, readRaw, type Span } from './read-raw.ts'
import { isOfApart } from './tally.ts'
import { startVisitors, type Visitors, WINDOWS } from './visitors.ts'

const MIB = 1024 * 1024
/** Of columns that are held, bytes: an eighth of the memory that there is. */
const MOST_BYTES = Math.max(256 * MIB, Math.min(totalmem(), process.constrainedMemory() || totalmem()) / 8)
/** Of the numbers of a site's visitors, beside that: they begin anew when it is more, bytes. */
const MOST_OF_VISITORS = Math.max(96 * MIB, MOST_BYTES / 4)
/** Sites whose visitors are numbered. */
const MOST_SITES = 4
/** Blocks whose columns are read at once. */
const TOGETHER = 16
/** Sessions of blocks that have a name: what is chosen of more is not kept. */
const MOST_NAMED = 10_000_000
/** Events and sessions that one question reads where there are no blocks. */
const MOST_RAW = 100_000

export interface BlocksAsked extends Span {
  site: string
  names: readonly ColumnName[]
  /** of the site: events have them also where they came before */
  goals?: readonly Goal[] | undefined
  /** events and sessions that are read of what has no blocks; as many as a query takes if absent */
  most?: number
}

/** What a question is answered from. */
export interface Found {
  /** days of which there are blocks that hold */
  days: readonly Span[]
  /** what is read from sessions and events, as none of these has it */
  gaps: readonly Span[]
  /** names these blocks and the numbers of their visitors; absent where they are not all kept, or very many */
  readonly name: string | undefined
  /** whether something was read from sessions and events so far, as no block that holds has it */
  readonly isRaw: boolean
  /** Sessions and events of the blocks that have some of the first so many windows of visitors. */
  rows(windows: number): number
  /**
   * Each block of the range that has some of the first so many windows, all if absent, once a call.
   * @param names columns that are read; those that were asked for if absent @throws TooMuchRaw, ColumnsGone
   */
  blocks(windows?: number, names?: readonly ColumnName[]): AsyncGenerator<Block>
}

/** Columns of a manifest were not there: somebody has removed them. The day is built anew by the next look at all days. */
export class ColumnsGone extends Error {
  override name = 'ColumnsGone'
}

export interface Blocks {
  /**
   * Blocks that have all of a range, and may reach out of it.
   * @returns `undefined` where there is too much of which no block that holds has these columns
   */
  find(asked: BlocksAsked, options: Options): Promise<Found | undefined>
  /** bytes that are held */
  readonly bytes: number
}

/** What goals decide. */
const OF_GOALS: readonly ColumnName[] = ['event.goals', 'event.revenue', 'event.currency']

const propertyIn = (name: ColumnName): string[] =>
  name.startsWith('event.props.') ? [name.slice('event.props.'.length)] : []

/** The columns that these are made of. */
const storedFor = (names: readonly ColumnName[]): ColumnName[] =>
  names.map(name => (name === 'who.id' ? 'who.hash' : name))

/** The same block with `who.id`. */
function numberedBy(visitors: Visitors, block: Block, known?: Column): Block {
  const ids = known ?? visitors.idsOf(columnOf(block, 'who.hash').numbers, block.id)
  return { ...block, columns: new Map([...block.columns, ['who.id', ids]]) }
}

/** One block of a day. */
interface Part {
  manifest: ManifestDocument
  part: number
  rows: Rows
  /** where its visitors begin, a share of all */
  begin: number
}

/** Those of the same visitors one after the other, and of these the earliest first. */
const inOrder = (manifests: readonly ManifestDocument[]): Part[] =>
  manifests
    .flatMap(manifest =>
      manifest.parts.map((rows, part) => ({ manifest, part, rows, begin: part / manifest.parts.length })),
    )
    .sort((a, b) => a.begin - b.begin || +a.manifest.at - +b.manifest.at)

const nameOf = ({ key }: Visitors, manifests: readonly ManifestDocument[]): string =>
  createHash('sha1')
    .update([key, ...manifests.map(({ version }) => version.toHexString())].join())
    .digest('base64')

interface Held {
  /** bytes of columns that are held, and what is read without blocks */
  most?: { bytes: number; raw: number } | undefined
  /** called with the keys of columns that are held no more */
  dropped?: ((keys: number[]) => void) | undefined
}

export function createBlocks(
  db: Db,
  { most = { bytes: MOST_BYTES, raw: MOST_RAW }, dropped = () => {} }: Held = {},
): Blocks {
  /** Whoever still reads in them does so without a name that others would keep them by. */
  const forget = (gone: Iterable<Column>): void => {
    const keys: number[] = []
    for (const column of gone) {
      if (column.key !== undefined) keys.push(column.key)
      column.key = undefined
    }
    if (keys.length > 0) dropped(keys)
  }
  const loading = createLoading(db, most.bytes, column => forget([column]))
  const numbered = new LRUCache<string, Visitors>({ max: MOST_SITES, dispose: visitors => forget(visitors.end()) })
  /** How visitors are told apart: one way for all questions of a moment. */
  const tellingOf = async (site: string, session: ClientSession): Promise<{ seed: Seed; visitors: Visitors }> => {
    const seed = await readSeed(db, site, session)
    // Without one there are no blocks either, so that any will do: reading writes nothing.
    if (!seed) return { seed: [randomInt(2 ** 32), randomInt(2 ** 32)], visitors: startVisitors() }
    // With other secret numbers they would be others.
    const name = `${site} ${markOf(seed)}`
    const known = numbered.get(name)
    if (known && known.bytes < MOST_OF_VISITORS) return { seed, visitors: known }
    const visitors = startVisitors()
    numbered.set(name, visitors)
    return { seed, visitors }
  }
  /** Blocks of these, read at once. */
  async function* kept(
    parts: readonly Part[],
    names: readonly ColumnName[],
    visitors: Visitors,
    options: Options,
  ): AsyncGenerator<Block> {
    const wanted = parts.map(({ manifest: { site, at, to, version }, part, rows }) => {
      const id = `${site}/${+at}/${version.toHexString()}/${part}`
      const known = names.includes('who.id') ? visitors.held(id) : undefined
      const stored = storedFor(names).filter(
        name => (!isOfApart(name) || rows.apart) && (name !== 'who.hash' || !known),
      )
      const ids = stored.map(name => [name, columnId(site, +at, version, part, name)] as const)
      return { id, known, ids, from: +at, to: +to, rows }
    })
    const loaded = await loading.load(
      wanted.flatMap(({ ids }) => ids.map(([, id]) => id)),
      options,
    )
    for (const { id, known, ids, from, to, rows } of wanted) {
      const found = new Map<ColumnName, Column>()
      for (const [name, columnId] of ids) {
        const column = loaded.get(columnId)
        if (!column) throw new ColumnsGone(`the blocks of ${id} are not whole`)
        found.set(name, column)
      }
      const block = { id, from, to, ...rows, columns: found }
      yield names.includes('who.id') ? numberedBy(visitors, block, known) : block
    }
  }

  return {
    async find({ site, from, to, names, goals, most: mostRaw = most.raw }, options) {
      const properties = names.flatMap(propertyIn)
      const asksGoals = names.some(name => OF_GOALS.includes(name))
      const { session } = options
      const all = await once(options, `manifests ${site} ${from} ${to}`, shared =>
        readManifests(db, site, { from, to }, shared as Options),
      )
      const holds = await once(options, `blocks hold ${site} ${from} ${to}`, shared =>
        readHolds(db, site, all, { ...(shared as Options), session }),
      )
      const taken: ManifestDocument[] = []
      for (const manifest of all) {
        const isFree = +manifest.at >= +(taken.at(-1)?.to ?? manifest.at)
        const hasAll =
          properties.every(name => manifest.properties.includes(name)) &&
          !manifest.missing.some(name => names.includes(name)) &&
          (!asksGoals || hasGoals(manifest, goals))
        if (isFree && hasAll && holds(manifest)) taken.push(manifest)
      }
      const gaps = gapsBetween(
        { from, to },
        taken.map(one => ({ from: Math.max(from, +one.at), to: Math.min(to, +one.to) })),
      )
      const revisions = await readRevisions(db, site, { from, to }, options)
      const raw = gaps.reduce((sum, gap) => sum + revisions(gap.from, gap.to).events, 0)
      if (raw > mostRaw) return undefined
      const { seed, visitors } = await once(options, `visitors ${site}`, () => tellingOf(site, session))
      let isRaw = false
      const parts = inOrder(taken)
      const isNamed = raw === 0 && parts.reduce((sum, { rows }) => sum + rows.sessions, 0) <= MOST_NAMED
      const having = (windows: number) => parts.filter(({ begin }) => begin < windows / WINDOWS)
      return {
        gaps,
        days: taken.map(({ at, to }) => ({ from: +at, to: +to })),
        name: isNamed ? nameOf(visitors, taken) : undefined,
        get isRaw() {
          return isRaw
        },
        rows: windows => having(windows).reduce((sum, { rows }) => sum + rows.sessions + rows.events, 0),
        async *blocks(windows = WINDOWS, read = names) {
          const parts = having(windows)
          for (let first = 0; first < parts.length; first += TOGETHER)
            yield* kept(parts.slice(first, first + TOGETHER), read, visitors, options)
          for (const gap of gaps) {
            const asked = { site, ...gap, properties, backfill: backfillOf(goals, gap.from), seed, most: mostRaw }
            // The questions of a dashboard ask for the same.
            const name = `raw ${site} ${gap.from} ${gap.to} ${mostRaw} ${properties.join()} ${marksOf(goals, gap.from).join()}`
            const raw = await once(options, name, shared => readRaw(db, asked, shared as Options))
            isRaw ||= raw.blocks.some(({ sessions, events }) => sessions + events > 0)
            for (const block of raw.blocks) yield read.includes('who.id') ? numberedBy(visitors, block) : block
          }
        },
      }
    },
    get bytes() {
      return loading.bytes
    },
  }
}
