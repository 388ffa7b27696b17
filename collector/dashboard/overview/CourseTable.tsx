import { strings } from '../strings.ts'
import type { Format } from '../ui/format.ts'
import type { Course } from './course.ts'
import type { Metric } from './metrics.ts'
import { bucketLong, valueText } from './words.ts'

/** The chart as a table. */
export function CourseTable({
  course,
  metric,
  name,
  words,
}: {
  course: Course
  metric: Metric
  name: string
  words: Format
}) {
  const { buckets, unit, isCompared } = course
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
    <section class="course-table" tabIndex={0} aria-label={strings.overview.chartOf(name)}>
      <table>
        <thead>
          <tr>
            <th scope="col">{strings.overview.time}</th>
            <th scope="col">{name}</th>
            {isCompared && <th scope="col">{strings.overview.chartBefore}</th>}
          </tr>
        </thead>
        <tbody>
          {buckets.map(({ label, value, before }) => (
            <tr key={label}>
              <th scope="row">{bucketLong(label, unit)}</th>
              <td>{valueText(value, metric.kind, words)}</td>
              {isCompared && <td>{valueText(before, metric.kind, words)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
