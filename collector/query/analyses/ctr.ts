/** Impressions and clicks by what was shown, counted, and by visitor. */
import { columnOf, Growing, NOTHING, Places } from '../../columns/index.ts'
import { eachEvents } from '../block-chunks.ts'
import { columnFor } from '../block-filters.ts'
import type { EventDimension } from '../names.ts'
import { percentOf, type Reading } from './reading.ts'
import type { Results } from './schema.ts'
import { OF_VISITORS, visitorsIn } from './units.ts'

export interface Ctr {
  dimension: EventDimension
  impression: string
  click: string
  limit: number
}

const MOST_PAIRS = 4_000_000
/** So that a value and a visitor are one number below 2⁵³. */
const UNITS = 2 ** 27

export async function ctr(
  { dimension, impression, click, limit }: Ctr,
  { asked, read }: Reading,
): Promise<Results<'ctr'>> {
  const pairs = new Places(MOST_PAIRS)
  const values = new Map<string, number>()
  const [impressions, clicks] = [new Growing(), new Growing()]
  /** by pair: its value, its first impression and its last click, ms */
  const [valuesOf, shown, clicked] = [new Growing(), new Growing(true), new Growing(true)]
  for await (const { block, fits } of read([...OF_VISITORS, columnFor(dimension)])) {
    const unitOf = visitorsIn(block)
    const name = columnOf(block, 'event.name')
    const [isImpression, isClick] = [name.texts.indexOf(impression), name.texts.indexOf(click)]
    const told = columnOf(block, columnFor(dimension))
    const codes = told.texts.map(() => -1)
    const codeOf = (event: number): number => {
      const place = told.numbers[event] ?? 0
      const held = codes[place] ?? -1
      if (held >= 0) return held
      const text = told.texts[place] ?? ''
      if (!values.has(text)) values.set(text, values.size)
      const code = values.get(text) ?? 0
      codes[place] = code
      return code
    }
    const at = columnOf(block, 'event.at').numbers
    const count = (session: number, event: number, sees: boolean): void => {
      const value = codeOf(event)
      const counted = sees ? impressions : clicks
      counted.set(value, value < counted.length ? counted.get(value) + 1 : 1)
      const unit = unitOf(session, event)
      if (unit === NOTHING) return
      const pair = pairs.of(value * UNITS + unit)
      if (pair === valuesOf.length) {
        valuesOf.push(value)
        shown.push(Number.POSITIVE_INFINITY)
        clicked.push(Number.NEGATIVE_INFINITY)
      }
      const time = block.from + (at[event] as number)
      if (sees) shown.set(pair, Math.min(shown.get(pair), time))
      else clicked.set(pair, Math.max(clicked.get(pair), time))
    }
    eachEvents(asked, block, { test: fits }, ({ length, sessions, events }) => {
      for (let i = 0; i < length; i++) {
        const event = events[i] as number
        const kind = name.numbers[event]
        if (kind === isImpression || kind === isClick) count(sessions[i] as number, event, kind === isImpression)
      }
    })
  }
  const [viewers, clickers] = [new Growing(), new Growing()]
  const raise = (of: Growing, value: number) => of.set(value, value < of.length ? of.get(value) + 1 : 1)
  for (let pair = 0; pair < valuesOf.length; pair++) {
    if (shown.get(pair) === Number.POSITIVE_INFINITY) continue
    raise(viewers, valuesOf.get(pair))
    if (clicked.get(pair) >= shown.get(pair)) raise(clickers, valuesOf.get(pair))
  }
  const of = (counts: Growing, value: number): number => (value < counts.length ? counts.get(value) : 0)
  const rate = (part: number, whole: number) => (whole === 0 ? null : percentOf(part, whole))
  const rows = [...values].map(([value, place]) => {
    const [seen, chosen] = [of(impressions, place), of(clicks, place)]
    const [saw, went] = [of(viewers, place), of(clickers, place)]
    return {
      ...{ value, impressions: seen, clicks: chosen, ctr: rate(chosen, seen) },
      ...{ viewers: saw, clickers: went, viewer_ctr: rate(went, saw) },
    }
  })
  rows.sort((a, b) => b.impressions - a.impressions || b.clicks - a.clicks || (a.value < b.value ? -1 : 1))
  return { results: rows.slice(0, limit) }
}
