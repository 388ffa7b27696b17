import { useShell } from '../shell/context.ts'
import { strings } from '../strings.ts'
import { Table } from '../ui/Table.tsx'
import { Changing } from './Changing.tsx'
import { type Report, sides } from './report.ts'

/** Each link of a mailing: where it leads, as text that nobody can follow by mistake, and who followed it. */
export function Links({ report: { links } }: { report: Report }) {
  const { words } = useShell()
  const text = strings.mails
  const most = links.reduce((max, { people }) => Math.max(max, people), 1)
  return (
    <section class="panel top headed" aria-labelledby="links-title">
      <div class="panel-head">
        <h2 id="links-title">{text.byLink}</h2>
      </div>
      {links.length === 0 ? (
        <p class="nothing">{text.noLinks}</p>
      ) : (
        <Table columns={[text.link, text.peopleColumn, text.clicks, text.machines]}>
          {links.map(({ link, url, clicks, people }) => {
            const [human, others] = sides(clicks)
            return (
              <tr key={link} style={{ '--share': people / most }}>
                <th scope="row" title={url}>
                  <bdi dir="ltr" class="url">
                    {url.replace(/^https:\/\//, '')}
                  </bdi>
                </th>
                {[people, human, others].map((count, i) => (
                  <td key={i}>
                    <Changing text={words.count(count)} />
                  </td>
                ))}
              </tr>
            )
          })}
        </Table>
      )}
    </section>
  )
}
