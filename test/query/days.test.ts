/** Days on which clocks change, asked of the database: each bucket has its own label, and the sums agree. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createQueries, type Queries, type QueryAnswer } from '../../collector/query/index.ts'
import { startOfDay } from '../../collector/sites/index.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'
import { record } from './recorded.ts'
import type { PlainEvent } from './recount.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

const DAYS: [site: string, zone: string, date: string, hours: number, labels: string[]][] = [
  ['autumn', 'Europe/Berlin', '2026-10-25', 25, ['2026-10-25 02:00:00+02:00', '2026-10-25 02:00:00+01:00']],
  ['spring', 'Europe/Berlin', '2026-03-29', 23, ['2026-03-29 01:00:00', '2026-03-29 03:00:00']],
  ['half', 'Asia/Kolkata', '2026-05-05', 24, ['2026-05-05 00:00:00', '2026-05-05 23:00:00']],
  ['quarter', 'Asia/Kathmandu', '2026-05-05', 24, ['2026-05-05 00:00:00', '2026-05-05 23:00:00']],
  [
    'lord',
    'Australia/Lord_Howe',
    '2026-04-05',
    24.5,
    ['2026-04-05 01:00:00', '2026-04-05 01:30:00+10:30', '2026-04-05 02:00:00'],
  ],
  ['sao', 'America/Sao_Paulo', '2018-11-04', 23, ['2018-11-04 01:00:00', '2018-11-04 02:00:00']],
  ['beirut', 'Asia/Beirut', '2026-03-29', 23, ['2026-03-29 01:00:00', '2026-03-29 02:00:00']],
  ['cairo', 'Africa/Cairo', '2026-04-24', 23, ['2026-04-24 01:00:00', '2026-04-24 02:00:00']],
]

let database: FreshDatabase
let queries: Queries
beforeAll(async () => {
  database = await freshDatabase()
  const { client, db } = database
  // A visit of two events every ten minutes, from before the day until after it; every other day's of a cookieless visitor.
  await record(
    db,
    DAYS.map(([site, zone, date, hours]) => {
      const start = startOfDay(Date.parse(`${date}T12:00:00Z`), zone)
      const events: PlainEvent[] = []
      for (let at = start - 3 * HOUR, n = 0; at < start + (hours + 3) * HOUR; at += 10 * MINUTE, n++) {
        const consent = n % 2 ? 'l' : 'x'
        const day = at < start ? 'a' : at < start + hours * HOUR ? 'b' : 'c'
        const who = consent === 'l' ? `~${n % 8}${day}` : `v${n}`
        for (const [i, name] of ['pageview', 'click'].entries())
          events.push({
            ...{
              site,
              id: `${site}${n}.${i}`,
              ts: at + i * 1_000,
              name,
              path: '/',
              host: 'a.example',
              source: 'direct',
            },
            ...{ channel: 'direct', ref: '', device: '', browser: '', os: '', consent, visitor: who, session: who },
          })
      }
      return events
    }),
    site => DAYS.find(([key]) => key === site)?.[1],
  )
  queries = createQueries({ client, db, clock: () => Date.parse('2026-12-01T00:00:00Z') })
})
afterAll(() => database.drop())

describe.each(DAYS)('%s: %s, %s', (key, timezone, date, hours, labels) => {
  const ask = async (query: object): Promise<QueryAnswer> => {
    const site = { key, timezone, domain: 'a.example', consent: 'none' as const }
    const answer = await queries.ask(
      { site_id: key, date_range: [date, date], ...query },
      site,
      AbortSignal.timeout(20_000),
    )
    if ('code' in answer) throw new Error(answer.detail)
    return answer
  }
  const metrics = ['visits', 'events', 'pageviews']

  test(`has ${hours} hours, each with a label of its own`, async () => {
    const { meta, results } = await ask({ metrics, dimensions: ['time:hour'], include: { time_labels: true } })
    expect(meta.time_labels).toHaveLength(Math.ceil(hours))
    expect(new Set(meta.time_labels).size).toBe(Math.ceil(hours))
    const place = meta.time_labels?.indexOf(labels[0] ?? '') ?? -1
    expect(meta.time_labels).toEqual(expect.arrayContaining(labels))
    if (labels.length > 2) expect(meta.time_labels?.slice(place, place + labels.length)).toEqual(labels)
    // Something happens in every hour, so every label is a row, in the order of time.
    expect(results.map(row => row.dimensions[0])).toEqual(meta.time_labels)
    expect(meta.partial).toEqual([])
  })

  test.each([[[]], [['visit:device']], [['event:page']]])(
    'the sums of its parts are the whole, with %j',
    async more => {
      const sums = async (dimensions: string[]) => {
        const { results } = await ask({ metrics, dimensions: [...dimensions, ...more] })
        return metrics.map((_, i) => results.reduce((sum, row) => sum + Number(row.metrics[i] ?? 0), 0))
      }
      const whole = await sums([])
      if (more.length === 0) expect(whole[1]).toBe(hours * 12)
      for (const unit of ['minute', 'hour', 'day', 'week', 'month']) expect(await sums([`time:${unit}`])).toEqual(whole)
    },
  )

  test('is one day, with its date', async () => {
    const { results } = await ask({ metrics: ['events'], dimensions: ['time:day'] })
    expect(results).toEqual([{ metrics: [hours * 12], dimensions: [date] }])
  })
})
