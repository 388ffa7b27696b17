/** The rows of a page where visitors are dear and all else is known: they are read of as few rows as can be. */
import type { Ask, Measure, Page, Row } from './engine.ts'
import type { Dimension, Metric } from './names.ts'
import { pageOf, SHARES } from './order.ts'

/** Rows that are read at once beside those of the page, as some with fewer visits will have more visitors. */
const BESIDE = 10

/** No row has more visitors than that. */
export const boundOf = ({ over, pagesOnly }: Pick<Ask, 'over' | 'pagesOnly'>): Measure =>
  over === 'visits' ? 'visits' : pagesOnly ? 'pageviews' : 'events'

/**
 * @param rows all of the answer, without visitors
 * @param bound of the ask ({@link boundOf})
 * @param read gives some of the rows their visitors
 */
export async function pageOfFew<One extends Row>(
  { page, grid, dimensions }: Ask,
  rows: Row[],
  bound: Measure,
  read: (some: Row[]) => Promise<One[]>,
): Promise<{ rows: One[]; total?: number }> {
  if (!page) return { rows: await read(rows) }
  const total = page.total ? { total: rows.length } : {}
  if (!page.order.some(([by]) => isOfVisitors(by)))
    return { rows: await read(pageOf(rows, dimensions, page).rows), ...total }
  const [by, direction] = page.order[0] as Page['order'][number]
  // Sketches of one value are read for all buckets.
  const readable = !grid && isOfVisitors(by) && direction === -1
  const candidates = readable ? await mostOf(rows, page.offset + page.limit, bound, read) : await read(rows)
  return { ...(pageOf(candidates, dimensions, { ...page, total: false }) as { rows: One[] }), ...total }
}

const isOfVisitors = (by: Metric | Dimension): boolean =>
  by === 'visitors' || by === 'group_conversion_rate' || SHARES.includes(by as Metric)

/** So many rows with most visitors, all that have as many as the last of these, and some others. Those of some may be known. */
async function mostOf<One extends Row>(
  rows: Row[],
  count: number,
  bound: Measure,
  read: (some: Row[]) => Promise<One[]>,
): Promise<One[]> {
  const mostOfRow = ({ counts }: Row): number => counts[bound] ?? 0
  const known = rows.filter(({ counts }) => counts.visitors !== undefined)
  const some = known.length >= count ? known : largest(rows, count + BESIDE, mostOfRow)
  const first = await read(some)
  const visitors = first.map(({ counts }) => counts.visitors ?? 0).sort((a, b) => b - a)
  const last = visitors[count - 1] ?? 0
  const there = new Set(some)
  const others = rows.filter(row => mostOfRow(row) >= last && !there.has(row))
  return others.length > 0 ? [...first, ...(await read(others))] : first
}

/** So many of them: thousands of rows are not sorted for twenty. */
function largest<One>(all: readonly One[], count: number, weightOf: (one: One) => number): One[] {
  const weights = Float64Array.from(all, weightOf).sort()
  const least = weights[weights.length - count] ?? Number.NEGATIVE_INFINITY
  return all
    .filter(one => weightOf(one) >= least)
    .sort((a, b) => weightOf(b) - weightOf(a))
    .slice(0, count)
}
