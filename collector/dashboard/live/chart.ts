/** How the plot looks: bars for single seconds, a line for their mean. */
import type { Format } from '../ui/format.ts'
import type { Drawing, Room } from '../ui/plot.ts'
import { type Rate, roundUp } from './totals.ts'

export function drawingOf([x, perSecond, mean]: Rate, words: Format, { style, rem, width }: Room): Drawing {
  const step = width < rem * 32 ? 120 : 60
  return {
    x,
    top: roundUp(Math.max(0, ...perSecond)),
    label: words.compact,
    // Whole minutes, so that the labels travel with the line instead of changing in place.
    marks: x.filter(at => at % step === 0).map(at => [at, words.minute(at * 1_000)] as const),
    series: [
      { values: perSecond, color: style.borderBlockEndColor, width: 0 },
      { values: mean, color: style.outlineColor, width: 0.15 },
    ],
  }
}
