import type { View } from '../live/session.ts'
import { collectorNow } from '../live/state.ts'
import { strings } from '../strings.ts'
import type { Format } from '../ui/format.ts'
import { useShell } from './context.ts'
import { useNow, useStore } from './store.ts'

/**
 * The state of the line and how fresh the figures are. Only the state is announced to a screen reader: the time since
 * the last event changes each second.
 */
export function Status() {
  const { watching, words } = useShell()
  const view = useStore(watching.view)
  const deviceNow = useNow()
  if (view.site === null) return null
  return (
    <div class="status">
      <span class={`link link-${view.link}`} role="status">
        {strings.link[view.link]}
      </span>
      <span class="fresh">{freshness(view, deviceNow, words)}</span>
    </div>
  )
}

function freshness({ live, link }: View, deviceNow: number, words: Format): string {
  if (!live) return ''
  if (link !== 'live') return strings.stale(words.time(live.now))
  if (live.lastReceived === null) return strings.noEvent
  const last = strings.lastEvent(words.ago(collectorNow(live, deviceNow) - live.lastReceived))
  return live.delay === null ? last : `${last} · ${strings.delay(words.duration(live.delay))}`
}
