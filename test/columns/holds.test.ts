/** What makes blocks not hold, and that nothing else does; how days are answered that are damaged. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { columns, manifests } from '../../collector/columns/documents.ts'
import { readHolds, readManifests } from '../../collector/columns/fresh.ts'
import { columnOf, createBlockBuilder, createBlocks, readProgress } from '../../collector/columns/index.ts'
import { toStored } from '../../collector/journal/index.ts'
import { createBlockEngine } from '../../collector/query/blocks.ts'
import { createQueries } from '../../collector/query/index.ts'
import { createFolder } from '../../collector/rollup/index.ts'
import { seed } from '../../collector/seed/index.ts'
import { createTurns, settleBatch, type Turns } from '../../collector/settle/batch.ts'
import { leaseLane, raiseFence, release } from '../../collector/settle/index.ts'
import { type Goal, readGoal, type Site } from '../../collector/sites/index.ts'
import { verify } from '../../collector/verify/index.ts'
import { compareBlocks } from '../crash/blocks.ts'
import { countLeft } from '../crash/blocks-left.ts'
import { journalEvent, openPage } from '../fixtures/events.ts'
import { DAY, type Deployment, deploy, HOUR, SITE } from '../rollup/deployment.ts'

const MINUTE = 60_000
const FROM = Date.parse('2026-03-10')
/** Begins of the three days. */
const [DAY1, DAY2, DAY3] = [FROM, FROM + DAY, FROM + 2 * DAY] as const
const SPAN = { from: FROM, to: FROM + 3 * DAY }
const ALL = [1, 2, 3]

/** Of all tests: each leaves days that hold. */
let it: Deployment
beforeAll(async () => {
  it = await deploy()
  for (const name of ['manifest', 'blocks', 'revisions']) await it.db.collection(name).dropIndex('expires_1')
  // Over the first midnight goes one session, and a bot's.
  await it.take([DAY1 + 23.8 * HOUR, DAY2 + 5 * MINUTE], { session: 'over' })
  await it.take([DAY1 + 23.7 * HOUR, DAY2 + 5 * MINUTE], { session: 'bot', bot: 'Googlebot' }, { lane: 1 })
  const days = [DAY1, DAY2, DAY3]
  const views = days.flatMap(at => [at + 6 * HOUR, at + 9 * HOUR])
  await it.take(views, n => ({ path: `/${n % 2}`, source: 'news' }))
  const clicks = days.map(at => at + 7 * HOUR)
  await it.take(clicks, { name: 'click', props: { plan: 'pro' } }, { lane: 1 })
  expect(await build()).toBe(3)
  expect(await holding()).toEqual(ALL)
})
afterAll(() => it.drop())

const build = () =>
  createBlockBuilder({ db: it.db, now: () => SPAN.to + HOUR, pace: { every: 0, first: 0, later: 0 } }, 0)()
const inSnapshot = <T>(read: Parameters<typeof it.client.withSession<T>>[1]): Promise<T> =>
  it.client.withSession({ snapshot: true }, read)
/** Numbers of the days that hold, each asked by itself. */
const holding = async (): Promise<number[]> => {
  const held: number[] = []
  for (const [n, at] of [DAY1, DAY2, DAY3].entries()) {
    const isHeld = await inSnapshot(async session => {
      const all = await readManifests(it.db, SITE, { from: at, to: at + DAY }, { session })
      const holds = await readHolds(it.db, SITE, all, { session })
      return all.filter(({ to }) => +to === at + DAY).some(holds)
    })
    if (isHeld) held.push(n + 1)
  }
  return held
}
/** Builds what is due and holds it against a recount. */
const rebuilt = async (): Promise<number> => {
  const built = await build()
  const looked = await inSnapshot(session => compareBlocks(it.db, createBlocks(it.db), SITE, session, SPAN))
  expect(looked).toEqual({ faults: [], held: 3, stale: [] })
  expect(await countLeft(it.db)).toMatchObject({ orphans: 0, damaged: 0 })
  return built
}

