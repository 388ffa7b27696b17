/**
 * Estimates from a sample: where much would be scanned, first the visits and events of some windows of visitors are, which is
 * the first part of each day. A visitor's window is random, and has all of a visitor, so that numbers of visitors grow with the
 * share as all others do. How far off they may be is told by {@link GROUPS} groups of the sample's visitors, by how much these
 * differ among each other (the random group method: Wolter, Introduction to Variance Estimation, chapter 2).
 */
import { type Block, columnOf, NOTHING, WINDOWS, windowOfId } from '../columns/index.ts'
import { type Chunk, MOST_OF_CHUNK, type Test, wideOf } from './block-chunks.ts'
import { type Measure, type Row, rowKey } from './engine.ts'

export const GROUPS = 16
/** 95 of 100 times: of Student's t with {@link GROUPS} − 1 degrees of freedom, and of the normal distribution. */
const [T, Z] = [2.131, 1.96]
/** Not in the sample. */
const OUT = 0xff

export interface Sampling {
  /** which sessions are in the sample; what has none may be */
  sessions: Test
  /** which of what has no session is in it; what has one may be */
  others: Test
  /** Of each of a chunk its group, until it is asked of another one. */
  groupsOf(chunk: Chunk): Uint32Array
}

const groups = new Uint32Array(MOST_OF_CHUNK)

/** @param windows that are looked at @param block with `session.who` and `who.id`, and where it has events without a session with `event.who` */
export function samplingOf(windows: number, block: Block): Sampling {
  const ids = columnOf(block, 'who.id').numbers
  const groupOfWho = Uint8Array.from(ids, id => (windowOfId(id) < windows ? groupOf(id) : OUT))
  /** Of nobody by place, as it has no window. */
  const ofWho = (who: number, place: number): number =>
    who === NOTHING ? ((place * windows) % WINDOWS < windows ? groupOf(place) : OUT) : (groupOfWho[who] as number)
  const noOther = new Uint32Array(0)
  const columns = () => ({
    ofSessions: wideOf(block, 'session.who'),
    ofEvents: block.columns.has('event.who') ? wideOf(block, 'event.who') : noOther,
  })
  return {
    sessions(chunk, fits) {
      const { ofSessions } = columns()
      for (let i = 0; i < chunk.length; i++) {
        const session = chunk.sessions[i] as number
        fits[i] = session === NOTHING || ofWho(ofSessions[session] as number, session) !== OUT ? 1 : 0
      }
    },
    others(chunk, fits) {
      const { ofEvents } = columns()
      for (let i = 0; i < chunk.length; i++) {
        const event = chunk.events[i] as number
        fits[i] = chunk.sessions[i] !== NOTHING || ofWho(ofEvents[event] as number, event) !== OUT ? 1 : 0
      }
    },
    groupsOf(chunk) {
      const { ofSessions, ofEvents } = columns()
      for (let i = 0; i < chunk.length; i++) {
        const [session, event] = [chunk.sessions[i] as number, chunk.events[i] as number]
        groups[i] =
          session === NOTHING ? ofWho(ofEvents[event] as number, event) : ofWho(ofSessions[session] as number, session)
      }
      return groups
    },
  }
}

/** Numbers that follow each other come in any group (the finalizer of MurmurHash3). */
function groupOf(id: number): number {
  let hash = Math.imul(id ^ (id >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) & (GROUPS - 1)
}

export type Estimate = Row & {
  /** bound of the relative error of each of its counts, 95 of 100 times */
  error: number
}

/** What the rows of a share of the visitors say of all, where the last value of each row is its group. */
export function estimated(rows: readonly Row[], share: number): Estimate[] {
  const byKey = new Map<string, { row: Row; ofGroups: Row[] }>()
  for (const { values, ...rest } of rows) {
    const row = { ...rest, values: values.slice(0, -1) }
    const key = rowKey(row)
    const held = byKey.get(key)
    if (held) held.ofGroups.push(row)
    else byKey.set(key, { row, ofGroups: [row] })
  }
  return [...byKey.values()].map(({ row, ofGroups }) => {
    const counts: Row['counts'] = {}
    let error = 0
    for (const measure of Object.keys(row.counts) as Measure[]) {
      const numbers = ofGroups.map(group => group.counts[measure] ?? 0)
      const sum = numbers.reduce((total, n) => total + n, 0)
      counts[measure] = Math.round(sum / share)
      if (sum > 0) error = Math.max(error, errorOf(numbers, sum, OF_ONE.includes(measure), 1 - share))
    }
    const currencies = new Set(ofGroups.flatMap(({ currency }) => (currency === undefined ? [] : [currency])))
    const [only] = currencies
    return { ...row, counts, error, ...(only !== undefined && { currency: currencies.size === 1 ? only : null }) }
  })
}

/** Measures of which each is counted once, so that few of them say little, however equal the groups are. */
const OF_ONE: readonly Measure[] = ['visitors', 'visits', 'events', 'pageviews']

/** @param numbers of the groups; those that are not there have 0 @param left the share that is not looked at */
function errorOf(numbers: readonly number[], sum: number, isOfOne: boolean, left: number): number {
  const mean = sum / GROUPS
  const apart = numbers.reduce((total, n) => total + (n - mean) ** 2, (GROUPS - numbers.length) * mean ** 2)
  const spread = (T * Math.sqrt((GROUPS / (GROUPS - 1)) * apart * left)) / sum
  return isOfOne ? Math.max(spread, Z * Math.sqrt(left / sum)) : spread
}
