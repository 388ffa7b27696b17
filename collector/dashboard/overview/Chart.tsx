import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import { useShell } from '../shell/context.ts'
import { strings } from '../strings.ts'
import { type Bucket, type Course, drawn } from './course.ts'
import { daysOfBucket, nameOf } from './dates.ts'
import { changeOf, type Metric } from './metrics.ts'
import { plotOptions, sizeOf } from './plot.ts'
import { useReport } from './report.ts'
import { bucketLong, bucketShort, valueText } from './words.ts'

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
  const plot = useRef<uPlot | undefined>(undefined)
  const [at, setAt] = useState<number | null>(null)
  const { buckets, unit, underway } = course
  const held = useRef(course)
  held.current = course
  const data = useMemo(() => drawn(course), [course])

  useEffect(() => {
    const box = place.current
    if (!box) return
    const make = () => {
      plot.current?.destroy()
      const { unit } = held.current
      const options = plotOptions({
        place: box,
        point: setAt,
        label: i => shortLabel(held.current, i),
        value: value => valueText(value, metric.kind === 'money' ? 'count' : metric.kind, words, true),
        step: room => stepOf(held.current.buckets.length, unit, room),
      })
      plot.current = new uPlot(options, drawn(held.current), box)
    }
    make()
    const resized = new ResizeObserver(() => plot.current?.setSize(sizeOf(box)))
    resized.observe(box)
    const dark = matchMedia('(prefers-color-scheme: dark)')
    document.addEventListener('themechange', make)
    dark.addEventListener('change', make)
    return () => {
      resized.disconnect()
      document.removeEventListener('themechange', make)
      dark.removeEventListener('change', make)
      plot.current?.destroy()
    }
  }, [words, metric])
  const text = JSON.stringify(data)
  useEffect(() => plot.current?.setData(data), [text])

  const move = (to: number | null) => {
    setAt(to)
    const { current } = plot
    // Off the plot is nowhere.
    current?.setCursor({ left: to === null ? -10 : current.valToPos(to, 'x'), top: 0 })
  }
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
    const { current } = plot
    if (!bucket || !current) return null
    const { width } = sizeOf(current.root)
    const left = current.valToPos(at, 'x') + current.bbox.left / devicePixelRatio
    const change = changeOf(metric.kind, bucket.before, bucket.value)
    return (
      <div
        class="readout-box"
        aria-hidden="true"
        style={{ left: `${(left / width) * 100}%` }}
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
