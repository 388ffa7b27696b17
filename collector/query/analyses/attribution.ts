/** Conversions divided among the visits that led to them. */
import { type ColumnName, columnOf, Growing, NOTHING } from '../../columns/index.ts'
import { eachEvents, keepFitting, newFits } from '../block-chunks.ts'
import { columnFor, goalsOf, shownAs } from '../block-filters.ts'
import type { VisitDimension } from '../names.ts'
import { toRevenue } from '../revenue.ts'
import { type Gathered, gather } from './gathered.ts'
import type { Reading } from './reading.ts'
import type { Model, Results } from './schema.ts'
import { OF_VISITORS, visitorsIn } from './units.ts'

export interface Attribution {
  goal: string
  model: Model
  dimension: VisitDimension
  /** ms */
  lookback: number
  /** ms */
  halfLife: number
  limit: number
}

/** What a conversion goes to that no visit led to. */
const NOBODY = '(none)'
/** Codes of touches are even, and one more where the visit came directly; those of conversions follow. */
const CONVERSION = 2 ** 31
const DIRECT = 'direct'

interface Credit {
  conversions: number
  revenue: number
}

export async function attribution(asked: Attribution, reading: Reading): Promise<Results<'attribution'>> {
  const { model, lookback, halfLife, limit } = asked
  const gathered = gather()
  const converted = await conversionsOf(asked, reading, gathered)
  const { worth, currencies } = converted
  const values = await touchesOf(asked, reading, converted, gathered)
  const credits = new Map<number, Credit>()
  const give = (value: number, share: number, conversion: number): void => {
    const held = credits.get(value) ?? { conversions: 0, revenue: 0 }
    held.conversions += share
    held.revenue += share * worth.get(conversion)
    credits.set(value, held)
  }
  for (const conversion of converted.ofNobody) give(0, 1, conversion)
  gathered.each((times, codes) => {
    for (let i = 0; i < times.length; i++) {
      const code = codes[i] ?? 0
      if (code < CONVERSION) continue
      const at = times[i] ?? 0
      const touches: Touch[] = []
      // Also those that begin in the same ms, wherever they lie.
      for (let t = 0; t < times.length && (times[t] ?? 0) <= at; t++) {
        const touch = codes[t] ?? 0
        const before = at - (times[t] ?? 0)
        if (touch < CONVERSION && before <= lookback)
          touches.push({ value: touch >> 1, isDirect: touch % 2 === 1, before })
      }
      const conversion = code - CONVERSION
      if (touches.length === 0) give(0, 1, conversion)
      for (const [t, share] of sharesOf(model, touches, halfLife).entries())
        if (share > 0) give(touches[t]?.value ?? 0, share, conversion)
    }
  })
  const [only] = currencies
  const money = (minor: number) => (currencies.size === 1 && only ? toRevenue(minor, only) : null)
  const texts = [...values.keys()]
  const rows = [...credits]
    .map(([value, credit]) => ({ value: texts[value] ?? NOBODY, ...credit }))
    .sort((a, b) => b.conversions - a.conversions || (a.value < b.value ? -1 : 1))
  return {
    results: rows.slice(0, limit).map(({ value, conversions, revenue }) => ({
      value,
      conversions: Math.round(conversions * 10_000) / 10_000,
      revenue: money(revenue),
    })),
    total: { conversions: worth.length, revenue: money([...worth.all()].reduce((sum, n) => sum + n, 0)) },
  }
}

interface Conversions {
  /** of each, minor units */
  worth: Growing
  currencies: ReadonlySet<string>
  /** those that are nobody's */
  ofNobody: number[]
  /** whether this visitor has one */
  has(visitor: number): boolean
}

