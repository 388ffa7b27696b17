import { useMemo, useRef, useState } from 'preact/hooks'
import { useShell } from '../shell/context.ts'
import { useStore } from '../shell/store.ts'
import { strings } from '../strings.ts'
import { drawPlot } from '../ui/paint.ts'
import { fileName, saveCsv, savePng } from '../ui/save.ts'
import { Chart } from './Chart.tsx'
import { CourseTable } from './CourseTable.tsx'
import { type Course, courseOf, unitsFor } from './course.ts'
import type { DaySums } from './day.ts'
import { Estimated } from './Estimated.tsx'
import { Failed } from './Failed.tsx'
import { metricOf, numberOf } from './metrics.ts'
import { ROLLING } from './params.ts'
import { useReport } from './report.ts'
import { type Asked, shownOf } from './screen.ts'
import { Totals } from './Totals.tsx'
import { answered, type Totals as Known, kept, rangeOf, ticked } from './ticking.ts'

interface HeadProps {
  totals: Asked
  goals: Asked | null
  course: Asked
  /** where the stream's numbers of today may be added: what was before today, null where nothing was */
  ticking: { before: DaySums | null } | null
  onAgain(): void
}

/** The totals, and the course of the one that is chosen. While today is looked at they tick. */
export function Head({ totals, goals, course, ticking, onAgain }: HeadProps) {
  const { watching, words, site } = useShell()
  const { shown, change, subtitle } = useReport()
  const { live } = useStore(watching.view)
  const [isTable, setTable] = useState(false)
  const box = useRef<HTMLDivElement>(null)
  const metric = metricOf(shown.metric)
  const name = strings.overview.metrics[metric.key] ?? metric.key
  const today = ticking ? (live?.today ?? null) : null

  // What was shown of the same range is not taken back.
  const held = useRef<{ key: string; known: Known }>({ key: '', known: {} })
  const key = JSON.stringify([shown.range, shown.filters, shown.bots, goals !== null])
  if (held.current.key !== key) held.current = { key, known: {} }
  const grows = !Object.hasOwn(ROLLING, shown.range)
  const learn = (next: Known, from: 'answer' | 'stream') => {
    held.current.known = kept(held.current.known, next, from, grows)
  }
  const [ofAll, ofGoals, ofCourse] = [shownOf(totals), goals && shownOf(goals), shownOf(course)]
  if (ofAll) learn(answered(ofAll, 'all'), 'answer')
  if (ofGoals) learn(answered(ofGoals, 'goals'), 'answer')
  if (totals.answer && ticking && live) learn(ticked(live.today, ticking.before, live.now), 'stream')

  const drawn = useMemo((): Course | null => {
    if (!ofCourse) return null
    const now = Date.now()
    const isNow = Date.parse(rangeOf(ofCourse)[1] ?? '') + 1_000 > now
    return courseOf(ofCourse, metric, { now, zone: ofCourse.meta.timezone, isNow }, today)
  }, [ofCourse, metric, today])

  const failed = [totals, course].find(asked => !shownOf(asked) && (asked.problem || asked.isStopped))
  const range = ofCourse && rangeOf(ofCourse)
  const units = range ? unitsFor(Date.parse(range[1] ?? '') - Date.parse(range[0] ?? '')) : []
  const file = [site?.key ?? '', name, subtitle]
  const save = () =>
    drawn &&
    saveCsv(fileName(file, 'csv'), [
      [strings.overview.time, name, ...(drawn.isCompared ? [strings.overview.chartBefore, name] : [])],
      ...drawn.buckets.map(({ label, value, beforeLabel, before }) => [
        label,
        numberOf(value),
        ...(drawn.isCompared ? [beforeLabel, numberOf(before)] : []),
      ]),
    ])
  const picture = () => {
    const canvas = box.current?.querySelector('canvas')
    if (canvas && box.current) savePng(fileName(file, 'png'), drawPlot(canvas, box.current, name, subtitle))
  }
  return (
    <section class="panel head" aria-label={strings.overview.totals}>
      <Totals known={held.current.known} totals={totals} goals={goals} />
      <div class="course" ref={box}>
        <div class="course-head">
          <h2>
            {name}
            <Estimated asked={course} />
          </h2>
          {drawn?.isCompared && (
            <span class="note legend-before">
              {strings.overview.chartBefore} {strings.overview.comparisons[shown.compare]?.toLocaleLowerCase()}
            </span>
          )}
          <span class="files">
            {drawn && units.length > 0 && (
              <select
                class="select small"
                aria-label={strings.overview.by}
                value={drawn.unit}
                onChange={event => change({ by: event.currentTarget.value })}
              >
                {[...new Set([...units, drawn.unit])].map(unit => (
                  <option key={unit} value={unit}>
                    {strings.overview.units[unit]}
                  </option>
                ))}
              </select>
            )}
            <button type="button" class="file" disabled={!drawn} onClick={() => setTable(!isTable)}>
              {isTable ? strings.overview.asChart : strings.overview.asTable}
            </button>
            <button
              type="button"
              class="file"
              disabled={!course.answer}
              onClick={save}
              aria-label={strings.overview.saveCsv(name)}
            >
              {strings.overview.csv}
            </button>
            <button
              type="button"
              class="file"
              disabled={!course.answer || isTable}
              onClick={picture}
              aria-label={strings.overview.savePng(name)}
            >
              {strings.overview.png}
            </button>
          </span>
        </div>
        {failed && <Failed asked={failed} onAgain={onAgain} />}
        {!failed && !drawn && <div class="course-ghost ghost-box" aria-hidden="true" />}
        {!failed && drawn && isTable && <CourseTable course={drawn} metric={metric} name={name} words={words} />}
        {!failed && drawn && !isTable && <Chart key={drawn.unit} course={drawn} metric={metric} name={name} />}
      </div>
    </section>
  )
}
