import { strings } from '../strings.ts'
import type { Format } from '../ui/format.ts'
import type { Count, LiveState } from './state.ts'
import { sumToday, type TodaySums } from './today.ts'
import { activeNow } from './totals.ts'

interface FiguresProps {
  live: LiveState
  now: number
  /** mean of the last ten seconds */
  perSecond: number
  sums: Count
  words: Format
}

/** The numbers that are read from across the room: right now, and today so far. */
export function Figures({ live, now, perSecond, sums, words }: FiguresProps) {
  const today = sumToday(live.today, now)
  const { live: text } = strings
  return (
    <>
      <dl class="figures" aria-label={text.figures}>
        <Figure label={strings.active} note={strings.activeNote} value={words.count(activeNow(live, now))} first />
        <Figure label={strings.perSecond} note={strings.perSecondNote} value={words.rate(perSecond)} />
        <Figure label={strings.views} note={strings.windowNote} value={count(sums.views, words)} />
        <Figure label={strings.events} note={strings.windowNote} value={count(sums.events, words)} />
      </dl>
      <dl class="figures figures-today" aria-label={text.today}>
        <Figure label={text.visitors} note={text.today} value={visitorsOf(today, words)} />
        <Figure label={text.visits} note={text.today} value={count(today.visits, words)} />
        <Figure label={text.views} note={text.today} value={count(today.views, words)} />
        <Figure label={text.events} note={text.today} value={count(today.events, words)} />
        <Figure label={text.conversions} note={text.today} value={count(today.conversions, words)} />
      </dl>
    </>
  )
}

/** What was counted at one minute and taken back at another is never shown as less than nothing. */
const count = (value: number, words: Format): string => words.count(Math.max(0, value))

export function visitorsOf({ visitors, isEstimated }: TodaySums, words: Format): string {
  const { about, unknown } = strings.live
  if (visitors === null) return unknown
  return isEstimated ? about(words.count(visitors)) : words.count(visitors)
}

export function Figure({ label, note, value, first }: { label: string; note: string; value: string; first?: boolean }) {
  return (
    <div class={first ? 'panel figure figure-first' : 'panel figure'}>
      <dt>
        {label} <span class="note">{note}</span>
      </dt>
      <dd>{value}</dd>
    </div>
  )
}
