import { useShell } from '../shell/context.ts'
import { strings } from '../strings.ts'
import type { Format } from '../ui/format.ts'
import { Changing } from './Changing.tsx'
import type { Report } from './report.ts'

/** The figures of a mailing, and what makes a range of those who have read it. */
export function Result({ report }: { report: Report }) {
  const { words } = useShell()
  const text = strings.mails
  const { mailing, sent, delivered, bounced, unsubscribed, withdrawn, readers, clickers, clickToOpen } = report
  const reached = delivered ?? sent
  const told = (count: number | null) => (count === null ? strings.live.unknown : words.count(count))
  const isMeasured = mailing.policy === 'measure'
  return (
    <>
      <dl class="figures" aria-label={text.result}>
        <Figure
          name={text.sent}
          note={mailing.sent === undefined ? text.minted : text.told}
          value={words.count(sent)}
        />
        <Figure name={text.delivered} note={delivered === null ? text.untold : text.told} value={told(delivered)} />
        {isMeasured && (
          <>
            <Figure
              name={text.readers}
              note={text.people}
              value={range(readers.least, readers.most, words.count)}
              first
            />
            <Figure name={text.clickers} note={text.people} value={words.count(clickers)} />
            <Figure
              name={text.ctr}
              note={delivered === null ? text.ofSent : text.ofDelivered}
              value={reached > 0 ? words.share(clickers / reached) : strings.live.unknown}
            />
            <Figure
              name={text.clickToOpen}
              note={text.ofReaders}
              value={clickToOpen ? range(clickToOpen.least, clickToOpen.most, words.share) : strings.live.unknown}
            />
          </>
        )}
      </dl>
      <dl class="figures figures-today" aria-label={text.lost}>
        <Figure name={text.bounced} note={bounced === null ? text.untold : text.told} value={told(bounced)} />
        <Figure
          name={text.unsubscribed}
          note={unsubscribed === null ? text.untold : text.told}
          value={told(unsubscribed)}
        />
        <Figure name={text.withdrawn} note={text.withdrawnNote} value={words.count(withdrawn)} />
      </dl>
      {isMeasured && <Reasons why={readers.why} />}
    </>
  )
}

function Reasons({ why }: { why: readonly string[] }) {
  return (
    <section class="panel block reasons" aria-labelledby="reasons-title">
      <h2 id="reasons-title">{strings.mails.why}</h2>
      <ul>
        {why.map((reason, i) => (
          <li key={i}>{reason}</li>
        ))}
      </ul>
    </section>
  )
}

/** One number where the least and the most are the same. */
export function range(least: number, most: number, text: Format['count']): string {
  const [from, to] = [text(least), text(most)]
  return from === to ? from : `${from}–${to}`
}

function Figure({ name, note, value, first }: { name: string; note: string; value: string; first?: boolean }) {
  return (
    <div class={first ? 'panel figure figure-first' : 'panel figure'}>
      <dt>
        {name} <span class="note">{note}</span>
      </dt>
      <dd>
        <Changing text={value} />
      </dd>
    </div>
  )
}
