/** A goal as the form has it, as the API takes it, and as it is answered. */
import { decimalsOf } from '../../sites/decimals.ts'

export const COMPARISONS = ['>', '>=', '<', '<='] as const
type Comparison = (typeof COMPARISONS)[number]

export type Condition =
  | { property: string; is: string[] }
  | { property: string; present: true }
  | { property: string; compare: Comparison; to: number }

export interface Goal {
  name: string
  page?: string
  event?: string
  where?: Condition[]
  /** of a goal that is made: major units as they were typed; of one that is answered: minor units */
  value?: { amount: number | string; currency: string } | { property: string; currency: string }
}

/** Fields of the nth condition. */
export const conditionFields = (n: number) => ({
  property: `property-${n}`,
  operator: `operator-${n}`,
  to: `to-${n}`,
})

/** Texts between commas; quotes keep one together that has commas itself. */
export const readTexts = (line: string): string[] =>
  (line.match(/\s*"[^"]*"\s*|[^,]+/g) ?? []).map(part => part.trim().replace(/^"(.*)"$/, '$1')).filter(Boolean)

export function readGoal(form: FormData): Goal {
  const text = (name: string) => String(form.get(name) ?? '').trim()
  const shown = [...form.keys()].flatMap(key => /^property-(\d+)$/.exec(key)?.[1] ?? [])
  const where = shown.map((n): Condition => {
    const names = conditionFields(Number(n))
    const property = text(names.property)
    const operator = text(names.operator)
    const compare = COMPARISONS.find(one => one === operator)
    if (compare) return { property, compare, to: Number(text(names.to)) }
    if (operator === 'present') return { property, present: true }
    return { property, is: readTexts(text(names.to)) }
  })
  const currency = text('currency').toUpperCase()
  const worth = text('worth')
  return {
    name: text('name'),
    [text('kind') === 'page' ? 'page' : 'event']: text('match'),
    ...(where.length > 0 && { where }),
    ...(worth === 'fixed' && { value: { amount: text('amount'), currency } }),
    ...(worth === 'property' && { value: { property: text('worth-property'), currency } }),
  }
}

/** An amount in minor units, written for the reader. */
export function moneyText(amount: number, currency: string, locale?: string): string {
  const decimals = decimalsOf(currency)
  const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals }
  return new Intl.NumberFormat(locale, { style: 'currency', currency, ...digits }).format(amount / 10 ** decimals)
}
