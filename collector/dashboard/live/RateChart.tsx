import { useEffect, useRef } from 'preact/hooks'
import { strings } from '../strings.ts'
import type { Format } from '../ui/format.ts'
import { createPlot, type Plot } from '../ui/plot.ts'
import { drawingOf } from './chart.ts'
import type { Rate } from './totals.ts'

interface RateChartProps {
  series: Rate
  words: Format
}

/** Events per second over the last five minutes. The plot is drawn anew when a second is finished, not more often. */
export function RateChart({ series, words }: RateChartProps) {
  const box = useRef<HTMLDivElement>(null)
  const readout = useRef<HTMLSpanElement>(null)
  const plot = useRef<Plot | undefined>(undefined)
  const data = useRef(series)
  data.current = series
  const end = series[0].at(-1)

  useEffect(() => {
    if (!box.current) return
    const made = createPlot(
      box.current,
      room => drawingOf(data.current, words, room),
      at => {
        const [x, count, mean] = data.current
        const time = at === null ? undefined : x[at]
        if (!readout.current) return
        readout.current.textContent =
          at === null || time === undefined
            ? ''
            : strings.chartAt(words.time(time * 1_000), words.count(count[at] ?? 0), words.rate(mean[at] ?? 0))
      },
    )
    plot.current = made
    return made.close
  }, [words])

  // `end` moves when another second is finished; the data itself is made anew with each drawing of the page.
  useEffect(() => {
    if (end) plot.current?.paint()
  }, [end])

  const most = series[1].reduce((max, count) => Math.max(max, count), 0)
  return (
    <section class="panel chart" aria-labelledby="chart-title">
      <div class="panel-head">
        <h2 id="chart-title">{strings.chart}</h2>
        <p class="legend">
          <span class="legend-second">{strings.chartSeconds}</span>
          <span class="legend-mean">{strings.chartMean}</span>
          <span class="readout" ref={readout} />
        </p>
      </div>
      <div
        class="plot"
        ref={box}
        role="img"
        aria-label={strings.chartText(words.rate(series[2].at(-1) ?? 0), words.count(most))}
      />
    </section>
  )
}
