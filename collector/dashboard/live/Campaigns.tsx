import { useMemo } from 'preact/hooks'
import { strings } from '../strings.ts'
import type { Format } from '../ui/format.ts'
import { Table } from '../ui/Table.tsx'
import { type LiveState, minuteOf } from './state.ts'
import { adsRate, campaigns } from './totals.ts'

/** Rows that are shown. */
const ROWS = 20

/** What is shown and clicked, by campaign: a click counts in the minute in which it comes, as the impression does. */
export function Campaigns({ live, now, words }: { live: LiveState; now: number; words: Format }) {
  const text = strings.live
  const minute = minuteOf(now)
  const all = useMemo(() => campaigns(live.minutes, minute), [live.minutes, minute])
  const [impressions, clicks] = adsRate(live.ads, now)
  const most = all.reduce((max, row) => Math.max(max, row.impressions), 1)
  return (
    <section class="panel top headed campaigns" aria-labelledby="campaigns-title">
      <div class="panel-head">
        <h2 id="campaigns-title">{text.campaigns}</h2>
        <span class="note">{text.adsRate(words.rate(impressions), words.rate(clicks))}</span>
      </div>
      {all.length === 0 ? (
        <p class="nothing">{text.noCampaign}</p>
      ) : (
        <Table columns={[text.campaign, text.impressions, text.clicks, text.ctr]}>
          {all.slice(0, ROWS).map(row => (
            <tr key={row.value} style={{ '--share': row.impressions / most }}>
              <th scope="row" title={row.value}>
                <bdi>{row.value}</bdi>
              </th>
              <td>{words.count(row.impressions)}</td>
              <td>{words.count(row.clicks)}</td>
              <td>{row.impressions > 0 ? words.share(row.clicks / row.impressions) : text.unknown}</td>
            </tr>
          ))}
        </Table>
      )}
      {all.length > ROWS && <p class="note">{strings.left(words.count(all.length - ROWS))}</p>}
    </section>
  )
}