describe('an event that is late', () => {
  test.each([true, false])('makes its day stale from when it is settled (folded: %s)', async folded => {
    await it.take([DAY2 + 12 * HOUR], {}, { folded })
    expect(await holding()).toEqual([1, 3])
    await it.fold()
    expect(await holding()).toEqual([1, 3])
    expect(await rebuilt()).toBe(1)
  })

  test.each([false, true])('may be the first of its day (folded: %s)', async folded => {
    await it.take([DAY3 + MINUTE], {}, { folded })
    expect(await holding()).toEqual([1, 2])
    expect(await rebuilt()).toBe(1)
    await it.fold()
  })

  test('that is settled when its day is built is no news when it is folded', async () => {
    await it.take([DAY2 + 12 * HOUR], {}, { folded: false })
    expect(await build()).toBe(1)
    expect(await holding()).toEqual(ALL)
    await it.fold()
    expect(await holding()).toEqual(ALL)
    expect(await rebuilt()).toBe(0)
  })

  test.each([true, false])('of a session over midnight, the days that have some of it (folded: %s)', async folded => {
    // In the hour in which it begins, but before it: nothing else of the second day is in this page.
    await it.take([DAY1 + 23.9 * HOUR], { session: 'over', path: `/${folded}` }, { folded })
    expect(await holding()).toEqual([3])
    expect(await rebuilt()).toBe(2)
    await it.take([DAY2 + 10 * MINUTE], { session: 'over', path: `/${folded}` }, { folded })
    expect(await holding()).toEqual([3])
    await it.fold()
    expect(await rebuilt()).toBe(2)
  })

  test.each([true, false])('of a bot, too, whose sessions are in no hours (folded: %s)', async folded => {
    await it.take([DAY2 + 10 * MINUTE], { session: 'bot', bot: 'Googlebot', name: 'click' }, { folded })
    expect(await holding()).toEqual([3])
    expect(await rebuilt()).toBe(2)
  })

  test('that says whose the session is', async () => {
    await it.take([DAY2 + 10 * MINUTE], { session: 'over', visitor: 'v', name: 'click' })
    expect(await holding()).toEqual([3])
    expect(await rebuilt()).toBe(2)
  })
})

test('a repair makes all days stale', async () => {
  await it.db.collection('sessions').updateOne({ site: SITE }, { $set: { views: 99 } })
  const { repaired } = await verify({ client: it.client, db: it.db, began: Date.now(), repair: true })
  expect(repaired.length).toBeGreaterThan(0)
  expect(await holding()).toEqual([])
  expect(await rebuilt()).toBe(3)
})

test('so does a history that is added', async () => {
  await seed({ db: it.db, site: SITE, events: 500, days: 2, add: true, now: SPAN.to })
  expect(await holding()).toEqual([])
  expect(await rebuilt()).toBe(3)
})

test('so does another seed of the hashes of visitors', async () => {
  await it.db.collection<{ _id: string }>('sketches').deleteOne({ _id: `${SITE}/seed` })
  expect(await holding()).toEqual([])
  expect(await rebuilt()).toBe(3)
})

test('a property that was declared since is read from events until all days have its column', async () => {
  const sites = it.db.collection<{ _id: string }>('sites')
  await sites.updateOne({ _id: SITE }, { $set: { properties: [{ name: 'plan', since: new Date(0) }] } })
  const blocks = createBlocks(it.db)
  const kept = (...names: 'event.props.plan'[]) =>
    inSnapshot(async session => (await blocks.find({ site: SITE, ...SPAN, names }, { session }))?.days.length)
  expect([await kept(), await kept('event.props.plan')]).toEqual([3, 0])
  expect(await rebuilt()).toBe(3)
  expect([await kept(), await kept('event.props.plan')]).toEqual([3, 3])
})

