/** Analyzing: a body goes in, results with how they were made come out. */
import { createHash } from 'node:crypto'
import type { Db } from 'mongodb'
import { type Blocks, ColumnsGone, type Found, TooManyDifferent, TooMuchRaw } from '../../columns/index.ts'
import { marksOf, type Site } from '../../sites/index.ts'
import { beginOf } from '../begin.ts'
import { type Computing, faultOf } from '../computing.ts'
import type { Reads } from '../engine.ts'
import { fittingOf } from '../hours.ts'
import type { Turn } from '../kept.ts'
import { type Fault, QueryError } from '../query.ts'
import { rangeText } from '../range.ts'
import { reading } from '../reading.ts'
import type { Scanning, Supply } from '../scanning.ts'
import type { Source } from '../schema.ts'
import { readBody } from './read-body.ts'
import type { Asked } from './reading.ts'
import type { Analysis, AnalysisMeta, Results } from './schema.ts'

/** Events and sessions that one analysis reads of what has no blocks. */
const MOST_RAW = 1_000_000

export interface Analyses {
  /**
   * @param body as it was sent
   * @param signal aborts when the asker has gone
   * @throws what the database throws, and the signal's reason
   */
  analyze<A extends Analysis>(
    analysis: A,
    body: unknown,
    site: Site,
    signal: AbortSignal,
    turn?: Turn,
  ): Promise<(Results<A> & { meta: AnalysisMeta }) | Fault>
}

interface Parts {
  db: Db
  blocks: Blocks
  scanning: Scanning
  compute: Computing
  /** ms since the epoch */
  clock(): number
}

const noTurn: Turn = async () => () => {}

export function createAnalyses({ db, blocks, scanning, compute, clock }: Parts): Analyses {
  return {
    async analyze(analysis, body, site, signal, turn = noTurn) {
      const begun = performance.now()
      const now = Math.floor(clock() / 1_000) * 1_000
      try {
        const read = await readBody(analysis, body, { site, now, begin: () => beginOf(db, site.key, signal) })
        const { asked } = read
        const { range, bots } = asked
        const to = bots === 'all' ? Number.MAX_SAFE_INTEGER : range.to
        // Attribution looks back from the range.
        const goals = marksOf(site.goals, Number.NEGATIVE_INFINITY)
        const key = createHash('sha256')
          .update(JSON.stringify([analysis, site.key, site.timezone, range.from, range.to, body, goals]))
          .digest('base64')
        const work = { of: 'analysis', analysis, body, site, now, begin: read.begin } as const
        const question = { key, basis: { site: site.key, to }, signal, turn }
        const { answer, oldest } = await compute(question, async reads => {
          const { supply, isRaw } = supplyOf(db, blocks, asked, reads)
          const results = await scanning(work, supply, reads.signal).catch(tooLarge)
          const source: Source = isRaw() ? 'events' : 'blocks'
          return { results, source }
        })
        const meta: AnalysisMeta = {
          source: answer.source,
          exact: true,
          fresh: new Date(Math.min(now, oldest ?? now)).toISOString(),
          ms: Math.round(performance.now() - begun),
          timezone: site.timezone,
          date_range: rangeText(range, site.timezone),
        }
        return { ...(answer.results as Results<typeof analysis>), meta }
      } catch (error) {
        const fault = faultOf(error)
        if (fault) return fault
        throw error
      }
    },
  }
}

const tooLarge = (error: unknown): never => {
  const isTooLarge = [TooMuchRaw, TooManyDifferent, ColumnsGone].some(kind => error instanceof kind)
  throw isTooLarge ? new QueryError(TOO_LARGE) : error
}

const TOO_LARGE: Fault = {
  code: 'query-too-large',
  detail: 'date_range: more events than one analysis holds, or days that are not columns yet: ask a shorter one',
}

/** Blocks of whatever range an analysis reads, and whether something of it was none. */
function supplyOf(db: Db, blocks: Blocks, asked: Asked, { session, signal }: Reads) {
  const read: Found[] = []
  const supply: Supply = {
    fits: (leaf, values) => fittingOf(db, [leaf], values, signal),
    async *blocks(names, from) {
      const span = { site: asked.site.key, from, to: asked.range.to, names, goals: asked.site.goals, most: MOST_RAW }
      const found = await blocks.find(span, { ...reading(), session })
      if (!found) throw new QueryError(TOO_LARGE)
      read.push(found)
      yield* found.blocks()
    },
  }
  return { supply, isRaw: () => read.some(({ isRaw }) => isRaw) }
}
