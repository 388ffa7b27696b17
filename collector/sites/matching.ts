/**
 * Which events a goal matches, and what they are worth by it. `query/goal-expressions.ts` says the same to MongoDB: what is
 * changed here is changed there, and a test holds one against the other.
 */
import { getOrAdd } from '../get-or-add.ts'
import type { Condition, Goal } from './goals.ts'
import { type Money, toMinor } from './money.ts'

type Props = Readonly<Record<string, unknown>>

/** What a goal asks of an event. */
export interface Matchable {
  name: string
  path?: string | undefined
  props?: Props | undefined
}

export interface Matcher {
  goal: Goal
  /** of an event that has the name which the goal is about */
  fits(event: Pick<Matchable, 'path' | 'props'>): boolean
}

/** By the name of the event that they are about, each list in the order of their making. */
export type Matchers = ReadonlyMap<string, readonly Matcher[]>

const NO_PROPS: Props = {}
const held = new WeakMap<readonly Goal[], Matchers>()

/** Made once for each list. */
export function matchersOf(goals: readonly Goal[]): Matchers {
  const there = held.get(goals)
  if (there) return there
  const matchers = new Map<string, Matcher[]>()
  for (const goal of goals) {
    const fitsPath = goal.page === undefined ? () => true : pathTest(goal.page)
    getOrAdd(matchers, eventOf(goal), () => []).push({
      goal,
      fits: ({ path = '', props = NO_PROPS }) =>
        fitsPath(path) && (goal.where?.every(condition => holds(condition, props)) ?? true),
    })
  }
  held.set(goals, matchers)
  return matchers
}

/** Name of the events that a goal is about. */
export const eventOf = ({ event }: Pick<Goal, 'event'>): string => event ?? 'pageview'

/** A property that has no amount is worth nothing; the conversion counts all the same. */
export function worthOf({ value }: Pick<Goal, 'value'>, props: Props = NO_PROPS): Money | undefined {
  if (!value) return undefined
  const amount = 'property' in value ? toMinor(ownOf(props, value.property), value.currency) : value.amount
  return amount === undefined ? undefined : { value: amount, currency: value.currency }
}

/** A text that is a number: no more digits than a float64 has room for, so that none is infinite, or nothing. */
export const NUMBER_TEXT = '-?\\d{1,300}(?:\\.\\d{1,300})?'
const isNumberText = new RegExp(`^${NUMBER_TEXT}$`)

const ownOf = (props: Props, name: string): unknown => (Object.hasOwn(props, name) ? props[name] : undefined)

function holds(condition: Condition, props: Props): boolean {
  const value = ownOf(props, condition.property)
  if ('present' in condition) return value !== undefined && value !== null
  if ('is' in condition) return value !== undefined && typeof value !== 'object' && condition.is.includes(String(value))
  const number = typeof value === 'string' && isNumberText.test(value) ? Number(value) : value
  if (typeof number !== 'number') return false
  const { compare, to } = condition
  if (compare === '>') return number > to
  if (compare === '>=') return number >= to
  return compare === '<' ? number < to : number <= to
}

/** What a pattern of a page asks of a path: how it begins, what comes in between, in this order, and how it ends. */
export function partsOfPage(pattern: string): { first: string; between: string[]; last: string | undefined } {
  const [first = '', ...between] = pattern.split(/\*+/)
  const last = between.pop()
  return { first, between, last }
}

/** Whether a path fits a pattern. Not by a regular expression: several `*` would take it time without end. */
function pathTest(pattern: string): (path: string) => boolean {
  const { first, between, last } = partsOfPage(pattern)
  if (last === undefined) return path => path === first
  return path => {
    if (!path.startsWith(first)) return false
    let at = first.length
    for (const part of between) {
      const found = path.indexOf(part, at)
      if (found < 0) return false
      at = found + part.length
    }
    return path.length - last.length >= at && path.endsWith(last)
  }
}
