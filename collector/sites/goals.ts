/**
 * Goals of a site: what counts as a conversion. They are a field of the site's document, so that collectors know them as they
 * know the rest of it, within a second. Which goals an event meets, and what it is worth, is decided once, by intake, and
 * written into the journal with the event: so whatever happens to a goal later, and however often settling is repeated, by
 * whichever lane, an event counts for the same goals. What counts them again (`verify`) reads the same from the raw record.
 * What came before a goal was made does not carry it: there it is added by who reads (`backfill.ts`).
 */
import type { Collection, Db } from 'mongodb'
import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { isCurrency, toMinor } from './money.ts'

/** How many goals a site may have, and how large each may be. */
export const MOST_GOALS = 50
const MOST = { name: 100, page: 500, event: 120, conditions: 10, values: 50, text: 500 } as const

const strict = { additionalProperties: false } as const
const Text = (maxLength: number) => Type.String({ minLength: 1, maxLength, pattern: '^[^\\u0000-\\u001f\\u007f]*$' })
const property = Text(100)

/** Of a property of the event, by its name. */
export const Condition = Type.Union([
  /** it is one of these; a number or a boolean is compared as the text that it is written as */
  Type.Object(
    {
      property,
      is: Type.Array(Type.String({ maxLength: MOST.text }), { minItems: 1, maxItems: MOST.values }),
    },
    strict,
  ),
  /** it is there, and not null */
  Type.Object({ property, present: Type.Literal(true) }, strict),
  /** it is a number, or a text that is one, of this size */
  Type.Object({ property, compare: Type.Enum(['>', '>=', '<', '<=']), to: Type.Number() }, strict),
])
export type Condition = Static<typeof Condition>

/** What a goal is given as. */
export const GoalInput = Type.Object(
  {
    /** what reports call it; unique among the goals of the site */
    name: Text(MOST.name),
    /** path of a page view, in which `*` (and `**`) stands for any characters, also `/` */
    page: Type.Optional(Type.String({ maxLength: MOST.page, pattern: '^/[^\\u0000-\\u001f\\u007f]*$' })),
    /** name of an event; one of `page` and `event` is said */
    event: Type.Optional(Text(MOST.event)),
    /** all of them hold */
    where: Type.Optional(Type.Array(Condition, { minItems: 1, maxItems: MOST.conditions })),
    /** what it is worth, major units, where the event does not say its own `revenue`: fixed, or the property that has it */
    value: Type.Optional(
      Type.Union([
        Type.Object({ amount: Type.Union([Type.Number(), Type.String()]), currency: Type.String() }, strict),
        Type.Object({ property, currency: Type.String() }, strict),
      ]),
    ),
  },
  strict,
)
export type GoalInput = Static<typeof GoalInput>

/** As the API answers it. */
export const GoalOutput = Type.Object({
  ...GoalInput.properties,
  value: Type.Optional(
    Type.Union([
      Type.Object({ amount: Type.Integer({ description: 'minor units' }), currency: Type.String() }),
      Type.Object({ property, currency: Type.String() }),
    ]),
  ),
  since: Type.String({ format: 'date-time', description: 'when it was made' }),
  carriedFrom: Type.Optional(
    Type.String({ format: 'date-time', description: 'events from then on carry it, if not from `since`' }),
  ),
  backfill: Type.Optional(
    Type.Object(
      { days: Type.Integer({ minimum: 0 }), done: Type.Integer({ minimum: 0 }) },
      {
        description:
          'in lists: of how many days that were over when it was made there are events, and of how many the columns have it. Answers are right before all are done, only slower.',
      },
    ),
  ),
})

/** As it is stored and acts. What it matches never changes: that would be another goal. */
export interface Goal extends Omit<GoalInput, 'value'> {
  /** minor units, or the property that has major ones */
  value?: { amount: number; currency: string } | { property: string; currency: string }
  /** when it was made */
  since: Date
  /** from which moment on all events carry it, if another one than that: where a history was written that has it */
  carriedFrom?: Date
}

const isGoal = Compile(GoalInput)

export class GoalError extends Error {
  override name = 'GoalError'
  readonly why: 'invalid' | 'exists' | 'unknown' | 'too-many'
  constructor(why: GoalError['why'], message: string) {
    super(message)
    this.why = why
  }
}
const invalid = (message: string): GoalError => new GoalError('invalid', message)

