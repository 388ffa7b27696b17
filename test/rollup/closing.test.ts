import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { HOUR_DIMENSIONS } from '../../collector/journal/index.ts'
import { MOST_CLOSED, replaceAll } from '../../collector/rollup/close.ts'
import { buildSpan, CLOSED_GRAINS, type ClosedSpan, closeSpan, OTHER, readHours } from '../../collector/rollup/index.ts'
import { noteChange } from '../../collector/settle/index.ts'
import { DAY, type Deployment, deploy, HOUR, SITE } from './deployment.ts'

const AFTER = '2026-03-13T00:00:00Z'
/** Three days, of which the second is looked at most. */
const [FROM, DAY2, TO] = ['2026-03-10', '2026-03-11', '2026-03-13'].map(date => Date.parse(date)) as [
  number,
  number,
  number,
]
const WHOLE = { from: FROM, to: TO }
const span: ClosedSpan = { site: SITE, grain: 'day', zone: 'UTC', from: DAY2, to: DAY2 + DAY }

let it: Deployment
beforeEach(async () => {
  it = await deploy()
})
afterEach(() => it.drop())

/** Something in each of these days, on both lanes. */
const fill = async (from = FROM, days = 3) => {
  for (let day = 0; day < days; day++) {
    const at = from + day * DAY
    await it.take([at, at + 5 * HOUR, at + 23.9 * HOUR], n => ({ path: `/${n}`, source: 'news' }))
    await it.take([at + HOUR], { bot: 'Googlebot' }, { lane: 1 })
    await it.take([at + 2 * HOUR], { name: 'click' }, { lane: 1 })
  }
}
const taken = async () => (await it.read(WHOLE)).closed

test('a day that is over becomes one document a dimension; one that goes on does not', async () => {
  await fill()
  expect(await it.close(TO - 1)).toBe(2)
  expect(await it.read(WHOLE)).toMatchObject({ closed: [1, 1] })
  expect(await it.closed.countDocuments({ grain: 'day' })).toBe(2 * HOUR_DIMENSIONS.length)
  expect(await it.close(AFTER)).toBe(1)
  expect(await it.close(AFTER)).toBe(0)
  const read = await it.read(WHOLE)
  expect(read.closed).toEqual([1, 1, 1])
  expect(it.events(read)).toBe(12)
  expect(await it.closed.findOne({ grain: 'day', dim: 'total' })).toMatchObject({ built: 1, values: [''] })
  expect(await it.closed.countDocuments({ grain: 'day', expires: { $exists: true } })).toBe(0)
})

test('it waits a while after the end of a day, after the first time, and longer after the next ones', async () => {
  const pace = { every: 0, first: 60_000, later: HOUR }
  const at = (minutes: number) => it.close(TO + minutes * 60_000, pace)
  await it.take([TO - HOUR])
  expect([await at(0.9), await at(1)]).toEqual([0, 1])
  await it.take([TO - HOUR])
  expect([await at(1.9), await at(2)]).toEqual([0, 1])
  await it.take([TO - HOUR])
  expect([await at(3), await at(61), await at(62)]).toEqual([0, 0, 1])
})

