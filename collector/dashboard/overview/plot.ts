/** How the chart looks: a line over a soft area, dashed where a bucket is not over, dotted for what it is compared with. */
import type { Drawing, Room } from '../ui/plot.ts'
import { type Course, drawn } from './course.ts'
import { bucketShort } from './words.ts'

/** @param label of a value at the axis */
export function drawingOf(course: Course, label: (value: number) => string, { style, rem, width }: Room): Drawing {
  const [x, now, underway, before] = drawn(course)
  const { color, outlineColor, textDecorationColor } = style
  const line = { color: outlineColor, fill: textDecorationColor, width: 0.16 }
  const { buckets, unit } = course
  const step = stepOf(buckets.length, unit, width / (rem * 6))
  return {
    x,
    top: roundUp(Math.max(0, ...[now, underway, before].flat().map(value => value ?? 0))),
    label,
    marks: x.filter(at => at % step === 0).map(at => [at, shortLabel(course, at)] as const),
    series: [
      { values: before, color, width: 0.11, dash: [0.12, 0.26] },
      { ...line, values: now },
      { ...line, values: underway, dash: [0.4, 0.3] },
    ],
  }
}

/** A round number at or above, of which the half is round, too. */
function roundUp(max: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(max, 1)))
  const steps = max > 10 ? [1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10] : [2, 4, 6, 8, 10]
  return steps.map(step => step * power).find(step => step >= max) ?? 2
}

/** Steps that fall on round times; `room` is how many labels fit. */
function stepOf(count: number, unit: string, room: number): number {
  const least = Math.max(1, count / Math.max(1, room))
  const steps: Record<string, number[]> = {
    minute: [1, 5, 10, 15, 30, 60, 120, 180, 240],
    hour: count > 48 ? [24, 48, 72, 96, 120, 168] : [1, 2, 3, 4, 6, 8, 12],
  }
  return steps[unit]?.find(step => step >= least) ?? Math.ceil(least)
}

function shortLabel({ buckets, unit }: Course, i: number): string {
  const label = buckets[i]?.label
  if (label === undefined) return ''
  return bucketShort(label, unit === 'hour' && buckets.length > 48 ? 'day' : unit)
}
