/** Whether days, weeks, months, sketches and blocks say what they are made of, at every moment: looked at again and again while things are killed. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Db } from 'mongodb'
import { createBlocks } from '../../collector/columns/index.ts'
import { HOUR_COUNTERS, HOUR_DIMENSIONS } from '../../collector/journal/index.ts'
import { findClosed } from '../../collector/rollup/closed.ts'
import { CLOSED_GRAINS, type ClosedGrain, type Hours, readHours } from '../../collector/rollup/index.ts'
import { isOfEvents } from '../../collector/sketch/index.ts'
import { compareBlocks } from './blocks.ts'
import { compareRows, type StoredRollup, unpack } from './check.ts'
import { add, GRAINS, type Rows } from './model.ts'
import { compareSketched } from './sketched.ts'

export interface ClosedWatch {
  readonly looks: number
  /** of these, those that found days, weeks or months that held */
  readonly taken: number
  /** of all looks: days whose blocks held, and what of these was wrong */
  readonly blocks: { held: number; wrong: number }
  /** Gives back what was wrong. */
  end(): Promise<string[]>
}

const LOOK_MS = 250
const DAY_MS = 86_400_000

export function watchClosed(db: Db, site: string): ClosedWatch {
  // With a read concern of its own, nothing would be read of the snapshot.
  const plain = db.client.db(db.databaseName)
  let [looks, taken] = [0, 0]
  const blocks = createBlocks(plain)
  const ofBlocks = { held: 0, wrong: 0 }
  const faults: string[] = []
  const stop = new AbortController()
  const month = GRAINS.month?.(Date.now()) ?? 0
  const range = { site, dims: HOUR_DIMENSIONS, from: month - 8 * DAY_MS, to: month + 40 * DAY_MS, bucketOf: () => 0 }
  const look = async (grains: ClosedGrain[]): Promise<void> => {
    const { held, both, sketched, blocked } = await plain.client.withSession({ snapshot: true }, async session => {
      const both = [
        await readHours(plain, { ...range, closed: grains }, session),
        await readHours(plain, range, session),
      ]
      const sketched = await compareSketched(plain, site, session, ['visits', 'source'])
      const blocked = await compareBlocks(plain, blocks, site, session)
      return {
        both,
        blocked,
        sketched,
        held: await findClosed(plain, { ...range, grains, fits: () => true }, { session }),
      }
    })
    looks++
    if (held.length > 0) taken++
    faults.push(...sketched.faults, ...blocked.faults)
    ofBlocks.held += blocked.held
    ofBlocks.wrong += blocked.faults.length
    const [closed = '', hours = ''] = both.map(textOf)
    if (closed !== hours)
      faults.push(`${grains.join('s and ')}s say ${short(closed, hours)}, not ${short(hours, closed)}`)
  }
  const running = (async () => {
    for (let turn = 0; !stop.signal.aborted; turn++) {
      // What mongod can't tell as it is down, it tells later.
      await look(turn % 2 === 0 ? ['day'] : turn % 4 === 1 ? ['week', 'day'] : ['month', 'week', 'day']).catch(() => {})
      await pause(LOOK_MS, undefined, { signal: stop.signal }).catch(() => {})
    }
  })()
  return {
    get looks() {
      return looks
    },
    get taken() {
      return taken
    },
    blocks: ofBlocks,
    async end() {
      stop.abort()
      await running
      return faults
    },
  }
}

/** At the end, when all is folded and closed: what days, weeks and months say, that hours do not. */
export async function compareClosed(db: Db): Promise<string[]> {
  const expected: Rows = new Map()
  const actual: Rows = new Map()
  const grains = ['hour', ...CLOSED_GRAINS]
  for await (const held of db.collection<StoredRollup>('rollups').find({ grain: { $in: grains } })) {
    const { site, grain, dim, at, values, counters } = held
    const isHour = grain === 'hour'
    unpack(counters, values.length, HOUR_COUNTERS.length).forEach((row, i) => {
      for (const as of isHour ? CLOSED_GRAINS : [grain])
        add(isHour ? expected : actual, `${site} ${as} ${dim} ${GRAINS[as]?.(+at)} ${values[i]}`, row)
    })
  }
  return compareRows('days, weeks and months', actual, expected)
}

/** At the end, when all is settled: what sketches say that is not so, and what no sketches say. */
export async function compareSketches(db: Db): Promise<string[]> {
  const plain = db.client.db(db.databaseName)
  const faults: string[] = []
  for (const site of await db.collection('sessions').distinct('site')) {
    const looked = await plain.client.withSession({ snapshot: true }, session => compareSketched(plain, site, session))
    faults.push(...looked.faults)
    for (const [told, days] of looked.held) {
      const [name, site_, time] = isOfEvents(told) ? ['events', 'meta.site', 'ts'] : ['sessions', 'site', 'start']
      const $nor = days.map(({ from, to }) => ({ [time]: { $gte: new Date(from), $lt: new Date(to) } }))
      const missing = { [site_]: site, bot: { $exists: false }, ...($nor.length > 0 && { $nor }) }
      if (await db.collection(name).findOne(missing)) faults.push(`${told} of ${site} are not sketched`)
    }
  }
  return faults
}

/** At the end, the same of blocks: what is wrong or has none. */
export async function compareAllBlocks(db: Db): Promise<{ wrong: string[]; stale: string[] }> {
  const plain = db.client.db(db.databaseName)
  const blocks = createBlocks(plain)
  const [wrong, stale]: [string[], string[]] = [[], []]
  for (const site of await db.collection('sessions').distinct('site')) {
    const looked = await plain.client.withSession({ snapshot: true }, session =>
      compareBlocks(plain, blocks, site, session),
    )
    wrong.push(...looked.faults)
    stale.push(...looked.stale)
  }
  return { wrong, stale }
}

/** A line a row, in an order that is always the same. */
const textOf = (read: Map<string, Hours>): string =>
  [...read]
    .flatMap(([dim, hours]) =>
      [...hours].flatMap(([, rows]) => [...rows].map(([value, row]) => `${dim} ${value}: ${row}`)),
    )
    .sort()
    .join('\n')

/** The first line that the other one has not. */
const short = (text: string, other: string): string => {
  const lines = new Set(other.split('\n'))
  return text.split('\n').find(line => !lines.has(line)) ?? 'nothing of it'
}
