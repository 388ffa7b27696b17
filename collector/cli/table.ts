/** Rows as text, each column as wide as its widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(...rows.map(row => row.length))
  const widths = Array.from({ length: columns }, (_, c) => Math.max(...rows.map(row => row[c]?.length ?? 0)))
  const lines = rows.map(row => row.map((cell, c) => cell.padEnd(widths[c] ?? 0)).join('  '))
  return lines.map(line => `${line.trimEnd()}\n`).join('')
}