/** Gathers conversions of the goal. */
async function conversionsOf(
  { goal }: Attribution,
  { asked, read }: Reading,
  gathered: Gathered,
): Promise<Conversions> {
  const worth = new Growing(true)
  const visitors = new Growing()
  const currencies = new Set<string>()
  const ofNobody: number[] = []
  const meeting = newFits()
  const names: ColumnName[] = [...OF_VISITORS, 'event.goals', 'event.revenue', 'event.currency']
  for await (const { block, fits } of read(names)) {
    const unitOf = visitorsIn(block)
    const lists = columnOf(block, 'event.goals')
    const meets = Uint8Array.from(lists.texts, text => (goalsOf(text).includes(goal) ? 1 : 0))
    if (!meets.includes(1)) continue
    const revenue = columnOf(block, 'event.revenue').numbers
    const currency = columnOf(block, 'event.currency')
    const at = columnOf(block, 'event.at').numbers
    eachEvents(asked, block, {}, chunk => {
      const { sessions, events } = chunk
      for (let i = 0; i < chunk.length; i++) meeting[i] = meets[lists.numbers[events[i] as number] as number] as number
      keepFitting(chunk, meeting)
      if (fits) {
        fits(chunk, meeting)
        keepFitting(chunk, meeting)
      }
      for (let i = 0; i < chunk.length; i++) {
        const event = events[i] as number
        const code = currency.texts[currency.numbers[event] as number] ?? ''
        if (code) currencies.add(code)
        const visitor = unitOf(sessions[i] as number, event)
        if (visitor === NOTHING) ofNobody.push(worth.length)
        else {
          gathered.add(visitor, block.from + (at[event] as number), CONVERSION + worth.length)
          visitors.set(visitor, 1)
        }
        worth.push(revenue[event] as number)
      }
    })
  }
  const has = (visitor: number): boolean => visitor < visitors.length && visitors.get(visitor) === 1
  return { worth, currencies, ofNobody, has }
}

/** Gathers visits of those who have converted; gives back what their values are called, by code. */
async function touchesOf(
  { dimension, lookback }: Attribution,
  { asked, read }: Reading,
  { has }: Pick<Conversions, 'has'>,
  gathered: Gathered,
): Promise<Map<string, number>> {
  const { range, bots } = asked
  const begin = range.from - lookback
  const values = new Map<string, number>([[NOBODY, 0]])
  const names = ['session.bot', 'session.visits', 'session.channel', 'visit.start', columnFor(dimension)] as const
  for await (const { block } of read([...OF_VISITORS, ...names], [], begin)) {
    const unitOf = visitorsIn(block)
    const told = columnOf(block, columnFor(dimension))
    const codes = told.texts.map(text => {
      const value = shownAs(dimension, text)
      if (!values.has(value)) values.set(value, values.size)
      return values.get(value) ?? 0
    })
    const channel = columnOf(block, 'session.channel')
    const direct = channel.texts.indexOf(DIRECT)
    const first = columnOf(block, 'session.visits').numbers
    const start = columnOf(block, 'visit.start').numbers
    const bot = columnOf(block, 'session.bot').numbers
    const [from, to] = [Math.max(begin, block.from), Math.min(range.to, block.to)]
    for (let session = 0; session < block.sessions; session++) {
      if (bots === 'none' && bot[session] === 1) continue
      const unit = unitOf(session, 0)
      if (unit === NOTHING || !has(unit)) continue
      const code = 2 * (codes[told.numbers[session] as number] ?? 0) + (channel.numbers[session] === direct ? 1 : 0)
      for (let visit = first[session] as number; visit < (first[session + 1] as number); visit++) {
        const at = start[visit] as number
        if (at >= from && at < to) gathered.add(unit, at, code)
      }
    }
  }
  return values
}

export interface Touch {
  /** place of its value */
  value: number
  isDirect: boolean
  /** how long before the conversion, ms */
  before: number
}

/** What each touch gets of a conversion, in the order of time; 1 in all. */
export function sharesOf(model: Model, touches: readonly Touch[], halfLife: number): number[] {
  const { length } = touches
  const one = (place: number) => touches.map((_, t) => (t === place ? 1 : 0))
  if (length === 0) return []
  switch (model) {
    case 'first':
      return one(0)
    case 'last_click': {
      const last = touches.findLastIndex(({ isDirect }) => !isDirect)
      return one(last < 0 ? length - 1 : last)
    }
    case 'linear':
      return touches.map(() => 1 / length)
    case 'position':
      if (length <= 2) return touches.map(() => 1 / length)
      return touches.map((_, t) => (t === 0 || t === length - 1 ? 0.4 : 0.2 / (length - 2)))
    case 'time_decay': {
      // Beside the last one, so that what is long ago is not nothing beside nothing.
      const least = Math.min(...touches.map(({ before }) => before))
      const weights = touches.map(({ before }) => 2 ** ((least - before) / halfLife))
      const sum = weights.reduce((total, weight) => total + weight, 0)
      return weights.map(weight => weight / sum)
    }
  }
}
