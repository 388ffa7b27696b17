import type { Static } from 'typebox'
import type { MailingOutput } from '../../email/report-shape.ts'
import { Ago } from '../manage/Ago.tsx'
import { useShell } from '../shell/context.ts'
import { Link } from '../shell/Link.tsx'
import { strings } from '../strings.ts'
import { CopyBlock } from '../ui/CopyBlock.tsx'
import { Table } from '../ui/Table.tsx'
import { useAsked } from './asking.ts'
import { Unanswered } from './Unanswered.tsx'

/** Mailings are made rarely, and each has its links with it, ms. */
const EVERY = 10_000
/** The API lists so many, unless it is asked for more. */
const LISTED = 100

/** All mailings of the site, the newest first. */
export function Mailings() {
  const { words } = useShell()
  const text = strings.mails
  const asked = useAsked<{ mailings: Static<typeof MailingOutput>[] }>('mailings', EVERY)
  const mailings = asked.body?.mailings
  return (
    <>
      <Unanswered asked={asked} />
      {mailings?.length === 0 && <None />}
      {mailings && mailings.length > 0 && (
        <section class="panel top headed" aria-labelledby="mailings-title">
          <div class="panel-head">
            <h2 id="mailings-title">{text.list}</h2>
            <span class="note">{strings.overview.fresh(words.time(asked.at))}</span>
          </div>
          <Table columns={[text.mailing, text.sent, text.links]}>
            {mailings.map(({ id, name, created, policy, sent, minted, links }) => (
              <tr key={id} style={{ '--share': 0 }}>
                <th scope="row">
                  <Link to={{ params: { mailing: id } }}>
                    <bdi dir="auto">{name}</bdi>
                  </Link>
                  <span class="note">
                    <Ago at={created} /> · {text.policies[policy]}
                  </span>
                </th>
                <td>{words.count(sent ?? minted)}</td>
                <td>{words.count(links.length)}</td>
              </tr>
            ))}
          </Table>
          {mailings.length >= LISTED && <p class="note">{text.newest(words.count(LISTED))}</p>}
        </section>
      )}
    </>
  )
}

/** Who may change the site is told how a mailing is made; everybody else, what will be here. */
function None() {
  const { may, site, me } = useShell()
  const text = strings.mails.none
  return (
    <section class="panel block mails-none">
      <h2>{text.title}</h2>
      <p>{text.text}</p>
      {me.kind !== 'share' && may('editor') && (
        <>
          <p>{text.how}</p>
          <CopyBlock text={commands(site?.key ?? '')} />
          <p class="note">{text.more}</p>
        </>
      )}
    </section>
  )
}

const commands = (site: string): string => `\
printf 'https://shop.example/sale\\n' > links.txt
id=$(npx livetag email new ${site} 'March news' --policy measure --links links.txt)
printf '{"recipient":"customer-1"}\\n' | npx livetag email mint ${site} "$id"`
