import { useEffect, useRef } from 'preact/hooks'
import { roundUp } from '../live/totals.ts'
import { useShell } from '../shell/context.ts'
import { strings } from '../strings.ts'
import { createPlot, type Drawing, type Plot, type Room } from '../ui/plot.ts'
import { type Report, type Step, steps } from './report.ts'

/** When people opened it and followed its links, as a chart and as a table. */
export function OverTime({ report }: { report: Report }) {
  const { words } = useShell()
  const text = strings.mails
  const all = steps(report)
  const time = report.grain === 'hour' ? words.hour : words.day
  if (all.length === 0) return null
  return (
    <section class="panel chart" aria-labelledby="time-title">
      <div class="panel-head">
        <h2 id="time-title">{text.overTime[report.grain]}</h2>
        <p class="legend">
          <span class="legend-mean">{text.opensOfPeople}</span>
          <span class="legend-second">{text.clicksOfPeople}</span>
        </p>
      </div>
      {all.length > 1 && <Chart all={all} time={time} />}
      <details open={all.length === 1}>
        <summary>{strings.overview.asTable}</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
        <section class="course-table" tabIndex={0} aria-label={strings.overview.asTable}>
          <table>
            <thead>
              <tr>
                <th scope="col">{strings.overview.time}</th>
                <th scope="col">{text.opens}</th>
                <th scope="col">{text.clicks}</th>
                <th scope="col">{text.machines}</th>
              </tr>
            </thead>
            <tbody>
              {all.map(({ at, opens, clicks }) => (
                <tr key={at}>
                  <th scope="row">{time(at)}</th>
                  <td>{words.count(opens[0])}</td>
                  <td>{words.count(clicks[0])}</td>
                  <td>{words.count(opens[1] + clicks[1])}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      </details>
    </section>
  )
}

function Chart({ all, time }: { all: Step[]; time(ms: number): string }) {
  const { words } = useShell()
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<Plot | undefined>(undefined)
  const draw = ({ style, rem, width }: Room): Drawing => {
    const step = Math.ceil((all.length * rem * 8) / width)
    return {
      x: all.map(({ at }) => at),
      top: roundUp(Math.max(...all.map(({ opens, clicks }) => Math.max(opens[0], clicks[0])))),
      label: words.compact,
      marks: all.filter((_, i) => i % step === 0).map(({ at }) => [at, time(at)] as const),
      series: [
        { values: all.map(({ clicks }) => clicks[0]), color: style.borderBlockEndColor, width: 0 },
        { values: all.map(({ opens }) => opens[0]), color: style.outlineColor, width: 0.15 },
      ],
    }
  }
  const held = useRef(draw)
  held.current = draw
  useEffect(() => {
    if (!place.current) return
    const made = createPlot(
      place.current,
      room => held.current(room),
      () => {},
    )
    plot.current = made
    return made.close
  }, [])
  const shown = JSON.stringify(all)
  useEffect(() => plot.current?.paint(), [shown])
  return <div class="plot" ref={place} role="img" aria-label={strings.mails.chart} />
}
