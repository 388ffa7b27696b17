import { useMemo } from 'preact/hooks'
import { Empty } from './Empty.tsx'
import { Feed } from './Feed.tsx'
import { Figures } from './Figures.tsx'
import { type Format, format } from './format.ts'
import { Header } from './Header.tsx'
import { Notice } from './Notice.tsx'
import { RateChart } from './RateChart.tsx'
import type { View } from './session.ts'
import { collectorNow, type LiveState, minuteOf } from './state.ts'
import { strings } from './strings.ts'
import { TopList } from './TopList.tsx'
import { rate, top, totals } from './totals.ts'

export interface AppProps {
  view: View
  /** this device's clock, ms */
  deviceNow: number
  onSite(key: string): void
}

/** How many rows a list of counts shows. */
const ROWS = 10

/** The whole page for one state of the session. */
export function App({ view, deviceNow, onSite }: AppProps) {
  const { live } = view
  const zone = live?.site.timezone ?? 'UTC'
  const words = useMemo(() => format(undefined, zone), [zone])
  // While the line is down nothing is known of what happens: the figures keep the moment of the last message.
  const now = live && (view.link === 'live' ? collectorNow(live, deviceNow) : live.now)
  return (
    <>
      <a class="skip" href="#events">
        {strings.skip}
      </a>
      <Header view={view} now={now} words={words} onSite={onSite} />
      <main aria-busy={view.link === 'loading'}>
        <Notice view={view} />
        <div class="page">
          {live && now !== null ? <Live live={live} now={now} words={words} /> : <Waiting view={view} />}
        </div>
      </main>
    </>
  )
}

function Live({ live, now, words }: { live: LiveState; now: number; words: Format }) {
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
function Waiting({ view }: { view: View }) {
  if (view.link !== 'loading' && view.link !== 'reconnecting') return null
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