describe('goals that were made since', () => {
  const sites = () => it.db.collection<{ _id: string; goals?: Goal[] }>('sites')
  const clicked = readGoal(
    { name: 'Clicked', event: 'click', where: [{ property: 'plan', is: ['pro'] }] },
    new Date(DAY3),
  )
  const viewed = readGoal({ name: 'Viewed', page: '/1' }, new Date(SPAN.to))
  const have = async (...goals: Goal[]) => void (await sites().updateOne({ _id: SITE }, { $set: { goals } }))
  const kept = (goals: Goal[], names: ('event.goals' | 'event.path')[] = ['event.goals']) =>
    inSnapshot(
      async session =>
        (await createBlocks(it.db).find({ site: SITE, ...SPAN, goals, names }, { session }))?.days.length,
    )
  /** Times at which events meet a goal, from blocks or, where these don't hold, from events. */
  const met = (goal: Goal, goals: Goal[]) =>
    inSnapshot(async session => {
      const found = await createBlocks(it.db).find(
        { site: SITE, ...SPAN, goals, names: ['event.goals', 'event.at'] },
        { session },
      )
      let times = 0
      for await (const block of found?.blocks() ?? []) {
        const { numbers, texts } = columnOf(block, 'event.goals')
        for (const code of numbers) if ((JSON.parse(texts[code] ?? '[]') as string[]).includes(goal.name)) times++
      }
      return times
    })
  const progress = (goals: Goal[]) => readProgress(it.db, { site: SITE, zone: 'UTC', goals }, SPAN.to + HOUR)
  /** A look that is ended when it has built one day. */
  const buildOne = async () => {
    const stop = new AbortController()
    const swapped = it.db.watch([{ $match: { 'ns.coll': 'manifest' } }])
    await swapped.tryNext()
    const pass = createBlockBuilder({ db: it.db, now: () => SPAN.to + HOUR, pace: { every: 0, first: 0, later: 0 } }, 0)
    const running = pass(stop.signal)
    await swapped.next()
    stop.abort()
    await swapped.close()
    return await running.catch(() => 1)
  }

  // Of the histories that were added.
  beforeAll(async () => {
    await have()
    await build()
  })

  test('are read from events until all days from before have them; other questions and days are as they were', async () => {
    const ts = { $gte: new Date(SPAN.from), $lt: new Date(DAY3) }
    const clicks = { 'meta.site': SITE, 'meta.name': 'click', 'props.plan': 'pro', ts }
    // What came later carries it, where collectors know of it.
    const before = await it.db.collection('events').countDocuments(clicks)
    expect(before).toBeGreaterThan(0)
    await have(clicked)
    expect(await holding()).toEqual(ALL)
    expect([await kept([clicked]), await kept([clicked], ['event.path']), await kept([])]).toEqual([0, 3, 3])
    expect([await met(clicked, []), await met(clicked, [clicked])]).toEqual([0, before])
    expect(await progress([clicked])).toEqual([{ days: 2, done: 0 }])
    expect(await build()).toBe(3)
    expect([await kept([clicked]), await kept([])]).toEqual([3, 0])
    expect(await met(clicked, [clicked])).toBe(before)
    expect(await progress([clicked])).toEqual([{ days: 2, done: 2 }])
    expect(await build()).toBe(0)
  })

  test('are right while days are built with another one, which goes on after it was ended', async () => {
    const both = [clicked, viewed]
    await have(...both)
    expect([await kept(both), await kept([clicked])]).toEqual([0, 3])
    const viewedOnce = await met(viewed, both)
    expect(viewedOnce).toBeGreaterThan(0)
    await buildOne()
    const [, half] = await progress(both)
    expect(half).toMatchObject({ days: 3 })
    expect(half?.done).toBeGreaterThan(0)
    expect(half?.done).toBeLessThan(3)
    expect(await kept(both)).toBe(half?.done)
    expect(await met(viewed, both)).toBe(viewedOnce)
    expect(await build()).toBe(3 - (half?.done ?? 0))
    expect([await kept(both), await met(viewed, both)]).toEqual([3, viewedOnce])
    expect(await progress(both)).toEqual([
      { days: 2, done: 2 },
      { days: 3, done: 3 },
    ])
  })

  test('are what they are now when they were removed, and made anew by the same name', async () => {
    const other = readGoal({ name: 'Clicked', page: '/0' }, new Date(SPAN.to))
    await have(other)
    expect([await kept([other]), await met(viewed, [other])]).toEqual([0, 0])
    const expected = await it.db.collection('events').countDocuments({
      'meta.site': SITE,
      'meta.name': 'pageview',
      path: '/0',
      ts: { $gte: new Date(SPAN.from), $lt: new Date(SPAN.to) },
    })
    expect(await met(other, [other])).toBe(expected)
    expect(await build()).toBe(3)
    expect([await kept([other]), await met(other, [other])]).toEqual([3, expected])
    await have()
    expect([await kept([]), await met(other, [])]).toEqual([0, 0])
    expect(await rebuilt()).toBe(3)
    expect(await met(other, [])).toBe(0)
  })
})

