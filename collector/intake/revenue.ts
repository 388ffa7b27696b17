import { type Money, toMinor } from '../sites/index.ts'
import type { Refusal } from './reasons.ts'

/**
 * What an event says that it is worth: its property `revenue`, `{amount: 49.9, currency: 'EUR'}`, in major units. The property
 * is taken for nothing else, so that one that would not be counted is refused and not silently kept.
 */
export function readRevenue(props: Record<string, unknown>): Money | Refusal | undefined {
  const { revenue } = props
  if (revenue === undefined || revenue === null) return undefined
  const { amount, currency } = revenue as { amount?: unknown; currency?: unknown }
  const value = toMinor(amount, currency)
  return value === undefined ? { reason: 'revenue-invalid' } : { value, currency: currency as string }
}
