/** Expressions that the scans have in common: attributes as texts, and the place of a time in a grid. */
import { NONE } from '../rollup/index.ts'
import { countryNameOf } from './countries.ts'
import type { Expression } from './filter.ts'
import type { Grid } from './grid.ts'
import { EVENT_FIELDS, type EventDimension, VISIT_FIELDS, type VisitDimension } from './names.ts'

/** What is absent, or empty, is {@link NONE}. */
const textOf = (field: string): Expression => ({ $cond: [{ $gt: [field, ''] }, field, NONE] })

/** @param prefix of the session's fields, as in `$z.` */
export function visitText(dimension: VisitDimension, prefix = '$'): Expression {
  const text = textOf(prefix + VISIT_FIELDS[dimension])
  return dimension === 'visit:country_name' ? countryNameOf(text) : text
}

export function eventText(dimension: EventDimension): Expression {
  if (Object.hasOwn(EVENT_FIELDS, dimension)) return textOf(`$${EVENT_FIELDS[dimension as keyof typeof EVENT_FIELDS]}`)
  return {
    $let: {
      vars: {
        value: { $getField: { field: { $literal: dimension.slice('event:props:'.length) }, input: '$props' } },
      },
      in: { $cond: [isOf(['string']), '$$value', otherThanText] },
    },
  }
}

const isOf = (types: string[]): Expression => ({ $in: [{ $type: '$$value' }, types] })
const rightTrimmed = (input: Expression, chars: string): Expression => ({ $rtrim: { input, chars } })
const size: Expression = { $abs: '$$value' }
const within = (least: number, below: number): Expression => ({
  $and: [{ $gte: [size, least] }, { $lt: [size, below] }],
})

/**
 * As JavaScript writes it. `$toString` of a double has six digits, by which order numbers would be one; that of a decimal
 * has all 15 that a double is sure of, and zeros behind. Very large and small ones have six.
 */
const doubleText: Expression = {
  $switch: {
    branches: [
      {
        case: { $and: [within(0, 1e15), { $eq: ['$$value', { $trunc: '$$value' }] }] },
        // biome-ignore lint/suspicious/noThenProperty: of $switch
        then: { $toString: { $toLong: '$$value' } },
      },
      {
        case: within(1e-4, 1e14),
        // biome-ignore lint/suspicious/noThenProperty: of $switch
        then: rightTrimmed(rightTrimmed({ $toString: { $toDecimal: '$$value' } }, '0'), '.'),
      },
    ],
    default: { $toString: '$$value' },
  },
}

/** What is left is a list or an object. */
const otherThanText: Expression = {
  $switch: {
    branches: [
      // biome-ignore lint/suspicious/noThenProperty: of $switch
      { case: isOf(['bool', 'int', 'long']), then: { $toString: '$$value' } },
      // biome-ignore lint/suspicious/noThenProperty: of $switch
      { case: isOf(['double']), then: doubleText },
      // biome-ignore lint/suspicious/noThenProperty: of $switch
      { case: { $lte: ['$$value', null] }, then: NONE },
    ],
    default: '(object)',
  },
}

/** So many buckets of one length, one after another. */
interface Run {
  start: number
  /** ms; 0 for the last bucket, of which only the begin matters */
  step: number
  /** the first one's place in the grid */
  place: number
}

function runsOf(starts: readonly number[]): Run[] {
  const runs: Run[] = []
  for (const [place, start] of starts.entries()) {
    const step = (starts[place + 1] ?? start) - start
    if (step === 0 || step !== runs.at(-1)?.step) runs.push({ start, step, place })
  }
  return runs
}

/**
 * The place in a grid of a time that is in its range. Where buckets are of one length it is a division, so that a year of
 * hours is one, and the places where the length changes (a day of 25 hours, each month) are a balanced tree.
 */
export function bucketOf(time: string, { starts }: Grid): Expression {
  const runs = runsOf(starts)
  const build = (from: number, to: number): Expression => {
    const first = runs[from] as Run
    if (to - from > 1) {
      const middle = (from + to) >> 1
      return { $cond: [{ $lt: [time, new Date((runs[middle] as Run).start)] }, build(from, middle), build(middle, to)] }
    }
    const isOne = (runs[to]?.place ?? starts.length) - first.place === 1
    if (isOne) return { $literal: first.place }
    const steps = { $floor: { $divide: [{ $subtract: [time, new Date(first.start)] }, first.step] } }
    return { $toInt: { $add: [steps, first.place] } }
  }
  return runs.length === 0 ? { $literal: 0 } : build(0, runs.length)
}