describe('a raw event whose page is not settled yet', () => {
  /** Builds when raw events are stored and not counted. @returns turns with the commit of which nothing goes on */
  const heldAt = (atCommit: () => Promise<void>): Turns => ({
    ...createTurns(),
    commit: async action => {
      await atCommit()
      return await action()
    },
  })
  /** No lane of the deployment, though its lease may have run out. */
  const isOther = async (id: number) => id > 1
  const page = async (epoch: number, lane: number, at = DAY2 + 9 * HOUR) => {
    const id = `late ${lane} ${epoch} ${at}`
    const event = journalEvent({ id, session: id, ts: new Date(at) })
    const made = openPage([event], { lane, epoch })
    await it.journal.insertOne(toStored(made))
    return made
  }
  const eventsOf = async () => (await manifests(it.db).findOne({ at: new Date(DAY2) }))?.parts[0]?.events ?? 0

  test('is in the block, which is stale as soon as it is settled', async () => {
    const lane = await leaseLane(it.db, 'three', isOther)
    const fence = await raiseFence(it.db, lane)
    const before = await eventsOf()
    // One event more makes the day due.
    await it.take([DAY2 + 9 * HOUR])
    const turns = heldAt(async () => {
      expect(await build()).toBe(1)
      expect(await eventsOf()).toBe(before + 2)
      expect(await holding()).toEqual(ALL)
    })
    await settleBatch({ db: it.db, lane, fence, pages: [await page(lane.epoch, lane.id)], turns })
    expect(await holding()).toEqual([1, 3])
    expect(await rebuilt()).toBe(1)
    expect(await eventsOf()).toBe(before + 2)
  })

  test('also where the day has nothing else', async () => {
    const lane = await leaseLane(it.db, 'five', isOther)
    const fence = await raiseFence(it.db, lane)
    const at = FROM - 5 * DAY
    const holds = () =>
      inSnapshot(async session => {
        const all = await readManifests(it.db, SITE, { from: at, to: at + DAY }, { session })
        const one = await readHolds(it.db, SITE, all, { session })
        return all.map(one)
      })
    const turns = heldAt(async () => {
      expect(await build()).toBe(1)
      expect(await holds()).toEqual([true])
    })
    await settleBatch({ db: it.db, lane, fence, pages: [await page(lane.epoch, lane.id, at + HOUR)], turns })
    expect(await holds()).toEqual([false])
    await createFolder(it.db, lane).fold()
    expect(await holds()).toEqual([false])
    expect(await rebuilt()).toBe(1)
    expect(await holds()).toEqual([true])
  })

  test('also when another holder of the lane settles it', async () => {
    const lane = await leaseLane(it.db, 'three', isOther)
    const fence = await raiseFence(it.db, lane)
    await it.take([DAY2 + 9 * HOUR])
    const pages = [await page(lane.epoch, lane.id)]
    const ended = new Error('it ended here')
    const turns = heldAt(async () => {
      expect(await build()).toBe(1)
      throw ended
    })
    await expect(settleBatch({ db: it.db, lane, fence, pages, turns })).rejects.toBe(ended)
    await fence.end()
    await release(it.db, lane)
    const next = await leaseLane(it.db, 'four', async id => id === lane.id)
    expect(next.id).toBe(lane.id)
    expect(await holding()).toEqual(ALL)
    await settleBatch({ db: it.db, lane: next, fence: await raiseFence(it.db, next), pages })
    expect(await holding()).toEqual([1, 3])
    expect(await rebuilt()).toBe(1)
  })
})

