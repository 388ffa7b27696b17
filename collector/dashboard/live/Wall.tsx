import { useLayoutEffect, useRef } from 'preact/hooks'
import { strings } from '../strings.ts'
import type { Format } from '../ui/format.ts'
import { ActiveLists } from './ActiveLists.tsx'
import { Conversions } from './Conversions.tsx'
import { Figure, visitorsOf } from './Figures.tsx'
import { RateChart } from './RateChart.tsx'
import type { LiveState } from './state.ts'
import { sumToday } from './today.ts'
import { activeNow, type Rate } from './totals.ts'
import { leaveScreen, onScreenLeft, useAwake } from './wall.ts'

interface WallProps {
  live: LiveState
  now: number
  series: Rate
  words: Format
  onLeave(): void
}

/** What is read from across the room, and nothing to click: Escape, or the button that the keyboard finds, leads back. */
export function Wall({ live, now, series, words, onLeave }: WallProps) {
  const { live: text } = strings
  useAwake()
  useEscape(onLeave)
  const today = sumToday(live.today, now)
  return (
    <div class="wall">
      <button type="button" class="button leave-wall" onClick={onLeave}>
        {text.leaveWall}
      </button>
      <h1 class="wall-site">
        <bdi>{live.site.domain || live.site.key}</bdi>
      </h1>
      <dl class="figures">
        <Figure label={strings.active} note={strings.activeNote} value={words.count(activeNow(live, now))} first />
        <Figure label={strings.perSecond} note={strings.perSecondNote} value={words.rate(series[2].at(-1) ?? 0)} />
        <Figure label={text.visitors} note={text.today} value={visitorsOf(today, words)} />
        <Figure label={text.views} note={text.today} value={words.count(Math.max(0, today.views))} />
        <Figure label={text.conversions} note={text.today} value={words.count(Math.max(0, today.conversions))} />
      </dl>
      <RateChart series={series} words={words} />
      <div class="wall-below">
        <ActiveLists live={live} now={now} words={words} rows={6} />
        <Conversions conversions={live.conversions} now={now} words={words} rows={4} />
      </div>
    </div>
  )
}

/** Escape leaves; so does leaving the full screen. */
function useEscape(onLeave: () => void): void {
  const leave = useRef(onLeave)
  leave.current = onLeave
  useLayoutEffect(() => {
    const pressed = (event: KeyboardEvent) => event.key === 'Escape' && leave.current()
    document.addEventListener('keydown', pressed)
    const forget = onScreenLeft(() => leave.current())
    return () => {
      document.removeEventListener('keydown', pressed)
      forget()
      void leaveScreen()
    }
  }, [])
}
