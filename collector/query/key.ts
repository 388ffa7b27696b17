/** Names a question by what its answer depends on, however it was put: what is only told back is left out. */
import { createHash } from 'node:crypto'
import { marksOf } from '../sites/index.ts'
import type { Filter } from './filter.ts'
import type { Query } from './query.ts'

export function keyOf({ site, metrics, range, grid, dimensions, filters, compared, ...rest }: Query): string {
  const { order, limit, offset, include } = rest
  const between = compared && [compared.from, compared.to]
  const parts = [
    [site.key, site.timezone, metrics, range.from, range.to, grid?.unit, dimensions],
    marksOf(site.goals, Math.min(range.from, compared?.from ?? range.from)),
    [
      sorted(filters.map(normal)),
      order,
      limit,
      offset,
      include.totalRows,
      include.bots,
      include.exact,
      between,
      include.explain,
    ],
  ]
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64')
}

/** What has to hold together, or one of which has to hold, may come in any order. */
function normal(filter: Filter): Filter {
  if (filter.kind === 'and' || filter.kind === 'or') return { ...filter, of: sorted(filter.of.map(normal)) }
  if (filter.kind === 'not' || filter.kind === 'done') return { ...filter, of: normal(filter.of) }
  return { ...filter, values: [...new Set(filter.values)].sort() }
}

const sorted = (filters: Filter[]): Filter[] =>
  filters
    .map(filter => [JSON.stringify(filter), filter] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, filter]) => filter)