describe('columns that somebody has removed', () => {
  const ask = async (engines: 'blocks' | 'scan') => {
    const made = engines === 'blocks' ? [createBlockEngine(it.db, createBlocks(it.db))] : []
    const parts = { client: it.client, db: it.db, clock: () => SPAN.to + DAY, engines: made }
    const site = { key: SITE, timezone: 'UTC', domain: 'shop.example', consent: 'none' } as Site
    const body = {
      site_id: SITE,
      metrics: ['visitors', 'visits', 'pageviews', 'events'],
      dimensions: ['visit:source', 'event:page'],
      date_range: ['2026-03-10', '2026-03-12'],
    }
    const answer = await createQueries(parts).ask(body, site, new AbortController().signal)
    if (!('results' in answer)) throw new Error(answer.detail)
    return answer
  }

  test('leave a question to the scan, until the next look has built the day anew', async () => {
    const whole = await ask('blocks')
    const scanned = await ask('scan')
    expect(whole.results).toEqual(scanned.results)
    expect(whole.meta).not.toMatchObject({ source: scanned.meta.source })
    await columns(it.db).deleteMany({ at: new Date(DAY2), name: 'tally.path.code' })
    const damaged = await ask('blocks')
    expect(damaged.results).toEqual(whole.results)
    expect(damaged.meta).toMatchObject({ source: scanned.meta.source })
    expect(await countLeft(it.db)).toMatchObject({ damaged: 1 })
    expect(await rebuilt()).toBe(1)
    expect((await ask('blocks')).meta).toMatchObject({ source: whole.meta.source })
  })
})

test('what is not of these days changes nothing', async () => {
  await it.take([SPAN.to + 2 * HOUR, FROM - 2 * HOUR])
  await it.take([DAY2 + 12 * HOUR], { site: 'other' })
  expect(await holding()).toEqual(ALL)
  // That of the day before; of an event of a bot that is in no session nothing else tells.
  expect(await build()).toBe(1)
  await it.take([FROM - 3 * DAY], { bot: 'Googlebot', session: undefined as never })
  expect(await build()).toBe(1)
  expect(await holding()).toEqual(ALL)
})

test('a zone that the site gets builds its days, and those of before go', async () => {
  await it.moveTo('Asia/Tokyo')
  expect(await build()).toBeGreaterThan(2)
  const left = await manifests(it.db).find({ site: SITE }).sort({ at: 1 }).toArray()
  for (const { at, to } of left) expect([(+at + 9 * HOUR) % DAY, +to - +at]).toEqual([0, DAY])
  expect(await countLeft(it.db)).toEqual({ days: left.length, orphans: 0, damaged: 0 })
  // Where who built ended before the others were removed, the next look does it.
  const [one] = left
  if (!one) throw new Error('nothing is built')
  await manifests(it.db).insertOne({ ...one, _id: 'old', at: new Date(+one.at + HOUR) })
  expect(await build()).toBe(0)
  expect(await manifests(it.db).countDocuments({ _id: 'old' })).toBe(0)
})
