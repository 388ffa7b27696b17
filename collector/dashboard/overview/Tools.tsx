import { useState } from 'preact/hooks'
import { strings } from '../strings.ts'
import { Dates } from './Dates.tsx'
import { shifted } from './dates.ts'
import { FilterDialog } from './FilterDialog.tsx'
import { COMPARISONS, type Filter, RANGES, writeFilters } from './params.ts'
import { useReport } from './report.ts'
import { daysText, dimName, nameOfValue } from './words.ts'

/** Which time, compared with what, and of what. */
export function Tools() {
  const { shown, change, days, day } = useReport()
  const [open, setOpen] = useState<'dates' | 'filter' | null>(null)
  const words = strings.overview
  const isNamed = Object.hasOwn(RANGES, shown.range)
  return (
    <div class="tools">
      <div class="range">
        <Step range={shifted(shown.range, day, -1)} label={words.earlier} by="earlier" />
        <select
          class="select"
          aria-label={words.range}
          value={isNamed ? shown.range : 'chosen'}
          onChange={event => {
            const { value } = event.currentTarget
            if (value !== 'custom') return change({ range: value })
            event.currentTarget.value = isNamed ? shown.range : 'chosen'
            setOpen('dates')
          }}
        >
          {!isNamed && <option value="chosen">{words.chosen}</option>}
          {Object.keys(RANGES).map(name => (
            <option key={name} value={name}>
              {words.ranges[name]}
            </option>
          ))}
          <option value="custom">{words.custom}</option>
        </select>
        <Step range={shifted(shown.range, day, 1)} label={words.later} by="later" />
      </div>
      {days && (
        <button type="button" class="days" data-overview="dates" onClick={() => setOpen('dates')} title={words.custom}>
          {daysText(days)}
        </button>
      )}
      {!days && <button type="button" hidden data-overview="dates" onClick={() => setOpen('dates')} />}
      {shown.range !== 'all' && (
        <label class="compare">
          <span class="note">{words.compare}</span>
          <select
            class="select"
            value={shown.compare}
            onChange={event => change({ compare: event.currentTarget.value })}
          >
            {COMPARISONS.map(one => (
              <option key={one} value={one}>
                {words.comparisons[one]}
              </option>
            ))}
          </select>
        </label>
      )}
      <button
        type="button"
        class="button small"
        data-overview="filter"
        aria-keyshortcuts="/"
        onClick={() => setOpen('filter')}
      >
        + {words.addFilter}
      </button>
      <Chips />
      {open === 'dates' && <Dates onClose={() => setOpen(null)} />}
      {open === 'filter' && <FilterDialog onClose={() => setOpen(null)} />}
    </div>
  )
}

function Step({ range, label, by }: { range: string | undefined; label: string; by: string }) {
  const { change } = useReport()
  return (
    <button
      type="button"
      class={`step ${by}`}
      aria-label={label}
      title={label}
      disabled={range === undefined}
      onClick={() => range && change({ range })}
    />
  )
}

function Chips() {
  const { shown, change } = useReport()
  const { filters } = shown
  const words = strings.overview
  if (filters.length === 0) return null
  const without = (gone: Filter) => change({ f: writeFilters(filters.filter(filter => filter !== gone)) })
  return (
    <ul class="chips" aria-label={words.filters}>
      {filters.map(filter => {
        const { op, dim, values } = filter
        const names = values.map(value => nameOfValue(dim, value)).join(words.or)
        const text = `${dimName(dim)} ${words.operators[op]} ${names}`
        return (
          <li key={writeFilters([filter])} class={op.endsWith('not') ? 'chip excludes' : 'chip'}>
            <span title={text}>
              <bdi>{dimName(dim)}</bdi> {words.operators[op]} <b dir="auto">{names}</b>
            </span>
            <button type="button" aria-label={words.removeFilter(text)} onClick={() => without(filter)}>
              ×
            </button>
          </li>
        )
      })}
      {filters.length > 1 && (
        <li>
          <button type="button" class="button small quiet-button" onClick={() => change({ f: '' })}>
            {words.clear}
          </button>
        </li>
      )}
    </ul>
  )
}
