import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { QueryBody } from '../../query/schema.ts'
import { useShell } from '../shell/context.ts'
import { strings } from '../strings.ts'
import { Dialog } from '../ui/Dialog.tsx'
import { Estimated } from './Estimated.tsx'
import { Failed } from './Failed.tsx'
import { saveList } from './files.ts'
import { kindOf } from './metrics.ts'
import { Ghost } from './Panel.tsx'
import { allMetricsFor } from './panels.ts'
import { writeFilters } from './params.ts'
import { list } from './questions.ts'
import { useReport, useScreen } from './report.ts'
import { shownOf } from './screen.ts'
import { Value } from './Value.tsx'
import { dimName, valueText } from './words.ts'

/** Rows of one question. */
const PAGE = 100
/** Rows drawn above and below those in view. */
const MARGIN = 8

/** All values of a dimension: searched and ordered by the collector, and only rows in view are asked for and drawn. */
export function Details({ dim }: { dim: string }) {
  const { api, words } = useShell()
  const report = useReport()
  const { asking, change, shown } = report
  const [text, setText] = useState('')
  const [search, setSearch] = useState('')
  const metrics = allMetricsFor(dim)
  const [order, setOrder] = useState<readonly [string, 'asc' | 'desc']>([metrics[0] ?? 'visitors', 'desc'])
  const [view, setView] = useState({ from: 0, to: 30 })
  const box = useRef<HTMLElement>(null)
  const field = useRef<HTMLInputElement>(null)
  const total = useRef(0)
  const all = strings.overview
  const name = dimName(dim)
  const close = () => change({ details: '' })

  useLayoutEffect(() => field.current?.focus(), [])
  useEffect(() => {
    const timer = setTimeout(() => setSearch(text.trim()), 250)
    return () => clearTimeout(timer)
  }, [text])
  useEffect(() => box.current?.scrollTo(0, 0), [search, order])

  const questions: Record<string, QueryBody> = {}
  for (let page = Math.floor(view.from / PAGE); page <= Math.floor(view.to / PAGE); page++)
    questions[page] = list(asking, { dim, metrics, limit: PAGE, offset: page * PAGE, search, order, total: true })
  const { of, screen } = useScreen(api, questions)
  const answers = Object.keys(questions).map(of)
  const first = answers.find(({ answer }) => answer) ?? answers.find(({ estimate }) => estimate)
  const known = first && shownOf(first)
  if (known) total.current = known.meta.total_rows ?? known.results.length
  const estimated = answers.find(({ estimate }) => estimate)
  const failed = answers.find(({ problem, isStopped }) => problem || isStopped)
  const count = total.current

  const look = () => {
    const { current } = box
    const row = current?.querySelector('tbody tr[data-row]')
    if (!current || !row) return
    const height = row.getBoundingClientRect().height
    const from = Math.floor(current.scrollTop / height)
    const to = Math.ceil((current.scrollTop + current.clientHeight) / height)
    setView({ from: Math.max(0, from - MARGIN), to: to + MARGIN })
  }
  useEffect(look, [known])

  const [from, to] = [Math.min(view.from, Math.max(0, count - 1)), Math.min(view.to, count)]
  const rows = Array.from({ length: Math.max(0, to - from) }, (_, i) => {
    const at = from + i
    return { at, row: shownOf(of(String(Math.floor(at / PAGE))))?.results[at % PAGE] }
  })
  const onlyThese = () =>
    change({ f: writeFilters([...shown.filters, { op: 'contains', dim, values: [search] }]), details: '' })
  return (
    <Dialog title={all.detailsOf(name)} onClose={close} class="details">
      <div class="details-tools">
        <input
          ref={field}
          class="field"
          type="search"
          dir="auto"
          maxLength={500}
          aria-label={all.searchIn(name)}
          placeholder={all.search}
          value={text}
          onInput={event => setText(event.currentTarget.value)}
        />
        {search && count > 0 && (
          <button type="button" class="button small" onClick={onlyThese}>
            <bdi>{all.onlyThese(search)}</bdi>
          </button>
        )}
        <span class="note" role="status">
          {known && all.rows(first?.estimate ? strings.live.about(words.count(count)) : words.count(count))}
        </span>
        <button type="button" class="file" aria-label={all.saveCsv(name)} onClick={() => saveList(report, dim, search)}>
          {all.csv}
        </button>
      </div>
      {failed && !failed.answer && <Failed asked={failed} onAgain={() => screen.again('failed')} />}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
      <section class="details-rows" ref={box} tabIndex={0} onScroll={look} aria-label={name} aria-busy={!known}>
        <table aria-rowcount={count + 1}>
          <thead>
            <tr aria-rowindex={1}>
              <th scope="col">
                {name}
                {estimated && <Estimated asked={estimated} />}
              </th>
              {metrics.map(metric => {
                const [by, direction] = order
                const isBy = by === metric
                return (
                  <th
                    scope="col"
                    key={metric}
                    aria-sort={isBy ? (direction === 'asc' ? 'ascending' : 'descending') : 'none'}
                  >
                    <button
                      type="button"
                      class={`sort ${isBy ? direction : ''}`}
                      title={all.sortBy(all.metrics[metric] ?? metric)}
                      onClick={() => setOrder([metric, isBy && direction === 'desc' ? 'asc' : 'desc'])}
                    >
                      {all.metrics[metric]}
                    </button>
                  </th>
                )
              })}
            </tr>
          </thead>
          <tbody>
            <Space rows={from} />
            {rows.map(({ at, row }) => (
              <tr key={at} data-row aria-rowindex={at + 2}>
                <th scope="row">{row && <Value dim={dim} value={row.dimensions[0] ?? ''} />}</th>
                {metrics.map((metric, i) => (
                  <td key={metric}>{row ? valueText(row.metrics[i], kindOf(metric), words) : ''}</td>
                ))}
              </tr>
            ))}
            <Space rows={count - to} />
          </tbody>
        </table>
        {!known && !failed && <Ghost />}
        {known && count === 0 && <p class="nothing">{all.empty}</p>}
      </section>
    </Dialog>
  )
}

/** As high as the rows that are not drawn. */
function Space({ rows }: { rows: number }) {
  return rows > 0 ? <tr style={{ blockSize: `calc(var(--row) * ${rows})` }} /> : null
}
