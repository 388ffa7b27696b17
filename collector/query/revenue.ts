/** Revenue as it is answered: exact sums of minor units, shown in major ones. */
import { moneyText, toMajor } from '../sites/index.ts'
import type { Row } from './engine.ts'
import type { Metric } from './names.ts'
import type { Meta, Revenue } from './schema.ts'

/** Minor units of the row's currency; `undefined` where nothing was worth anything, or something in several currencies. */
export function minorOf(metric: Metric, { counts, currency }: Pick<Row, 'counts' | 'currency'>): number | undefined {
  const { revenue = 0, paid = 0 } = counts
  if (paid === 0 || !currency) return undefined
  return metric === 'average_revenue' ? revenue / paid : revenue
}

/** An average is rounded to minor units. */
export function toRevenue(minor: number, currency: string): Revenue {
  const money = { value: Math.round(minor), currency }
  return { value: toMajor(money), currency, short: moneyText(money, true), long: moneyText(money) }
}

const WARNINGS = {
  no_single_revenue_currency: 'Revenue metrics are null where conversions are worth something in several currencies.',
  no_revenue_goals_matching:
    'Revenue metrics are null, as no conversion of a goal that is asked for is worth anything.',
} as const

/** Why revenue is not told. */
export function warningsOf(metrics: Metric[], rows: readonly Row[]): Meta['metric_warnings'] {
  const code = rows.some(({ currency }) => currency === null)
    ? 'no_single_revenue_currency'
    : rows.some(({ currency }) => currency !== undefined)
      ? undefined
      : 'no_revenue_goals_matching'
  return code && Object.fromEntries(metrics.map(metric => [metric, { code, warning: WARNINGS[code] }]))
}
