/** Analyzing: a body goes in, results with how they were made come out. */
import { createHash } from 'node:crypto'
import type { Db } from 'mongodb'
import { type Blocks, type ColumnName, ColumnsGone, TooMuchRaw } from '../../columns/index.ts'
import { marksOf, type Site } from '../../sites/index.ts'
import { beginOf } from '../begin.ts'
import { findDone } from '../block-done.ts'
import { columnsFor, createFitting } from '../block-filters.ts'
import { inTurns, OF_DONE, OF_EVENTS } from '../blocks.ts'
import { type Computing, faultOf } from '../computing.ts'
import { TooManyDifferent } from '../distinct.ts'
import type { Reads } from '../engine.ts'
import { donesOf, type Filter } from '../filter.ts'
import type { Turn } from '../kept.ts'
import { type Fault, QueryError } from '../query.ts'
import { rangeText } from '../range.ts'
import { reading } from '../reading.ts'
import type { Source } from '../schema.ts'
import { readBody } from './read-body.ts'
import { type Asked, type Reading, readOf } from './reading.ts'
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
  compute: Computing
  /** ms since the epoch */
  clock(): number
}

const noTurn: Turn = async () => () => {}

export function createAnalyses({ db, blocks, compute, clock }: Parts): Analyses {
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
        const { answer, oldest } = await compute({ key, basis: { site: site.key, to }, signal, turn }, async reads => {
          const made: { source: Source } = { source: 'blocks' }
          const results = await read.run(readingOf(db, blocks, asked, reads, made))
          return { results, ...made }
        })
        const meta: AnalysisMeta = {
          source: answer.source,
          exact: true,
          fresh: new Date(Math.min(now, oldest ?? now)).toISOString(),
          ms: Math.round(performance.now() - begun),
          timezone: site.timezone,
          date_range: rangeText(range, site.timezone),
        }
        return { ...answer.results, meta }
      } catch (error) {
        const fault = faultOf(error)
        if (fault) return fault
        throw error
      }
    },
  }
}

const TOO_LARGE: Fault = {
  code: 'query-too-large',
  detail: 'date_range: more events than one analysis holds, or days that are not columns yet: ask a shorter one',
}

function readingOf(
  db: Db,
  blocks: Blocks,
  asked: Asked,
  { session, signal }: Reads,
  made: { source: Source },
): Reading {
  const fitting = createFitting(db, signal)
  return {
    asked,
    async *read(names, more: readonly Filter[] = [], from = asked.range.from) {
      const { site, range, filters } = asked
      const all = new Set<ColumnName>([...OF_EVENTS, ...names, ...[...filters, ...more].flatMap(columnsFor)])
      if (filters.flatMap(donesOf).length > 0) for (const name of OF_DONE) all.add(name)
      const span = { site: site.key, from, to: range.to, names: [...all], goals: site.goals, most: MOST_RAW }
      try {
        const found = await blocks.find(span, { ...reading(), session })
        if (!found) throw new QueryError(TOO_LARGE)
        const each = () => inTurns(found.blocks(), signal)
        const done = await findDone(asked, each, fitting)
        for await (const block of each()) yield await readOf(block, asked, { fitting, done: await done(block) })
        if (found.isRaw) made.source = 'events'
      } catch (error) {
        if ([TooMuchRaw, TooManyDifferent, ColumnsGone].some(kind => error instanceof kind))
          throw new QueryError(TOO_LARGE)
        throw error
      }
    },
  }
}
