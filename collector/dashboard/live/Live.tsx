import { useMemo, useRef } from 'preact/hooks'
import { useCommands } from '../shell/commands.ts'
import { useShell } from '../shell/context.ts'
import { useNow, useStore } from '../shell/store.ts'
import { strings } from '../strings.ts'
import type { Format } from '../ui/format.ts'
import { ActiveLists } from './ActiveLists.tsx'
import { Campaigns } from './Campaigns.tsx'
import { Conversions } from './Conversions.tsx'
import { CountTable } from './CountTable.tsx'
import { Empty } from './Empty.tsx'
import { Feed } from './Feed.tsx'
import { Figures } from './Figures.tsx'
import { RateChart } from './RateChart.tsx'
import { collectorNow, type LiveState, minuteOf } from './state.ts'
import { TopList } from './TopList.tsx'
import { rate, top, totals } from './totals.ts'
import { Wall } from './Wall.tsx'
import { fillScreen } from './wall.ts'

/** How many rows a list of counts shows. */
const ROWS = 10

/** What happens right now. */
export function Live() {
  const { watching, words, address, go, commands } = useShell()
  const { live, link } = useStore(watching.view)
  const deviceNow = useNow()
  const isWall = address.params.wall === '1'
  const setWall = (on: boolean) => {
    if (on) void fillScreen()
    go({ params: { ...address.params, wall: on ? '1' : '' } }, !on)
  }
  // Of what is on screen now: commands are offered anew a moment later.
  const switchWall = useRef(() => {})
  switchWall.current = () => setWall(!isWall)
  useCommands(
    commands,
    () => [
      {
        id: 'wall',
        title: isWall ? strings.live.leaveWall : strings.live.wall,
        key: 'w',
        run: () => switchWall.current(),
      },
      {
        id: 'pause',
        title: `${strings.pause} / ${strings.resume}`,
        key: 'p',
        run: () => document.querySelector<HTMLElement>('[data-pause]')?.click(),
      },
    ],
    [isWall],
  )
  if (!live) return link === 'loading' || link === 'reconnecting' ? <Waiting /> : null
  // While the line is down nothing is known of what happens: the figures keep the moment of the last message.
  const now = link === 'live' ? collectorNow(live, deviceNow) : live.now
  if (!live.everSeen) return <Empty site={live.site} origin={location.origin} />
  if (isWall)
    return <Wall live={live} now={now} series={rate(live.seconds, now)} words={words} onLeave={() => setWall(false)} />
  return <Known live={live} now={now} words={words} onWall={() => setWall(true)} />
}

interface KnownProps {
  live: LiveState
  now: number
  words: Format
  onWall(): void
}

function Known({ live, now, words, onWall }: KnownProps) {
  const minute = minuteOf(now)
  const { minutes } = live
  // Sums over 30 minutes change with the minutes held or the clock's minute, not with each drawing.
  const sums = useMemo(
    () => ({
      all: totals(minutes, minute),
      pages: top(minutes, 'page', 'views', minute, ROWS),
      names: top(minutes, 'name', 'events', minute, ROWS),
      bots: top(minutes, 'bot', 'events', minute, ROWS),
    }),
    [minutes, minute],
  )
  const series = rate(live.seconds, now)
  const { live: text } = strings
  return (
    <>
      <div class="view-tools">
        <button type="button" class="button" onClick={onWall} aria-keyshortcuts="w">
          {text.wall} <kbd>w</kbd>
        </button>
      </div>
      <Figures live={live} now={now} perSecond={series[2].at(-1) ?? 0} sums={sums.all} words={words} />
      <RateChart series={series} words={words} />
      <ActiveLists live={live} now={now} words={words} />
      <Feed live={live} now={now} words={words} />
      <div class="beside">
        <Conversions conversions={live.conversions} now={now} words={words} />
        <Campaigns live={live} now={now} words={words} />
        <TopList title={strings.topPages} label={strings.page} by="views" top={sums.pages} words={words} />
        <TopList title={strings.byName} label={strings.name} by="events" top={sums.names} words={words} kinds />
        <section class="panel top">
          <div class="panel-head">
            <h2>{text.bots}</h2>
            <span class="note">{text.botsNote}</span>
          </div>
          <CountTable
            label={text.rule}
            counted={strings.count}
            rows={sums.bots.rows.map(({ value, events }) => [value, events] as const)}
            nothing={text.noBot}
            words={words}
          />
        </section>
      </div>
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
      <div class="actives" aria-hidden="true">
        <div class="panel top ghost" />
        <div class="panel top ghost" />
        <div class="panel top ghost" />
      </div>
      <div class="panel feed ghost" aria-hidden="true" />
      <div class="beside" aria-hidden="true">
        <div class="panel top ghost" />
        <div class="panel top ghost" />
      </div>
    </>
  )
}
