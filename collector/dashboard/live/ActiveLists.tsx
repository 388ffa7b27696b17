import { ACTIVE_BY } from '../../live/messages.ts'
import { strings } from '../strings.ts'
import type { Format } from '../ui/format.ts'
import { countryName } from '../ui/names.ts'
import { CountTable } from './CountTable.tsx'
import type { LiveState } from './state.ts'
import { activeNow } from './totals.ts'

/** What the stream calls what is not known. */
const NONE = '(none)'

interface ActiveListsProps {
  live: LiveState
  now: number
  words: Format
  /** rows of each */
  rows?: number
}

/** Where those are who are here, where they came from, and from which countries. */
export function ActiveLists({ live, now, words, rows = 10 }: ActiveListsProps) {
  const isQuiet = activeNow(live, now) === 0
  const { activeBy, column, visitorsColumn, nobody, notKnown } = strings.live
  return (
    <div class="actives">
      {ACTIVE_BY.map(by => (
        <section key={by} class="panel top">
          <div class="panel-head">
            <h2>{activeBy[by]}</h2>
            <span class="note">{strings.activeNote}</span>
          </div>
          <CountTable
            label={column[by]}
            counted={visitorsColumn}
            rows={isQuiet ? [] : live.activeBy[by].slice(0, rows)}
            nothing={nobody}
            textOf={value => (value === NONE ? notKnown : by === 'country' ? countryName(value) : value)}
            words={words}
          />
        </section>
      ))}
    </div>
  )
}
