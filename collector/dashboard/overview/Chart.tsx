import { useEffect, useRef, useState } from 'preact/hooks'
import { useShell } from '../shell/context.ts'
import { strings } from '../strings.ts'
import { createPlot, type Plot } from '../ui/plot.ts'
import type { Bucket, Course } from './course.ts'
import { daysOfBucket, nameOf } from './dates.ts'
import { changeOf, type Metric } from './metrics.ts'
import { drawingOf } from './plot.ts'
import { useReport } from './report.ts'
import { bucketLong, valueText } from './words.ts'

interface ChartProps {
  course: Course
  metric: Metric
  name: string
}

/** The course of one metric, to be read by pointer, by keyboard, and as text. */
export function Chart({ course, metric, name }: ChartProps) {
  const { words } = useShell()
  const { change, day } = useReport()
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<Plot | undefined>(undefined)
  const [at, setAt] = useState<number | null>(null)
  const { buckets, unit, underway } = course
  const held = useRef(course)
  held.current = course

  useEffect(() => {
    if (!place.current) return
    const label = (value: number) => valueText(value, metric.kind === 'money' ? 'count' : metric.kind, words, true)
    const made = createPlot(place.current, room => drawingOf(held.current, label, room), setAt)
    plot.current = made
    return made.close
  }, [words, metric])
  useEffect(() => plot.current?.paint(), [course])

  const move = (to: number | null) => plot.current?.point(to)
  const last = buckets.findLastIndex(({ value }) => value !== null)
  const open = (i: number) => {
    const days = daysOfBucket(buckets[i]?.label ?? '', unit)
    if (days && days.first <= day) change({ range: nameOf(days, day), by: '' })
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const from = at ?? last
    const to = { ArrowRight: from + 1, ArrowLeft: from - (at === null ? 0 : 1), Home: 0, End: buckets.length - 1 }[
      event.key
    ]
    if (event.key === 'Enter') open(from)
    else if (event.key === 'Escape') move(null)
    else if (to !== undefined) move(Math.max(0, Math.min(buckets.length - 1, to)))
    else return
    event.preventDefault()
  }
  const shown = at === null ? undefined : buckets[at]
  const opens = unit !== 'hour' && unit !== 'minute'
  return (
    <div class={opens ? 'course-plot opens' : 'course-plot'}>
      <div
        class="plot"
        ref={place}
        role="slider"
        tabIndex={0}
        aria-label={`${strings.overview.chartOf(name)}. ${strings.overview.chartKeys}`}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, buckets.length - 1)}
        aria-valuenow={at ?? Math.max(0, last)}
        aria-valuetext={readout(buckets[at ?? last])}
        onKeyDown={onKeyDown}
        onBlur={() => move(null)}
        onClick={() => at !== null && open(at)}
      />
      {shown && at !== null && <Readout at={at} />}
    </div>
  )

  function readout(bucket: Bucket | undefined): string {
    if (!bucket) return strings.overview.empty
    const value = valueText(bucket.value, metric.kind, words)
    const before =
      bucket.beforeLabel === null ? '' : `, ${strings.overview.before(valueText(bucket.before, metric.kind, words))}`
    return `${bucketLong(bucket.label, unit)}: ${value}${before}`
  }

  function Readout({ at }: { at: number }) {
    const bucket = buckets[at]
    if (!bucket || !plot.current) return null
    const left = plot.current.left(at)
    const width = place.current?.clientWidth ?? 0
    const change = changeOf(metric.kind, bucket.before, bucket.value)
    return (
      <div
        class="readout-box"
        aria-hidden="true"
        style={{ left: `${left}px` }}
        data-side={left > width / 2 ? 'before' : 'after'}
      >
        <p>
          <b>{valueText(bucket.value, metric.kind, words)}</b> {name}
          {at === underway && <span class="note"> {strings.overview.underway}</span>}
        </p>
        <p class="note">{bucketLong(bucket.label, unit)}</p>
        {bucket.beforeLabel !== null && (
          <p class="note before">
            {valueText(bucket.before, metric.kind, words)} · {bucketLong(bucket.beforeLabel, unit)}
            {change !== null && ` · ${change > 0 ? '+' : ''}${change}${metric.kind === 'percent' ? '' : ' %'}`}
          </p>
        )}
      </div>
    )
  }
}