const MEANS: Record<string, string> = {
  name: `the name takes 1 to ${MOST.name} printable characters`,
  page: `the page is a path that begins with "/", of at most ${MOST.page} characters; * stands for any of them`,
  event: `the event is a name of 1 to ${MOST.event} printable characters`,
  where: `"where" takes 1 to ${MOST.conditions} conditions: {"property": …} with "is": [texts], with "present": true, or with "compare": ">", ">=", "<" or "<=" and "to": a number`,
  value: '"value" is {"amount": …, "currency": …} or {"property": …, "currency": …}',
}

/** @throws GoalError naming the first mistake */
export function readGoal(input: unknown, since: Date): Goal {
  if (!isGoal.Check(input)) {
    const [error] = isGoal.Errors(input)
    const [, field = ''] = error?.instancePath.split('/') ?? []
    throw invalid(
      MEANS[field] ?? 'a goal has a name, a page or an event, and may have "where" and "value", and no more',
    )
  }
  const { name, page, event, where, value } = input
  if ((page === undefined) === (event === undefined)) throw invalid('a goal has a page, or an event: one of them')
  return {
    name,
    ...(page !== undefined && { page }),
    ...(event !== undefined && { event }),
    ...(where && { where }),
    ...(value && { value: readValue(value) }),
    since,
  }
}

function readValue(value: NonNullable<GoalInput['value']>): NonNullable<Goal['value']> {
  const { currency } = value
  if (!isCurrency(currency)) throw invalid(`the currency is a code of ISO 4217 such as EUR, not "${currency}"`)
  if ('property' in value) return value
  const amount = toMinor(value.amount, currency)
  if (amount === undefined) throw invalid(`the amount is a number such as 49 or 49.90, not "${value.amount}"`)
  return { amount, currency }
}

type SiteGoals = { _id: string; goals?: Goal[]; internal?: true }
const collection = (db: Db): Collection<SiteGoals> => db.collection<SiteGoals>('sites')
const DURABLE = { writeConcern: { w: 'majority', journal: true } } as const

/**
 * Makes a goal. Two that are made at the same time are both checked.
 * @param carried from which moment on all events carry it, where that is not when it is made
 * @throws GoalError
 */
export async function addGoal(db: Db, site: string, input: unknown, since: Date, carried?: Date): Promise<Goal> {
  const goal: Goal = { ...readGoal(input, since), ...(carried && { carriedFrom: carried }) }
  const { matchedCount } = await collection(db).updateOne(
    {
      _id: site,
      internal: { $exists: false },
      'goals.name': { $ne: goal.name },
      [`goals.${MOST_GOALS - 1}`]: { $exists: false },
    },
    { $push: { goals: goal } },
    DURABLE,
  )
  if (matchedCount === 1) return goal
  const names = (await listGoals(db, site)).map(({ name }) => name)
  if (names.includes(goal.name))
    throw new GoalError(
      'exists',
      `the site "${site}" has a goal "${goal.name}" already: remove it first, or take another`,
    )
  throw new GoalError('too-many', `a site has at most ${MOST_GOALS} goals: remove one first`)
}

/** In the order of their making. @throws GoalError when there is no such site */
export async function listGoals(db: Db, site: string): Promise<Goal[]> {
  const found = await collection(db).findOne({ _id: site, internal: { $exists: false } }, { projection: { goals: 1 } })
  if (!found) throw new GoalError('unknown', `there is no site "${site}": \`livetag site list\` shows them`)
  return found.goals ?? []
}

/** What events carry of it stays. @throws GoalError when there is none of this name */
export async function removeGoal(db: Db, site: string, name: string): Promise<void> {
  const { matchedCount } = await collection(db).updateOne(
    { _id: site, 'goals.name': name },
    { $pull: { goals: { name } } },
    DURABLE,
  )
  if (matchedCount === 1) return
  await listGoals(db, site)
  throw new GoalError('unknown', `the site "${site}" has no goal "${name}": \`livetag goal list ${site}\` shows them`)
}

/** One line that says what a goal matches, as in `event purchase where plan is pro or plus`. */
export function goalText({ page, event, where = [] }: Pick<Goal, 'page' | 'event' | 'where'>): string {
  const conditions = where.map(condition => {
    if ('is' in condition) return `${condition.property} is ${condition.is.join(' or ')}`
    if ('present' in condition) return `${condition.property} is there`
    return `${condition.property} ${condition.compare} ${condition.to}`
  })
  return [
    page === undefined ? `event ${event}` : `page ${page}`,
    ...conditions.map((text, i) => (i ? 'and ' : 'where ') + text),
  ].join(' ')
}