describe('an event of a day that is closed', () => {
  test('is counted from when it is settled, whether it is folded, and opens the day', async () => {
    await fill()
    await it.close(AFTER)
    await it.take([DAY2 + HOUR, DAY2 + DAY], {}, { folded: false })
    const settled = await it.read(WHOLE)
    expect([it.events(settled), settled.closed]).toEqual([14, [1, 1, 1]])
    await it.fold()
    const folded = await it.read(WHOLE)
    expect([it.events(folded), folded.closed]).toEqual([14, [1]])
    expect(await it.close(AFTER)).toBe(2)
    const again = await it.read(WHOLE)
    expect([it.events(again), again.closed]).toEqual([14, [1, 1, 1]])
  })

  test('changes the day of its visit, too', async () => {
    await it.take([DAY2 + 23.9 * HOUR], { session: 'one' })
    await it.close(AFTER)
    await it.take([DAY2 + DAY + HOUR / 4], { session: 'one' })
    expect(await taken()).toEqual([])
    await it.close(AFTER)
    expect(await taken()).toEqual([1, 1])
  })

  test('that is only settled is in the day that is built meanwhile, and counted once when it is folded', async () => {
    await it.take([DAY2], {}, { folded: false })
    await it.take([DAY2], {}, { lane: 1 })
    await it.close(AFTER)
    const before = await it.read(WHOLE)
    await it.fold()
    const after = await it.read(WHOLE)
    // What was settled is contained, so its folding opens nothing.
    expect([it.events(before), it.events(after), after.closed]).toEqual([2, 2, [1]])
    expect(await it.close(AFTER)).toBe(0)
  })

  test('is counted once where fold ends before it raises the touch, and before it marks its pages', async () => {
    await fill()
    await it.close(AFTER)
    const touches = await it.touch.find().toArray()
    await it.take([DAY2, DAY2 + HOUR])
    const raised = await it.touch.find().toArray()
    await it.journal.updateMany({}, { $unset: { foldedAt: 1 } })
    for (const held of [touches, raised]) {
      for (const touch of held) await it.touch.replaceOne({ _id: touch._id }, touch)
      expect(it.events(await it.read(WHOLE))).toBe(14)
    }
    for (const touch of touches) await it.touch.replaceOne({ _id: touch._id }, touch)
    await it.close(AFTER)
    expect(it.events(await it.read(WHOLE))).toBe(14)
    await it.fold()
    await it.fold(1)
    expect(await it.touch.find().toArray()).toEqual(raised)
    await it.close(AFTER)
    const end = await it.read(WHOLE)
    expect([it.events(end), end.closed]).toEqual([14, [1, 1, 1]])
  })
})

describe('closers', () => {
  test('that build the same day at the same time leave it whole', async () => {
    await fill()
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => closeSpan(it.db, span, 0)))
    expect(outcomes).toContain('closed')
    expect(outcomes).toContain('overtaken')
    expect(await taken()).toEqual([1])
    const built = await it.closed.distinct('built', { grain: 'day' })
    expect(built).toHaveLength(1)
  })

  test('that were slow do not put something older in the place of something newer', async () => {
    await fill()
    const old = await buildSpan(it.db, span, 0)
    await it.take([DAY2])
    expect(await closeSpan(it.db, span, 0)).toBe('closed')
    expect(await replaceAll(it.db, old)).toBe(false)
    expect(await taken()).toEqual([1])
    const older = await buildSpan(it.db, span, 0)
    await it.take([DAY2])
    expect(await closeSpan(it.db, span, 0)).toBe('closed')
    expect(await replaceAll(it.db, older)).toBe(false)
    expect(await taken()).toEqual([1])
  })

  test('that are killed between two writes leave what is right, and the next one goes on', async () => {
    await fill()
    for (const written of [1, 7, HOUR_DIMENSIONS.length - 1]) {
      await it.take([DAY2], { source: `news ${written}` })
      expect(await replaceAll(it.db, (await buildSpan(it.db, span, 0)).slice(0, written))).toBe(true)
      for (const dim of HOUR_DIMENSIONS) await it.read({ ...WHOLE, dims: [dim] })
      expect((await taken()).length).toBeLessThan(3)
      await it.close(AFTER)
      expect(await taken()).toEqual([1, 1, 1])
    }
  })

  test('read as others fold and settle, and are always right', async () => {
    await fill()
    let running = true
    const writing = (async () => {
      for (let i = 0; i < 25; i++) {
        await it.take([DAY2 + i * 60_000], { session: `s${i % 7}` }, { folded: false })
        await it.take([DAY2 + i * HOUR], { session: `s${i % 5}` }, { lane: 1 })
        if (i % 3 === 0) await it.fold()
      }
      running = false
    })()
    const counts = { passes: 0, reads: 0, withDays: 0 }
    const closing = [0, 1].map(async () => {
      while (running) counts.passes += await it.close(AFTER)
    })
    const reading = (async () => {
      while (running) {
        const { closed } = await it.read({ ...WHOLE, dims: ['total', 'visits', 'page'] })
        counts.reads++
        if (closed.length > 0) counts.withDays++
      }
    })()
    await Promise.all([writing, ...closing, reading])
    expect(Math.min(...Object.values(counts))).toBeGreaterThan(3)
    await it.fold()
    await it.close(AFTER)
    const end = await it.read(WHOLE)
    expect([it.events(end), end.closed]).toEqual([62, [1, 1, 1]])
  }, 60_000)
})

