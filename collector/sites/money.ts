/**
 * Money: a whole number of a currency's minor units, so that sums are exact. People and pages say major units (`49`,
 * `"49.00"`), and everything that is stored or added up is minor units.
 */
import { DECIMALS } from './decimals.ts'

const TWO_DECIMALS =
  'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW ' +
  'CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS ' +
  'INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN ' +
  'NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC ' +
  'SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG'

/** Source: ISO 4217, list one. */
const decimals = new Map<string, number>([
  ...TWO_DECIMALS.split(' ').map(code => [code, 2] as const),
  ...Object.entries(DECIMALS).flatMap(([n, codes]) => codes.split(' ').map(code => [code, Number(n)] as const)),
])

export interface Money {
  /** minor units, a whole number; below 0 it was paid back */
  value: number
  /** of ISO 4217, as in EUR */
  currency: string
}

/** The most that one event may be worth, minor units: nine thousand of them add up exactly in a float64. */
export const MOST_MONEY = 1e12

export const isCurrency = (code: unknown): code is string => typeof code === 'string' && decimals.has(code)

/** Its decimals are as many as the shortest text of a float64 has at most, where it has no exponent. */
export const AMOUNT = /^(-?)(\d{1,16})(?:\.(\d{1,25}))?$/

/**
 * Minor units of an amount in major ones: a number, or a decimal text with a point. Read digit by digit, as 1.005 has no
 * exact float64. What is finer than the currency is rounded, half away from zero: sums made by a script end in …0000004.
 * @returns `undefined` where it is no amount, the currency is none, or it is beyond {@link MOST_MONEY}
 */
export function toMinor(amount: unknown, currency: unknown): number | undefined {
  if (!isCurrency(currency)) return undefined
  if (typeof amount !== 'number' && typeof amount !== 'string') return undefined
  const [, sign, whole = '', rest = ''] = AMOUNT.exec(String(amount)) ?? []
  if (sign === undefined) return undefined
  const digits = decimals.get(currency) ?? 2
  const value = Number(whole + rest.slice(0, digits).padEnd(digits, '0')) + ((rest[digits] ?? '0') >= '5' ? 1 : 0)
  if (value > MOST_MONEY) return undefined
  return sign && value > 0 ? -value : value
}

export const toMajor = ({ value, currency }: Money): number => value / 10 ** (decimals.get(currency) ?? 2)

/** As in €1,290.00, or with `short` €1.3K. */
export function moneyText(money: Money, short = false): string {
  const { currency } = money
  const digits = decimals.get(currency) ?? 2
  const fractions = short
    ? { notation: 'compact' as const, minimumFractionDigits: 0, maximumFractionDigits: 1 }
    : { minimumFractionDigits: digits, maximumFractionDigits: digits }
  return new Intl.NumberFormat('en-US', { style: 'currency', currency, ...fractions }).format(toMajor(money))
}
