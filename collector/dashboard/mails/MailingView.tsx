import { Ago } from '../manage/Ago.tsx'
import { useCommands } from '../shell/commands.ts'
import { useShell } from '../shell/context.ts'
import { Link } from '../shell/Link.tsx'
import { NoticeBox } from '../shell/Notice.tsx'
import { strings } from '../strings.ts'
import { useAsked } from './asking.ts'
import { ByClass } from './ByClass.tsx'
import { Links } from './Links.tsx'
import { OverTime } from './OverTime.tsx'
import { Result } from './Result.tsx'
import type { Report } from './report.ts'
import { Unanswered } from './Unanswered.tsx'

/** Pause between two looks at a mailing, ms, where answers come fast. */
const EVERY = 1_000

/** What becomes of one mailing, while it does. @param id as the address has it */
export function MailingView({ id }: { id: string }) {
  const { commands, go } = useShell()
  useCommands(commands, () => [{ id: 'mailings', title: strings.mails.all, key: 'm', run: () => go({ params: {} }) }], [
    id,
  ])
  return (
    <>
      <p>
        <Link to={{ params: {} }}>{strings.mails.all}</Link>
      </p>
      {/^[0-9a-f]{8}$/.test(id) ? <Asking id={id} /> : <Unknown />}
    </>
  )
}

function Asking({ id }: { id: string }) {
  const asked = useAsked<Report>(`mailings/${id}/report`, EVERY)
  if (asked.failed?.problem.code === 'mailing-unknown') return <Unknown />
  return (
    <>
      <Unanswered asked={asked} />
      {asked.body && <Known report={asked.body} at={asked.at} />}
    </>
  )
}

const Unknown = () => (
  <NoticeBox title={strings.mails.unknown.title} quiet>
    <p>{strings.mails.unknown.text}</p>
  </NoticeBox>
)

function Known({ report, at }: { report: Report; at: number }) {
  const { words } = useShell()
  const text = strings.mails
  const { mailing, uncounted } = report
  return (
    <>
      <div class="panel-head mailing-head">
        <h2>
          <bdi dir="auto">{mailing.name}</bdi>
        </h2>
        <span class="note">
          <Ago at={mailing.created} /> · {strings.overview.fresh(words.time(at))}
        </span>
      </div>
      {mailing.policy !== 'measure' && <p class="lead">{text.policyText[mailing.policy]}</p>}
      {uncounted.opens + uncounted.clicks > 0 && (
        <NoticeBox title={text.uncounted(words.count(uncounted.opens), words.count(uncounted.clicks))} quiet>
          <p>{text.uncountedText}</p>
        </NoticeBox>
      )}
      <Result report={report} />
      {mailing.policy === 'measure' && (
        <>
          <div class="mails-halves">
            <ByClass of="opens" report={report} />
            <ByClass of="clicks" report={report} />
          </div>
          <Links report={report} />
          <OverTime report={report} />
        </>
      )}
    </>
  )
}
