/**
 * Which goals of its site an event meets, and what it is worth. Decided here, before the journal has the event, from what
 * this collector knows of the site at that moment: everything after it only counts what is written. What came before a goal was
 * made does not carry it: there `sites/backfill.ts` adds it for who reads.
 */
import type { JournalEvent } from '../journal/index.ts'
import { type Money, matchersOf, type Site, worthOf } from '../sites/index.ts'
import type { Refusal } from './reasons.ts'
import { readRevenue } from './revenue.ts'

type Met = Pick<JournalEvent, 'goals' | 'revenue' | 'currency'>

const NONE: Met = {}

/**
 * @returns `goals` in the order of their making, and what the event says itself that it is worth, or the first of them does;
 *   or why it is refused
 */
export function convert(
  { goals }: Pick<Site, 'goals'>,
  { name, path, props = {} }: Pick<JournalEvent, 'name' | 'path' | 'props'>,
): Met | Refusal {
  const own = readRevenue(props)
  if (own && 'reason' in own) return own
  if (!goals) return own ? { revenue: own.value, currency: own.currency } : NONE
  let met: string[] | undefined
  let worth: Money | undefined = own
  for (const { goal, fits } of matchersOf(goals).get(name) ?? []) {
    if (!fits({ path, props })) continue
    met ??= []
    met.push(goal.name)
    worth ??= worthOf(goal, props)
  }
  return { goals: met, revenue: worth?.value, currency: worth?.currency }
}

/** Estimate of what it takes in the journal, bytes. */
export const sizeOfMet = ({ goals, currency }: Met): number =>
  (currency === undefined ? 0 : 40) + (goals ? goals.reduce((sum, goal) => sum + 2 * goal.length + 10, 20) : 0)