test('weeks and months are built of days, are read in their place, and are opened by what is late', async () => {
  await fill(Date.parse('2026-01-30'), 40)
  // 40 days, two months, and the weeks in which they lie.
  expect(await it.close(AFTER)).toBe(40 + 2 + 6)
  const year = { from: Date.parse('2026-01-01'), to: Date.parse('2026-04-01') }
  const read = await it.read(year)
  expect([it.events(read), read.closed]).toEqual([160, [31, 28, 1, 7, 1, 1]])
  const bucketOf = (at: number) => Math.floor((at / DAY + 3) / 7)
  const weeks = await it.read({ ...year, grains: ['week', 'day'], bucketOf })
  expect(weeks.closed).toEqual([...Array(6).fill(7), 1, 1])
  // From a Wednesday to a Tuesday.
  const cut = { from: Date.parse('2026-02-04'), to: Date.parse('2026-02-25') }
  expect((await it.read({ ...cut, grains: ['week', 'day'] })).closed).toEqual([1, 1, 1, 1, 1, 7, 7, 1, 1])
  await it.take(['2026-02-15T12:00:00Z'])
  const late = await it.read(year)
  // A Sunday: the week that holds it is open, too.
  expect([it.events(late), late.closed]).toEqual([161, [31, 1, 7, ...Array(6).fill(1), 7, 7, 7, 1, 1]])
  expect(await it.close(AFTER)).toBe(3)
  expect((await it.read(year)).closed).toEqual(read.closed)
}, 60_000)

test('what is long over is looked at again when counts were changed other than by settling', async () => {
  const pass = it.closer(AFTER)
  await fill()
  expect(await pass()).toBeGreaterThanOrEqual(3)
  await it.take(['2026-01-05T12:00:00Z'])
  // As late as that no event comes.
  expect(await pass()).toBe(0)
  await noteChange(it.db)
  // Its day, its week and its month.
  expect([await pass(), await pass()]).toEqual([3, 0])
})

test('of more than 10,000 values the most are kept, and the rest as one: their sum is exact, and hours answer', async () => {
  const most = MOST_CLOSED.day
  const values = most + 300
  const [often, once] = [(n: number) => ({ path: `/${n % 400}` }), (n: number) => ({ path: `/${n}` })]
  await it.take(Array(1_200).fill(DAY2), often)
  // More than one hour holds.
  await it.take(Array(300).fill(DAY2 + HOUR), once)
  await it.take(Array(most).fill(DAY2 + 2 * HOUR), n => once(n + 300))
  await it.close(AFTER)
  const page = await it.closed.findOne({ grain: 'day', dim: 'page' })
  expect(page?.values).toHaveLength(most + 1)
  expect(page?.values.filter(value => Number(value.slice(1)) < 400)).toHaveLength(400)
  expect(page?.values).toContain(OTHER)
  const read = await it.read({ ...WHOLE, dims: ['page'] })
  expect(read.hours.get('page')?.get(0)?.size).toBe(values)
  expect([read.closed, await it.read({ ...WHOLE, dims: ['total'] })]).toMatchObject([[], { closed: [1] }])
  const sum = page?.counters.buffer
  const column = Array.from({ length: most + 1 }, (_, i) => Buffer.from(sum ?? []).readDoubleLE(i * 8))
  expect(column.reduce((all, n) => all + n)).toBe(1_200 + values)
}, 60_000)

