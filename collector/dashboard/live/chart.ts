/** How the plot looks: bars for single seconds, a line for their mean, colors out of the style sheet. */
import uPlot from 'uplot'
import { strings } from '../strings.ts'
import type { Format } from '../ui/format.ts'
import { roundUp } from './totals.ts'

/** Options for a plot that fills `place`; `readout` gets the text for the second under the pointer. */
export function plotOptions(place: HTMLElement, words: Format, readout: (text: string) => void): uPlot.Options {
  const style = getComputedStyle(place)
  const ink = style.color
  const line = style.outlineColor
  const bar = style.borderBlockEndColor
  const grid = style.borderBlockStartColor
  const font = `${Math.round(Number.parseFloat(style.fontSize))}px ${style.fontFamily}`
  const rem = Number.parseFloat(style.fontSize)
  return {
    width: place.clientWidth,
    height: place.clientHeight,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    padding: [rem * 0.6, rem * 2.2, 0, 0],
    scales: {
      x: { time: false },
      y: { range: (_plot, _min, max) => [0, roundUp(max)] },
    },
    axes: [
      {
        stroke: ink,
        font,
        size: rem * 2,
        gap: rem * 0.4,
        grid: { show: false },
        ticks: { show: false },
        // Whole minutes, so that the labels travel with the line instead of changing in place.
        splits: (plot, _axis, min, max) => wholeMinutes(min, max, plot.width < rem * 32 ? 2 : 1),
        values: (_plot, splits) => splits.map(x => words.minute(x * 1_000)),
      },
      {
        stroke: ink,
        font,
        size: rem * 3.4,
        gap: rem * 0.4,
        grid: { stroke: grid, width: 1 },
        ticks: { show: false },
        splits: (_plot, _axis, _min, max) => [0, max / 2, max],
        values: (_plot, splits) => splits.map(y => words.compact(y)),
      },
    ],
    series: [
      {},
      {
        stroke: bar,
        fill: bar,
        width: 0,
        paths: uPlot.paths.bars?.({ size: [0.7, 12] }) ?? (() => null),
        points: { show: false },
      },
      {
        stroke: line,
        width: Math.max(2, rem / 7),
        paths: uPlot.paths.spline?.() ?? (() => null),
        points: { show: false },
      },
    ],
    hooks: {
      setCursor: [
        plot => {
          const [x, count, mean] = plot.data
          const { idx } = plot.cursor
          const at = typeof idx === 'number' ? x[idx] : undefined
          if (typeof idx !== 'number' || at === undefined || (plot.cursor.left ?? -1) < 0) return readout('')
          readout(strings.chartAt(words.time(at * 1_000), words.count(count?.[idx] ?? 0), words.rate(mean?.[idx] ?? 0)))
        },
      ],
    },
  }
}

function wholeMinutes(min: number, max: number, every: number): number[] {
  const step = every * 60
  const splits: number[] = []
  for (let x = Math.ceil(min / step) * step; x <= max; x += step) splits.push(x)
  return splits
}
