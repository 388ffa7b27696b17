import { strings } from '../strings.ts'
import { RANGES, ROLLING } from './params.ts'
import { useReport } from './report.ts'

/** Nothing was counted: what else could be looked at. */
export function NothingHere() {
  const { shown, change } = useReport()
  const { nothing, wider, clear, ranges } = strings.overview
  const isFiltered = shown.filters.length > 0
  const short = Object.hasOwn(ROLLING, shown.range) || ['today', 'yesterday'].includes(shown.range)
  const others = [...(short ? ['7d', '30d'] : ['today', '12mo']), 'all'].filter(
    range => range !== shown.range && Object.hasOwn(RANGES, range),
  )
  return (
    <section class="panel nothing-here">
      <h2>{nothing.title}</h2>
      <p>{isFiltered ? nothing.filtered : nothing.text}</p>
      <p class="choices">
        {isFiltered && (
          <button type="button" class="button primary" onClick={() => change({ f: '' })}>
            {clear}
          </button>
        )}
        {others.map(range => (
          <button type="button" class="button" key={range} onClick={() => change({ range })}>
            {wider(ranges[range] ?? range)}
          </button>
        ))}
      </p>
    </section>
  )
}
