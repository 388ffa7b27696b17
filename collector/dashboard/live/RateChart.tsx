import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { strings } from '../strings.ts'
import type { Format } from '../ui/format.ts'
import { plotOptions } from './chart.ts'
import type { Rate } from './totals.ts'

interface RateChartProps {
  series: Rate
  words: Format
}

/** Events per second over the last five minutes. The plot is drawn anew when a second is finished, not more often. */
export function RateChart({ series, words }: RateChartProps) {
  const box = useRef<HTMLDivElement>(null)
  const readout = useRef<HTMLSpanElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const data = useRef(series)
  data.current = series
  const end = series[0].at(-1)

  useEffect(() => {
    const place = box.current
    if (!place) return
    const make = () => {
      plot.current?.destroy()
      const options = plotOptions(place, words, text => {
        if (readout.current) readout.current.textContent = text
      })
      plot.current = new uPlot(options, data.current, place)
    }
    make()
    const resized = new ResizeObserver(() => plot.current?.setSize(size(place)))
    resized.observe(place)
    // Colors are read from the style sheet when the plot is made, so a change of theme makes it anew.
    const dark = matchMedia('(prefers-color-scheme: dark)')
    document.addEventListener('themechange', make)
    dark.addEventListener('change', make)
    return () => {
      resized.disconnect()
      document.removeEventListener('themechange', make)
      dark.removeEventListener('change', make)
      plot.current?.destroy()
    }
  }, [words])

  // `end` moves when another second is finished; the data itself is made anew with each drawing of the page.
  useEffect(() => {
    if (end) plot.current?.setData(data.current)
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

const size = (place: HTMLElement) => ({ width: place.clientWidth, height: place.clientHeight })
