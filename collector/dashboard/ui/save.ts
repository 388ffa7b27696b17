/** Files that the reader takes along: tables as CSV, pictures as PNG. Nothing leaves the device for it. */

/**
 * A cell of RFC 4180. A spreadsheet would take a text that begins with one of these signs for a formula
 * (https://owasp.org/www-community/attacks/CSV_Injection): an apostrophe before it makes it a text again.
 */
export function cell(value: string | number | null | undefined): string {
  if (typeof value === 'number') return String(value)
  const text = value ?? ''
  const safe = /^[\s]*[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe
}

/** With a byte order mark, by which Excel knows that it is UTF-8. */
export const csv = (rows: readonly (readonly (string | number | null | undefined)[])[]): string =>
  `\uFEFF${rows.map(row => row.map(cell).join(',')).join('\r\n')}\r\n`

/** A name for a file out of any texts. */
export const fileName = (parts: readonly string[], extension: string): string =>
  `${parts
    .join(' ')
    .replace(/[^\p{L}\p{N}._-]+/gu, '-')
    .slice(0, 100)}.${extension}`

export function save(name: string, blob: Blob): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  // The browser needs it until it has begun to read.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

export const saveCsv = (name: string, rows: Parameters<typeof csv>[0]): void =>
  save(name, new Blob([csv(rows)], { type: 'text/csv;charset=utf-8' }))

export const savePng = (name: string, canvas: HTMLCanvasElement): void =>
  canvas.toBlob(blob => blob && save(name, blob), 'image/png')
