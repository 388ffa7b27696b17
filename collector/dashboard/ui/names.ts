/** Countries and money as the reader writes them. `locale` undefined means the browser's own. */
export function countryName(code: string, locale?: string): string {
  try {
    return new Intl.DisplayNames(locale, { type: 'region' }).of(code) ?? code
  } catch {
    // No code of a country, such as `(none)`.
    return code
  }
}

/** @param value major units of a currency of ISO 4217 */
export function money(value: number, currency: string, locale?: string): string {
  try {
    return new Intl.NumberFormat(locale, { style: 'currency', currency }).format(value)
  } catch {
    return `${value} ${currency}`
  }
}
