/** Conversions divided among the visits that led to them. */
import { columnOf, Growing } from '../../columns/index.ts'
import { columnFor, goalsOf, shownAs } from '../block-filters.ts'
import { eventsOf } from '../block-scans.ts'
import { Places } from '../distinct.ts'
import type { VisitDimension } from '../names.ts'
import { toRevenue } from '../revenue.ts'
import { gather } from './gathered.ts'
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

const MOST_UNITS = 5_000_000
/** What a conversion goes to that no visit led to. */
const NOBODY = '(none)'
/** Codes of touches are even, and one more where the visit came directly; those of conversions follow. */
const CONVERSION = 2 ** 31
const DIRECT = 'direct'

interface Credit {
  conversions: number
  revenue: number
}

export async function attribution(
  { goal, model, dimension, lookback, halfLife, limit }: Attribution,
  { asked, read }: Reading,
): Promise<Results<'attribution'>> {
  const { range, bots } = asked
  const from = range.from - lookback
  const places = new Places(MOST_UNITS)
  const gathered = gather()
  const values = new Map<string, number>([[NOBODY, 0]])
  const worth = new Growing(true)
  const paid = new Growing()
  const currencies = new Set<string>()
  const names = [
    ...OF_VISITORS,
    ...(['session.bot', 'session.visits', 'session.channel', 'visit.start'] as const),
    ...(['event.goals', 'event.revenue', 'event.currency', columnFor(dimension)] as const),
  ]
  for await (const { block, fits } of read(names, [], from)) {
    const unitOf = visitorsIn(block, places)
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
    for (let session = 0; session < block.sessions; session++) {
      if (bots === 'none' && bot[session] === 1) continue
      const unit = unitOf(session, 0)
      if (unit === undefined) continue
      const code = 2 * (codes[told.numbers[session] ?? 0] ?? 0) + (channel.numbers[session] === direct ? 1 : 0)
      for (let visit = first[session] ?? 0; visit < (first[session + 1] ?? 0); visit++) {
        const at = start[visit] ?? 0
        if (at >= Math.max(from, block.from) && at < Math.min(range.to, block.to)) gathered.add(unit, at, code)
      }
    }
    const lists = columnOf(block, 'event.goals')
    const meets = lists.texts.map(text => goalsOf(text).includes(goal))
    const revenue = columnOf(block, 'event.revenue').numbers
    const currency = columnOf(block, 'event.currency')
    eventsOf(asked, block, (session, event, at) => {
      if (!meets[lists.numbers[event] ?? 0] || !fits(session, event, 0)) return
      const code = currency.texts[currency.numbers[event] ?? 0] ?? ''
      if (code) currencies.add(code)
      // Of nobody it is a unit of its own.
      const unit = unitOf(session, event) ?? places.of(-2 - worth.length)
      gathered.add(unit, at, CONVERSION + worth.length)
      worth.push(revenue[event] ?? 0)
      paid.push(code ? 1 : 0)
    })
  }
  const credits = new Map<number, Credit>()
  const give = (value: number, share: number, conversion: number): void => {
    const held = credits.get(value) ?? { conversions: 0, revenue: 0 }
    held.conversions += share
    held.revenue += share * worth.get(conversion)
    credits.set(value, held)
  }
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
  const isPaid = paid.all().some(one => one === 1)
  const [only] = currencies
  const money = (minor: number) => (isPaid && currencies.size === 1 && only ? toRevenue(minor, only) : null)
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
