/**
 * Which goals of its site an event meets, and what it is worth. Decided here, before the journal has the event, from what
 * this collector knows of the site at that moment: everything after it only counts what is written.
 */
import { getOrAdd } from '../get-or-add.ts'
import type { JournalEvent } from '../journal/index.ts'
import { type Condition, type Goal, type Money, type Site, toMinor } from '../sites/index.ts'
import type { Refusal } from './reasons.ts'
import { readRevenue } from './revenue.ts'

type Props = Record<string, unknown>
type Met = Pick<JournalEvent, 'goals' | 'revenue' | 'currency'>

/** Goals by the name of the event that they are about. */
type Prepared = ReadonlyMap<string, readonly PreparedGoal[]>
interface PreparedGoal {
  goal: Goal
  since: number
  fitsPath: (path: string) => boolean
}

const NONE: Met = {}
const held = new WeakMap<readonly Goal[], Prepared>()

function prepare(goals: readonly Goal[]): Prepared {
  const prepared = new Map<string, PreparedGoal[]>()
  for (const goal of goals) {
    const fitsPath = goal.page === undefined ? () => true : pathTest(goal.page)
    getOrAdd(prepared, goal.event ?? 'pageview', () => []).push({ goal, since: +goal.since, fitsPath })
  }
  return prepared
}

/**
 * @returns `goals` in the order of their making, and what the event says itself that it is worth, or the first of them does;
 *   or why it is refused
 */
export function convert(
  { goals }: Pick<Site, 'goals'>,
  { name, path, ts, props = {} }: Pick<JournalEvent, 'name' | 'path' | 'ts' | 'props'>,
): Met | Refusal {
  const own = readRevenue(props)
  if (own && 'reason' in own) return own
  if (!goals) return own ? { revenue: own.value, currency: own.currency } : NONE
  let prepared = held.get(goals)
  if (!prepared) {
    prepared = prepare(goals)
    held.set(goals, prepared)
  }
  let met: string[] | undefined
  let worth: Money | undefined = own
  for (const { goal, since, fitsPath } of prepared.get(name) ?? []) {
    if (+ts < since || !fitsPath(path) || goal.where?.some(condition => !holds(condition, props))) continue
    met ??= []
    met.push(goal.name)
    worth ??= worthOf(goal, props)
  }
  return { goals: met, revenue: worth?.value, currency: worth?.currency }
}

/** A property that has no amount is worth nothing; the conversion counts all the same. */
function worthOf({ value }: Goal, props: Props): Money | undefined {
  if (!value) return undefined
  const amount = 'property' in value ? toMinor(props[value.property], value.currency) : value.amount
  return amount === undefined ? undefined : { value: amount, currency: value.currency }
}

function holds(condition: Condition, props: Props): boolean {
  const value = Object.hasOwn(props, condition.property) ? props[condition.property] : undefined
  if ('present' in condition) return value !== undefined && value !== null
  if ('is' in condition) return value !== undefined && typeof value !== 'object' && condition.is.includes(String(value))
  const number = typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value
  if (typeof number !== 'number') return false
  const { compare, to } = condition
  if (compare === '>') return number > to
  if (compare === '>=') return number >= to
  return compare === '<' ? number < to : number <= to
}

/** Whether a path fits a pattern. Not by a regular expression: several `*` would take it time without end. */
function pathTest(pattern: string): (path: string) => boolean {
  const [first = '', ...rest] = pattern.split(/\*+/)
  const last = rest.pop()
  if (last === undefined) return path => path === first
  return path => {
    if (!path.startsWith(first)) return false
    let at = first.length
    for (const part of rest) {
      const found = path.indexOf(part, at)
      if (found < 0) return false
      at = found + part.length
    }
    return path.length - last.length >= at && path.endsWith(last)
  }
}

/** Estimate of what it takes in the journal, bytes. */
export const sizeOfMet = ({ goals, currency }: Met): number =>
  (currency === undefined ? 0 : 40) + (goals ? goals.reduce((sum, goal) => sum + 2 * goal.length + 10, 20) : 0)