describe('days of a zone', () => {
  test.each([
    ['Europe/Berlin', '2026-03-28T00:00+01:00', [24, 23, 24]],
    ['Europe/Berlin', '2026-10-24T00:00+02:00', [24, 25, 24]],
    ['America/Sao_Paulo', '2018-11-03T00:00-03:00', [24, 23, 24]],
    ['Australia/Lord_Howe', '2026-04-04T00:00+11:00', [24, 24.5, 24]],
    ['Asia/Kathmandu', '2026-03-10T00:00+05:45', [24, 24, 24]],
  ])('%s, from %s on', async (zone, first, lengths) => {
    for (const knows of [true, false]) {
      await it.drop()
      it = await deploy(zone, { knows })
      const from = Date.parse(first)
      const to = from + lengths.reduce((sum, hours) => sum + hours * HOUR, 0)
      const times = Array.from({ length: 150 }, (_, i) => from + i * (HOUR / 2)).filter(at => at < to)
      await it.take(times, n => ({ path: `/${n % 9}`, session: `s${n % 20}` }))
      // Days of UTC touch a neighbor, in which nothing was.
      expect(await it.close(to)).toBeGreaterThanOrEqual(3)
      const read = await it.read({ from, to })
      expect([it.events(read), read.closed.map(days => days * 24)]).toEqual([times.length, lengths])
      // Touched where one day ends and the next begins.
      await it.take([from + (lengths[0] ?? 0) * HOUR])
      expect((await it.read({ from, to })).closed.length).toBeLessThan(3)
      await it.close(to)
      expect((await it.read({ from, to })).closed).toHaveLength(3)
    }
  })
})

describe('a change of the zone', () => {
  test('by whole hours: days of the new one are built, those of the old one hold for what they are', async () => {
    await fill()
    await it.close(AFTER)
    await it.moveTo('America/New_York')
    await it.take([DAY2 + HOUR])
    expect(await taken()).toEqual([1])
    expect(await it.close('2026-03-14')).toBe(4)
    const days = { from: '2026-03-09T00:00-05:00', to: '2026-03-13T00:00-04:00' }
    const read = await it.read({ ...days, grains: ['day'], bucketOf: at => Math.floor((at - 4 * HOUR) / DAY) })
    expect(read.closed.length).toBeGreaterThanOrEqual(3)
    await it.read({ from: DAY2, to: TO })
  })

  test('by a part of an hour: nothing is built of hours that lie elsewhere', async () => {
    await fill()
    await it.moveTo('Asia/Kolkata')
    expect(await it.close('2026-03-15')).toBe(0)
    await it.take(['2026-03-16T12:00:00Z'])
    expect(await it.close('2026-03-18')).toBe(1)
  })
})

describe('when hours expire', () => {
  const later = (ms: number) => new Date(+new Date(AFTER) + ms)
  const expire = (now: Date) =>
    Promise.all([it.rollups, it.touch].map(held => held.deleteMany({ expires: { $lt: now } } as object)))

  test('days, weeks and months stay as they are, whatever is folded or looked at', async () => {
    await fill(Date.parse('2026-02-20'), 20)
    await it.close('2026-04-02')
    const before = await it.closed.find({ grain: { $in: [...CLOSED_GRAINS] } }).toArray()
    // From day to day: of some of them a part of the hours is gone.
    for (let day = 370; day < 410; day++) {
      await expire(later(day * DAY))
      await it.close(later(day * DAY).toISOString())
    }
    expect(await it.rollups.countDocuments({ grain: 'hour' })).toBe(0)
    expect(await it.touch.countDocuments()).toBe(0)
    // An hour that the folder does not hold.
    await it.take(['2026-02-25T03:30:00Z'])
    await it.close(later(411 * DAY).toISOString())
    expect(await it.closed.find({ grain: { $in: [...CLOSED_GRAINS] } }).toArray()).toEqual(before)
  }, 60_000)

  test('they answer in the place of the hours, and where one is missing nothing is made up', async () => {
    await fill()
    await it.close(AFTER)
    const hours = await it.read(WHOLE)
    const now = later(420 * DAY)
    await expire(now)
    const range = {
      site: SITE,
      dims: HOUR_DIMENSIONS,
      ...WHOLE,
      bucketOf: () => 0,
      closed: ['day'] as const,
      zone: 'UTC',
    }
    const read = (kept: number) =>
      it.client.withSession({ snapshot: true }, session => readHours(it.db, { ...range, kept }, session))
    expect(await read(+now - 400 * DAY)).toEqual(hours.hours)
    await it.closed.deleteOne({ grain: 'day', dim: 'page', at: new Date(DAY2) })
    await expect(read(+now - 400 * DAY)).rejects.toThrow('kept no longer')
  })
})

test('hours of which no touch tells, from before there were any, are closed, too', async () => {
  await fill()
  await it.touch.deleteMany({})
  expect(await it.close(AFTER)).toBe(3)
  expect(await taken()).toEqual([1, 1, 1])
})
