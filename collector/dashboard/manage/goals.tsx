import { strings } from '../strings.ts'
import { Ago } from './Ago.tsx'
import { GoalFields } from './GoalFields.tsx'
import { type Condition, type Goal, moneyText, readGoal } from './goal.ts'
import type { Kind } from './Listing.tsx'

interface Made extends Goal {
  since: string
  /** of one that was just made nothing is known */
  backfill?: { days: number; done: number }
}

const isBackfilled = ({ backfill }: Made): boolean => !backfill || backfill.done >= backfill.days

/** What counts as a conversion. */
export const GOALS: Kind<Made> = {
  path: 'goals',
  takes: 'editor',
  name: ({ name }) => name,
  title: ({ name }) => name,
  named: ({ name }) => ({ name }),
  isDone: isBackfilled,
  Row({ one }) {
    const { name, page, event, where = [], value, since, backfill } = one
    const words = strings.manage.goals
    return (
      <>
        <b>
          <bdi>{name}</bdi>
        </b>
        <p class="note facts">
          <span>
            {page === undefined ? words.event : words.page} <code dir="auto">{page ?? event}</code>
          </span>
          {where.map(condition => (
            <span key={JSON.stringify(condition)}>
              <code dir="auto">{condition.property}</code> {conditionText(condition)}
            </span>
          ))}
          {value && (
            <span>
              {'property' in value
                ? words.worthOf(value.property, value.currency)
                : words.worth(moneyText(Number(value.amount), value.currency))}
            </span>
          )}
          <span>
            {words.since} <Ago at={since} />
          </span>
          {backfill && !isBackfilled(one) && <span>{words.backfill(backfill.done, backfill.days)}</span>}
        </p>
      </>
    )
  },
  Fields: GoalFields,
  read: readGoal,
  at: { 'goal-exists': 'name' },
}

function conditionText(condition: Condition): string {
  const words = strings.manage.goals
  if ('is' in condition) return `${words.operators.is} ${words.or(condition.is)}`
  return 'present' in condition ? words.operators.present : `${words.operators[condition.compare]} ${condition.to}`
}
