/** Runs an analysis, in whatever thread: its body was read before, and is read again where it runs, as it is plain data. */
import type { ColumnName } from '../../columns/index.ts'
import { findDone } from '../block-done.ts'
import { columnsFor, createFitting } from '../block-filters.ts'
import { OF_DONE, OF_EVENTS } from '../block-scan.ts'
import { donesOf, type Filter } from '../filter.ts'
import type { Supply, Work } from '../scanning.ts'
import { readBody } from './read-body.ts'
import { type Asked, type Reading, readOf } from './reading.ts'
import type { Analysis, Results } from './schema.ts'

export async function runAnalysis(
  { analysis, body, site, now, begin }: Extract<Work, { of: 'analysis' }>,
  supply: Supply,
): Promise<Results<Analysis>> {
  const { asked, run } = await readBody(analysis, body, { site, now, begin: async () => begin })
  return await run(readingOf(asked, supply))
}

function readingOf(asked: Asked, { blocks, fits }: Supply): Reading {
  const fitting = createFitting(fits)
  return {
    asked,
    async *read(names, more: readonly Filter[] = [], from = asked.range.from) {
      const { filters } = asked
      const all = new Set<ColumnName>([...OF_EVENTS, ...names, ...[...filters, ...more].flatMap(columnsFor)])
      if (filters.flatMap(donesOf).length > 0) for (const name of OF_DONE) all.add(name)
      const each = () => blocks([...all], from)
      const done = await findDone(asked, each, fitting)
      for await (const block of each()) yield await readOf(block, asked, { fitting, done: await done(block) })
    },
  }
}
