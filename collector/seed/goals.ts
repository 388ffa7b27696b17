/** Goals that a history has from its begin. `seed` makes them at the site, too, so that what comes later counts for them. */
import { type GoalInput, readGoal } from '../sites/index.ts'

export const GOALS: readonly GoalInput[] = [
  { name: 'Purchase', event: 'purchase' },
  { name: 'Signup', event: 'signup' },
  { name: 'Paid signup', event: 'signup', where: [{ property: 'plan', is: ['plus', 'pro'] }] },
  { name: 'Visit /pricing', page: '/pricing' },
  { name: 'Visit /blog/*', page: '/blog/*' },
]

/** As a site has them. */
export const seeded = { goals: GOALS.map(goal => readGoal(goal, new Date(0))) }
