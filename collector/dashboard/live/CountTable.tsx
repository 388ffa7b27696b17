import type { Format } from '../ui/format.ts'
import { Table } from '../ui/Table.tsx'

interface CountTableProps {
  /** headings of the columns */
  label: string
  counted: string
  rows: readonly (readonly [value: string, count: number])[]
  /** what stands there where there is no row */
  nothing: string
  textOf?: ((value: string) => string) | undefined
  words: Format
}

/** Values and how many each has, with a bar for its size against the largest. */
export function CountTable({ label, counted, rows, nothing, textOf = value => value, words }: CountTableProps) {
  if (rows.length === 0) return <p class="nothing">{nothing}</p>
  const most = rows.reduce((max, [, count]) => Math.max(max, count), 1)
  return (
    <Table columns={[label, counted]} isHeadless>
      {rows.map(([value, count]) => (
        <tr key={value} style={{ '--share': count / most }}>
          <th scope="row" title={textOf(value)}>
            <bdi dir="auto">{textOf(value)}</bdi>
          </th>
          <td>{words.count(count)}</td>
        </tr>
      ))}
    </Table>
  )
}
