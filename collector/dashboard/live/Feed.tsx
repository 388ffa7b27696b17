import { useMemo, useState } from 'preact/hooks'
import type { LiveEvent } from '../../live/messages.ts'
import { strings } from '../strings.ts'
import type { Format } from '../ui/format.ts'
import { FeedRow } from './FeedRow.tsx'
import { FILTER_KINDS, type Filter, fits } from './filter.ts'
import { eventKey, type LiveState } from './state.ts'

/** How long a new event is marked, ms. */
const FRESH_FOR = 1_000
/** Rows that are shown of those that are held. */
const SHOWN = 100

/** The events as they come, newest first. Paused, the list stands still and the page counts what it has not shown. */
export function Feed({ live, now, words }: { live: LiveState; now: number; words: Format }) {
  const [held, hold] = useState<LiveState | null>(null)
  const [filter, setFilter] = useState<Filter>({ text: '', kind: '' })
  // A list held for one site says nothing about another.
  const paused = held && held.site.key === live.site.key ? held : null
  const shown = paused ?? live
  const missed = Math.max(0, live.arrived - shown.arrived)
  const isFiltered = filter.text !== '' || filter.kind !== ''
  // Conversions are held longer than other events.
  const from: readonly LiveEvent[] = filter.kind === 'conversion' ? shown.conversions : shown.recent
  const rows = useMemo(() => from.filter(event => fits(filter, event)).slice(0, SHOWN), [from, filter])
  return (
    <section class="panel feed" id="events" aria-labelledby="feed-title" tabIndex={-1}>
      <div class="panel-head">
        <h2 id="feed-title">{strings.feed}</h2>
        {paused && <span class="paused">{strings.paused(words.count(missed))}</span>}
        <input
          class="field"
          type="search"
          aria-label={strings.live.filterText}
          placeholder={strings.live.filterText}
          spellcheck={false}
          value={filter.text}
          onInput={event => setFilter({ ...filter, text: event.currentTarget.value })}
        />
        <select
          class="field"
          aria-label={strings.live.filterKind}
          value={filter.kind}
          onChange={event => setFilter({ ...filter, kind: event.currentTarget.value as Filter['kind'] })}
        >
          {FILTER_KINDS.map(kind => (
            <option key={kind} value={kind}>
              {strings.live.kinds[kind]}
            </option>
          ))}
        </select>
        <button
          type="button"
          class={paused ? 'button primary' : 'button'}
          aria-pressed={paused !== null}
          data-pause
          onClick={() => hold(paused ? null : live)}
        >
          {paused ? strings.resume : strings.pause}
        </button>
      </div>
      {rows.length === 0 ? (
        <p class="nothing">{isFiltered ? strings.live.noMatch : strings.feedEmpty}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        <ol class="scroll" tabIndex={0} aria-label={strings.feedList}>
          {rows.map(event => (
            <FeedRow
              key={eventKey(event)}
              event={event}
              fresh={!paused && now - event.received < FRESH_FOR}
              words={words}
            />
          ))}
        </ol>
      )}
    </section>
  )
}
