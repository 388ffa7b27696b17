import { useState } from 'preact/hooks'
import { strings } from '../strings.ts'
import type { Format } from '../ui/format.ts'
import { FeedRow } from './FeedRow.tsx'
import { eventKey, type LiveState } from './state.ts'

/** How long a new event is marked, ms. */
const FRESH_FOR = 1_000

/** The events as they come, newest first. Paused, the list stands still and the page counts what it has not shown. */
export function Feed({ live, now, words }: { live: LiveState; now: number; words: Format }) {
  const [held, hold] = useState<LiveState | null>(null)
  // A list held for one site says nothing about another.
  const paused = held && held.site.key === live.site.key ? held : null
  const shown = paused ?? live
  const missed = live.arrived - shown.arrived
  return (
    <section class="panel feed" id="events" aria-labelledby="feed-title" tabIndex={-1}>
      <div class="panel-head">
        <h2 id="feed-title">{strings.feed}</h2>
        {paused && <span class="paused">{strings.paused(words.count(missed))}</span>}
        <button
          type="button"
          class={paused ? 'button primary' : 'button'}
          aria-pressed={paused !== null}
          onClick={() => hold(paused ? null : live)}
        >
          {paused ? strings.resume : strings.pause}
        </button>
      </div>
      {shown.recent.length === 0 ? (
        <p class="nothing">{strings.feedEmpty}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        <ol class="scroll" tabIndex={0} aria-label={strings.feedList}>
          {shown.recent.map(event => (
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
