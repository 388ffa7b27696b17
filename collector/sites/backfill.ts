/**
 * Goals of events that came before their goals were made. What is stored is never written again, so whoever reads it adds what
 * it meets: the goals that an event carries, and those that were made later and that it fits. An event that carries a goal
 * already stays as it is, so it does not matter when that is done, or how often. Goals that were removed have no definition
 * any more: of them an event has what it carries.
 */
import { createHash } from 'node:crypto'
import type { Goal } from './goals.ts'
import { matchersOf, worthOf } from './matching.ts'

/** Collectors look at their sites twice a second. More than that, and than their clocks differ, ms. */
const SEEN_MS = 5 * 60_000

/** From which moment on events carry a goal themselves, ms: all that happened since then came when collectors knew it. */
export const carriedFrom = ({ since, carriedFrom: said }: Pick<Goal, 'since' | 'carriedFrom'>): number =>
  said ? +said : +since + SEEN_MS

/** Goals that events from a moment on may not carry, in the order of their making. @param from ms since the epoch */
export const uncarried = (goals: readonly Goal[] | undefined, from: number): Goal[] =>
  (goals ?? []).filter(goal => carriedFrom(goal) > from)

const marks = new WeakMap<Goal, string>()

/** Names a goal by what it matches, what that is worth, and of which events. */
export function markOf(goal: Goal): string {
  const held = marks.get(goal)
  if (held !== undefined) return held
  const { name, page, event, where, value } = goal
  const text = JSON.stringify([name, page, event, where, value, carriedFrom(goal)])
  const mark = createHash('sha256').update(text).digest('base64url').slice(0, 22)
  marks.set(goal, mark)
  return mark
}

/** What readers of events from a moment on add to them: where this is the same, so are their goals. */
export const marksOf = (goals: readonly Goal[] | undefined, from: number): string[] =>
  uncarried(goals, from).map(markOf)

/** What of a stored event tells which goals it meets. */
export interface Carrying {
  ts: Date
  meta: { name: string }
  path?: string | undefined
  props?: Record<string, unknown> | undefined
  goals?: string[] | undefined
  /** minor units of `currency` */
  revenue?: number | undefined
  currency?: string | undefined
}

export type Backfill = <E extends Carrying>(event: E) => E

/**
 * @param from ms since the epoch: of events from then on
 * @returns an event with all goals that it meets, those that it carries first, and what it is worth: what it says, or else the
 *   first of the others that has a value; `undefined` where all events carry all goals
 */
export function backfillOf(goals: readonly Goal[] | undefined, from: number): Backfill | undefined {
  const asked = uncarried(goals, from)
  if (asked.length === 0) return undefined
  const matchers = matchersOf(asked)
  return event => {
    const { ts, meta, path, props, goals: carried = [] } = event
    const met = (matchers.get(meta.name) ?? [])
      .filter(({ goal, fits }) => +ts < carriedFrom(goal) && fits({ path, props }))
      .map(({ goal }) => goal)
    if (met.length === 0) return event
    const names = met.map(({ name }) => name).filter(name => !carried.includes(name))
    const added = names.length === 0 ? {} : { goals: [...carried, ...names] }
    if (event.currency !== undefined) return { ...event, ...added }
    for (const goal of met) {
      const worth = worthOf(goal, props)
      if (worth) return { ...event, ...added, revenue: worth.value, currency: worth.currency }
    }
    return { ...event, ...added }
  }
}
