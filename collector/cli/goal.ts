import { defineCommand } from 'citty'
import type { Progress } from '../columns/index.ts'
import { listBackfilled } from '../goals-api.ts'
import {
  addGoal,
  type Condition,
  type Goal,
  GoalError,
  goalText,
  listSites,
  moneyText,
  removeGoal,
} from '../sites/index.ts'
import { withDatabase } from './database.ts'
import { table } from './table.ts'

const site = { type: 'positional', description: "the site's key", required: true } as const
const name = { type: 'positional', description: 'what reports call the goal', required: true } as const

const add = defineCommand({
  meta: { name: 'add', description: 'Make a goal; it counts in all that is kept' },
  args: {
    site,
    name,
    page: { type: 'string', description: 'path of a page view, such as /thanks or /blog/*' },
    event: { type: 'string', description: 'name of an event, such as purchase' },
    where: {
      type: 'string',
      description:
        'conditions on properties, joined by &: plan=pro|plus (one of them), price>=100, coupon (it is there)',
    },
    value: { type: 'string', description: 'what it is worth where the event does not say, such as 49.90' },
    'value-of': { type: 'string', description: 'the property that has it' },
    currency: { type: 'string', description: 'of the value, such as EUR' },
    json: { type: 'boolean', description: 'as JSON' },
  },
  async run({ args }) {
    const { page, event, where, value, currency, json } = args
    // In camel case it has the name of a method that every object has: what is not said is that.
    const property = typeof args['value-of'] === 'string' ? args['value-of'] : undefined
    await withDatabase(async db => {
      if (value !== undefined && property !== undefined)
        throw new GoalError('invalid', 'say --value, or --value-of: one of them')
      const worth = value !== undefined ? { amount: value } : property !== undefined ? { property } : undefined
      if ((worth === undefined) !== (currency === undefined))
        throw new GoalError('invalid', '--currency goes with --value or --value-of')
      const goal = await addGoal(
        db,
        args.site,
        {
          name: args.name,
          ...(page !== undefined && { page }),
          ...(event !== undefined && { event }),
          ...(where !== undefined && { where: where.split('&').map(readCondition) }),
          ...(worth && { value: { ...worth, currency } }),
        },
        new Date(),
      )
      if (json) return void process.stdout.write(`${JSON.stringify(goal)}\n`)
      process.stdout.write(`Made the goal "${goal.name}" (${goalText(goal)}); it counts also in what came before.\n`)
    })
  },
})

/** As in `plan=pro|plus`, `price>=100` or `coupon`. */
function readCondition(text: string): Condition {
  const [, property = '', compare, rest = ''] = /^([^<>=]*)(?:(<=|>=|<|>|=)(.*))?$/s.exec(text) ?? []
  if (compare === undefined) return { property, present: true }
  if (compare === '=') return { property, is: rest.split('|') }
  const to = rest.trim() === '' ? Number.NaN : Number(rest)
  if (!Number.isFinite(to)) throw new GoalError('invalid', `${compare} compares with a number, not "${rest}"`)
  return { property, compare: compare as '<', to }
}

const list = defineCommand({
  meta: { name: 'list', description: "Show a site's goals" },
  args: { site, json: { type: 'boolean', description: 'as JSON' } },
  async run({ args }) {
    await withDatabase(async db => {
      const site = (await listSites(db)).find(({ key }) => key === args.site)
      if (!site) throw new GoalError('unknown', `there is no site "${args.site}": \`livetag site list\` shows them`)
      const goals = await listBackfilled(db, site, Date.now())
      if (args.json) return void process.stdout.write(`${JSON.stringify({ goals })}\n`)
      const rows = goals.map(goal => [
        goal.name,
        goalText(goal),
        worthOf(goal),
        goal.since.toISOString().slice(0, 16),
        backfillText(goal.backfill),
      ])
      process.stdout.write(table([['goal', 'matches', 'value', 'made (UTC)', 'backfilled'], ...rows]))
    })
  },
})

const backfillText = ({ days, done }: Progress): string =>
  done < days ? `${done} of ${days} days` : days > 0 ? 'all days' : ''

function worthOf({ value }: Goal): string {
  if (!value) return ''
  if ('property' in value) return `${value.property}, ${value.currency}`
  return moneyText({ value: value.amount, currency: value.currency })
}

const remove = defineCommand({
  meta: { name: 'remove', description: 'Count a goal no longer; events keep it that came while it was there' },
  args: { site, name },
  async run({ args }) {
    await withDatabase(async db => {
      await removeGoal(db, args.site, args.name)
      process.stdout.write(`Removed the goal "${args.name}".\n`)
    })
  },
})

/** `livetag goal add|list|remove` */
export const goal = defineCommand({
  meta: { name: 'goal', description: "Make, list and remove a site's goals" },
  subCommands: { add, list, remove },
})
