import { expect, test } from 'vitest'
import { convert } from '../../collector/intake/index.ts'
import { type GoalInput, readGoal } from '../../collector/sites/index.ts'

const SINCE = Date.parse('2026-03-01T00:00:00Z')
const event = { name: 'pageview', path: '/', ts: new Date(SINCE), props: undefined }

/** Which goals of these an event meets, and what it is worth. */
const met = (goals: Partial<GoalInput>[], change: Partial<Omit<typeof event, 'props'>> & { props?: object } = {}) =>
  convert({ goals: goals.map((goal, i) => readGoal({ name: `goal ${i}`, ...goal }, new Date(SINCE))) }, {
    ...event,
    ...change,
  } as Parameters<typeof convert>[1])
const fits = (goal: Partial<GoalInput>, change: Parameters<typeof met>[1]) => {
  const result = met([goal], change)
  return 'goals' in result && result.goals !== undefined
}

test.each<[string, string, boolean]>([
  ['/', '/', true],
  ['/', '/a', false],
  ['/thanks', '/thanks', true],
  ['/thanks', '/thanks/', false],
  ['/thanks', '/Thanks', false],
  ['/blog*', '/blog', true],
  ['/blog*', '/blog/a/b', true],
  ['/blog/*', '/blog', false],
  ['/blog/**', '/blog/a/b', true],
  ['/*/edit', '/a/b/edit', true],
  ['/*/edit', '/edit', false],
  ['/a*a', '/a', false],
  ['/a*a', '/aa', true],
  ['/a*b*a', '/aba', true],
  ['/a*b*a', '/aa', false],
  ['/a*bc*c', '/abc', false],
  ['/a.c', '/abc', false],
  ['/ünï*', '/ünï😀', true],
])('the page %s and the path %s: %s', (page, path, expected) => {
  expect(fits({ page }, { path })).toBe(expected)
  expect(fits({ page }, { path, name: 'click' })).toBe(false)
})

test('a pattern of many * takes no time, where a regular expression would not end', () => {
  const page = `/${'*a'.repeat(200)}*b`
  const begun = performance.now()
  for (let i = 0; i < 100; i++) expect(fits({ page }, { path: `/${'a'.repeat(2_000)}` })).toBe(false)
  expect(performance.now() - begun).toBeLessThan(2_000)
})

test.each<[NonNullable<GoalInput['where']>[number], unknown, boolean]>([
  [{ property: 'p', is: ['pro', 'plus'] }, 'plus', true],
  [{ property: 'p', is: ['pro'] }, 'Pro', false],
  [{ property: 'p', is: ['5', 'true'] }, 5, true],
  [{ property: 'p', is: ['5', 'true'] }, true, true],
  [{ property: 'p', is: ['undefined', 'null'] }, undefined, false],
  [{ property: 'p', is: ['null', 'x'] }, null, false],
  [{ property: 'p', is: ['x'] }, ['x'], false],
  [{ property: 'p', present: true }, '', true],
  [{ property: 'p', present: true }, null, false],
  [{ property: 'p', present: true }, undefined, false],
  [{ property: 'p', compare: '>', to: 5 }, 5, false],
  [{ property: 'p', compare: '>=', to: 5 }, 5, true],
  [{ property: 'p', compare: '<', to: 5 }, '4.5', true],
  [{ property: 'p', compare: '<=', to: 5 }, '', false],
  [{ property: 'p', compare: '<=', to: 5 }, '4 ', false],
  [{ property: 'p', compare: '>', to: 5 }, '9'.repeat(300), true],
  [{ property: 'p', compare: '>', to: 5 }, '9'.repeat(301), false],
  [{ property: 'p', compare: '<=', to: 5 }, true, false],
  [{ property: 'p', compare: '<', to: 5 }, null, false],
  [{ property: 'constructor', present: true }, 'x', false],
])('where %j, of %j: %s', (condition, value, expected) => {
  expect(fits({ event: 'e', where: [condition] }, { name: 'e', props: { p: value } })).toBe(expected)
})

test('all conditions hold, whenever it happened', () => {
  const where = [
    { property: 'a', is: ['1'] },
    { property: 'b', present: true },
  ] as const
  const goal = { event: 'e', where: [...where] } as Partial<GoalInput>
  expect(fits(goal, { name: 'e', props: { a: 1, b: 2 } })).toBe(true)
  expect(fits(goal, { name: 'e', props: { a: 1 } })).toBe(false)
  expect(fits(goal, { name: 'e', props: { a: 1, b: 2 }, ts: new Date(SINCE - 1) })).toBe(true)
})

test('an event is worth what it says, else what the first of its goals says that has a value', () => {
  const goals: Partial<GoalInput>[] = [
    { event: 'e' },
    { event: 'e', value: { property: 'total', currency: 'USD' } },
    { event: 'e', value: { amount: '12.5', currency: 'EUR' } },
  ]
  const all = ['goal 0', 'goal 1', 'goal 2']
  const revenue = { amount: '49', currency: 'JPY' }
  expect(met(goals, { name: 'e', props: { revenue, total: 9 } })).toEqual({ goals: all, revenue: 49, currency: 'JPY' })
  expect(met(goals, { name: 'e', props: { total: '9.99' } })).toEqual({ goals: all, revenue: 999, currency: 'USD' })
  expect(met(goals, { name: 'e', props: { total: 'a lot' } })).toEqual({ goals: all, revenue: 1_250, currency: 'EUR' })
  expect(met(goals, { name: 'other', props: { revenue } })).toEqual({ goals: undefined, revenue: 49, currency: 'JPY' })
  expect(met(goals, { name: 'other' })).toEqual({})
})

test.each([5, '49 EUR', true, [], {}, { amount: 5 }, { currency: 'EUR' }, { amount: '5,5', currency: 'EUR' }])(
  'the revenue %j is refused',
  revenue => {
    expect(met([], { props: { revenue } })).toEqual({ reason: 'revenue-invalid' })
  },
)
