/** Names of countries in English, as Unicode's CLDR has them and Node brings them. */
import { getOrAdd } from '../get-or-add.ts'
import type { Expression } from './filter.ts'

const names = new Intl.DisplayNames('en', { type: 'region' })
const held = new Map<string, string>()

/** What is no code of ISO 3166-1, as `(none)`, stays as it is. */
export const countryName = (code: string): string =>
  /^[A-Z]{2}$/.test(code) ? getOrAdd(held, code, () => names.of(code) ?? code) : code

const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']
/** All that have a name. */
const CODES = LETTERS.flatMap(a => LETTERS.map(b => a + b)).filter(code => countryName(code) !== code)

/** The same inside MongoDB. */
export const countryNameOf = (code: Expression): Expression => ({
  $let: {
    vars: { code, place: { $indexOfArray: [{ $literal: CODES }, code] } },
    in: {
      $cond: [{ $gte: ['$$place', 0] }, { $arrayElemAt: [{ $literal: CODES.map(countryName) }, '$$place'] }, '$$code'],
    },
  },
})
