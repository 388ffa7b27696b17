import { strings } from '../strings.ts'
import type { Format } from '../ui/format.ts'
import type { Count, LiveState } from './state.ts'
import { activeNow } from './totals.ts'

interface FiguresProps {
  live: LiveState
  now: number
  /** mean of the last ten seconds */
  perSecond: number
  sums: Count
  words: Format
}

/** The four numbers that are read from across the room. */
export function Figures({ live, now, perSecond, sums, words }: FiguresProps) {
  return (
    <dl class="figures">
      <Figure label={strings.active} note={strings.activeNote} value={words.count(activeNow(live, now))} first />
      <Figure label={strings.perSecond} note={strings.perSecondNote} value={words.rate(perSecond)} />
      <Figure label={strings.views} note={strings.windowNote} value={words.count(sums.views)} />
      <Figure label={strings.events} note={strings.windowNote} value={words.count(sums.events)} />
    </dl>
  )
}

function Figure({ label, note, value, first }: { label: string; note: string; value: string; first?: boolean }) {
  return (
    <div class={first ? 'panel figure figure-first' : 'panel figure'}>
      <dt>
        {label} <span class="note">{note}</span>
      </dt>
      <dd>{value}</dd>
    </div>
  )
}
