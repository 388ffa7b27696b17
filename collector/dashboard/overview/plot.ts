/** How the chart looks: a line over a soft area, dashed where a bucket is not over, dotted for what it is compared with. */
import uPlot from 'uplot'

export interface PlotParts {
  place: HTMLElement
  /** under which bucket the pointer is, or null */
  point(at: number | null): void
  label(at: number): string
  value(value: number): string
  /** how many buckets there are between two labels, given the room for one a label */
  step(room: number): number
}

/** Colors and type are those of the style sheet, by properties of the place that are not drawn otherwise. */
export function plotOptions({ place, point, label, value, step }: PlotParts): uPlot.Options {
  const style = getComputedStyle(place)
  const rem = Number.parseFloat(style.fontSize)
  const font = `${Math.round(rem)}px ${style.fontFamily}`
  const axis = { stroke: style.color, font, gap: rem * 0.4, ticks: { show: false } }
  const accent = style.outlineColor
  const width = Math.max(2, rem / 6.5)
  const line = { width, paths: uPlot.paths.linear?.() ?? (() => null) }
  // A value with no other beside it would be a line of no length.
  const alone = (data: uPlot.AlignedData[number] | undefined, i: number) =>
    data?.[i] != null && data[i - 1] == null && data[i + 1] == null
  const points = {
    size: rem * 0.5,
    fill: accent,
    filter: (plot: uPlot, series: number, show: boolean) =>
      show ? [...(plot.data[series]?.keys() ?? [])].filter(i => alone(plot.data[series], i)) : null,
  }
  return {
    ...sizeOf(place),
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: rem * 0.65 } },
    padding: [rem * 0.8, rem * 1.4, 0, 0],
    scales: {
      x: { time: false, range: (_, min, max) => (min === max ? [min - 1, max + 1] : [min, max]) },
      y: { range: (_, __, max) => [0, top(max)] },
    },
    axes: [
      {
        ...axis,
        size: rem * 2,
        grid: { show: false },
        splits: (plot, _axis, min, max) => {
          const by = step(plot.width / (rem * 6))
          return Array.from({ length: Math.floor((max - min) / by) + 1 }, (_, i) => Math.ceil(min) + i * by)
        },
        values: (_, splits) => splits.map(label),
      },
      {
        ...axis,
        size: rem * 4,
        grid: { stroke: style.borderBlockStartColor, width: 1 },
        splits: (_plot, _axis, _min, max) => [0, max / 2, max],
        values: (_, splits) => splits.map(value),
      },
    ],
    series: [
      {},
      { ...line, stroke: accent, fill: style.textDecorationColor, points: { ...points, show: true } },
      {
        ...line,
        stroke: accent,
        fill: style.textDecorationColor,
        dash: [rem * 0.4, rem * 0.3],
        points: { ...points, show: true },
      },
      {
        ...line,
        width: width * 0.75,
        stroke: style.color,
        dash: [width * 0.75, width * 1.5],
        cap: 'round',
        points: { show: false },
      },
    ],
    hooks: {
      setCursor: [({ cursor: { idx, left = -1 } }) => point(left >= 0 && typeof idx === 'number' ? idx : null)],
    },
  }
}

export const sizeOf = (place: HTMLElement) => ({ width: place.clientWidth, height: place.clientHeight })

/** A round number at or above, of which the half is round, too. */
function top(max: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(max, 1)))
  return (
    (max > 10 ? [1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10] : [2, 4, 6, 8, 10])
      .map(step => step * power)
      .find(step => step >= max) ?? 2
  )
}
