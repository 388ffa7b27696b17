import { useShell } from '../shell/context.ts'
import { strings } from '../strings.ts'
import { Table } from '../ui/Table.tsx'
import { Changing } from './Changing.tsx'
import { CLASSES, type Report } from './report.ts'

/** Opens or clicks by who made them, each class with what it means. */
export function ByClass({ of, report }: { of: 'opens' | 'clicks'; report: Report }) {
  const { words } = useShell()
  const text = strings.mails
  const counts = report[of]
  const means: Partial<Record<string, string>> = text.means[of]
  // Proxies load images and follow no links: they stand among clicks only if they ever did.
  const classes = CLASSES.filter(kind => kind in means || counts[kind].events > 0)
  const most = Math.max(1, ...classes.map(kind => counts[kind].people))
  return (
    <section class="panel top headed" aria-labelledby={`${of}-title`}>
      <div class="panel-head">
        <h2 id={`${of}-title`}>{text[of]}</h2>
      </div>
      <Table columns={[text.who, text.recipients, text.times]}>
        {classes.map(kind => (
          <tr key={kind} data-class={kind} style={{ '--share': counts[kind].people / most }}>
            <th scope="row">
              {text.classes[kind]}
              <span class="note">{means[kind]}</span>
            </th>
            <td>
              <Changing text={words.count(counts[kind].people)} />
            </td>
            <td>
              <Changing text={words.count(counts[kind].events)} />
            </td>
          </tr>
        ))}
      </Table>
    </section>
  )
}
