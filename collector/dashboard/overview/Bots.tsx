import { useShell } from '../shell/context.ts'
import { strings } from '../strings.ts'
import { numberOf } from './metrics.ts'
import { useReport } from './report.ts'
import { type Asked, shownOf } from './screen.ts'

/** How many events were left out as bots', by what they were recognized, and how to see them counted. */
export function Bots({ asked }: { asked: Asked }) {
  const { words } = useShell()
  const { shown, change } = useReport()
  const { bots, metrics } = strings.overview
  const answer = shownOf(asked)
  const rows = (answer?.results ?? []).map(
    ({ dimensions: [rule = ''], metrics: [events] }) => [rule, numberOf(events) ?? 0] as const,
  )
  const sum = rows.reduce((all, [, events]) => all + events, 0)
  if (sum === 0 && !shown.bots) return null
  // The largest rules are asked for: where there are more, the sum is at least this.
  const least = words.count(sum) + ((answer?.meta.total_rows ?? 0) > rows.length ? '+' : '')
  const count = asked.estimate ? strings.live.about(least) : least
  return (
    <details class="bots">
      <summary>
        {shown.bots ? bots.included(count) : bots.left(count)} <span class="note">{bots.why}</span>
      </summary>
      <p class="note">{bots.text}</p>
      <table>
        <thead>
          <tr>
            <th scope="col">{bots.rule}</th>
            <th scope="col">{metrics.events}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([rule, events]) => (
            <tr key={rule}>
              <th scope="row">
                <bdi>{rule === 'no-agent' ? bots.noAgent : rule}</bdi>
              </th>
              <td>{words.count(events)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <button type="button" class="button small" onClick={() => change({ bots: shown.bots ? '' : '1' })}>
        {shown.bots ? bots.hide : bots.show}
      </button>
    </details>
  )
}
