import { useMemo } from 'preact/hooks'
import { useShell } from '../shell/context.ts'
import { useNow, useStore } from '../shell/store.ts'
import { strings } from '../strings.ts'
import type { Format } from '../ui/format.ts'
import { Empty } from './Empty.tsx'
import { Feed } from './Feed.tsx'
import { Figures } from './Figures.tsx'
import { RateChart } from './RateChart.tsx'
import { collectorNow, type LiveState, minuteOf } from './state.ts'
import { TopList } from './TopList.tsx'
import { rate, top, totals } from './totals.ts'

/** How many rows a list of counts shows. */
const ROWS = 10

/** What happens right now. */
export function Live() {
  const { watching, words } = useShell()
  const { live, link } = useStore(watching.view)
  const deviceNow = useNow()
  if (!live) return link === 'loading' || link === 'reconnecting' ? <Waiting /> : null
  // While the line is down nothing is known of what happens: the figures keep the moment of the last message.
  return <Known live={live} now={link === 'live' ? collectorNow(live, deviceNow) : live.now} words={words} />
}

function Known({ live, now, words }: { live: LiveState; now: number; words: Format }) {
  const minute = minuteOf(now)
  const { minutes } = live
  // Sums over 30 minutes change with the minutes held or the clock's minute, not with each drawing.
  const sums = useMemo(
    () => ({
      all: totals(minutes, minute),
      pages: top(minutes, 'page', 'views', minute, ROWS),
      names: top(minutes, 'name', 'events', minute, ROWS),
    }),
    [minutes, minute],
  )
  if (!live.everSeen) return <Empty site={live.site} origin={location.origin} />
  const series = rate(live.seconds, now)
  return (
    <>
      <Figures live={live} now={now} perSecond={series[2].at(-1) ?? 0} sums={sums.all} words={words} />
      <RateChart series={series} words={words} />
      <Feed live={live} now={now} words={words} />
      <TopList title={strings.topPages} label={strings.page} by="views" top={sums.pages} words={words} />
      <TopList title={strings.byName} label={strings.name} by="events" top={sums.names} words={words} kinds />
    </>
  )
}

/** Shapes where the figures will be, so that nothing jumps when they come. */
function Waiting() {
  return (
    <>
      <p class="visually-hidden">{strings.loading}</p>
      <div class="figures ghost" aria-hidden="true">
        <div class="panel" />
        <div class="panel" />
        <div class="panel" />
        <div class="panel" />
      </div>
      <div class="panel chart ghost" aria-hidden="true" />
      <div class="panel feed ghost" aria-hidden="true" />
      <div class="panel top ghost" aria-hidden="true" />
      <div class="panel top ghost" aria-hidden="true" />
    </>
  )
}
