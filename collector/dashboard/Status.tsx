import type { Format } from './format.ts'
import type { View } from './session.ts'
import { strings } from './strings.ts'

/**
 * The state of the line and how fresh the figures are. Only the state is announced to a screen reader: the time since
 * the last event changes each second.
 */
export function Status({ view, now, words }: { view: View; now: number | null; words: Format }) {
  return (
    <div class="status">
      <span class={`link link-${view.link}`} role="status">
        {strings.link[view.link]}
      </span>
      <span class="fresh">{now === null ? '' : freshness(view, now, words)}</span>
    </div>
  )
}

function freshness({ live, link }: View, now: number, words: Format): string {
  if (!live) return ''
  if (link !== 'live') return strings.stale(words.time(live.now))
  if (live.lastReceived === null) return strings.noEvent
  const last = strings.lastEvent(words.ago(now - live.lastReceived))
  return live.delay === null ? last : `${last} · ${strings.delay(words.duration(live.delay))}`
}
