import type { ComponentChildren } from 'preact'

interface Props {
  /** what the rows are of, then what of them is counted */
  columns: readonly string[]
  /** whether only what reads aloud says what the columns are */
  isHeadless?: boolean
  /** rows, each with a header */
  children: ComponentChildren
}

export function Table({ columns: [named, ...counted], isHeadless = false, children }: Props) {
  return (
    <table>
      <colgroup>
        <col />
        {counted.map(name => (
          <col key={name} class="col-count" />
        ))}
      </colgroup>
      <thead class={isHeadless ? 'visually-hidden' : undefined}>
        <tr>
          {[named, ...counted].map(name => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  )
}
