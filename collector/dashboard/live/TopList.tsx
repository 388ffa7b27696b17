import { strings } from '../strings.ts'
import type { Format } from '../ui/format.ts'
import { kindOf } from './kind.ts'
import type { Top } from './totals.ts'

interface TopListProps {
  title: string
  /** heading of the column of values */
  label: string
  by: 'events' | 'views'
  top: Top
  words: Format
  /** values are names of events and get their colors */
  kinds?: boolean
}

/** The largest values of one dimension, each with a bar for its size against the first. */
export function TopList({ title, label, by, top, words, kinds }: TopListProps) {
  const most = top.rows.reduce((max, row) => Math.max(max, row[by]), 1)
  const sum = Math.max(1, top.sum[by])
  return (
    <section class={`panel top top-${by}`}>
      <div class="panel-head">
        <h2>{title}</h2>
        <span class="note">{strings.windowNote}</span>
      </div>
      {top.rows.length === 0 ? (
        <p class="nothing">{strings.topEmpty}</p>
      ) : (
        <table>
          <colgroup>
            <col />
            <col class="col-count" />
            <col class="col-share" />
          </colgroup>
          <thead class="visually-hidden">
            <tr>
              <th scope="col">{label}</th>
              <th scope="col">{strings.count}</th>
              <th scope="col">{strings.share}</th>
            </tr>
          </thead>
          <tbody>
            {top.rows.map(row => (
              <tr key={row.value} style={{ '--share': row[by] / most }}>
                <th scope="row" title={row.value}>
                  <bdi class={kinds ? `kind kind-${kindOf(row.value)}` : ''} dir="ltr">
                    {row.value}
                  </bdi>
                </th>
                <td>{words.count(row[by])}</td>
                <td class="share">{words.percent(row[by] / sum)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {top.left > 0 && <p class="note">{strings.left(words.count(top.left))}</p>}
    </section>
  )
}
