/**
 * Estimates from a sample: where much would be scanned, first the visits and events of some windows of visitors are, which is
 * the first part of each day. A visitor's window is random, and has all of a visitor, so that numbers of visitors grow with the
 * share as all others do. How far off they may be is told by {@link GROUPS} groups of the sample's visitors, by how much these
 * differ among each other (the random group method: Wolter, Introduction to Variance Estimation, chapter 2).
 */
import { type Block, columnOf, NOTHING, type Numbers, WINDOWS, windowOfId } from '../columns/index.ts'
import { type Chunk, type Test, wideOf } from './block-chunks.ts'
import type { Measure, Row } from './engine.ts'
import type { Grouped } from './sum-rows.ts'

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
  /** Writes in the place of each row of a chunk that of its group: each row has {@link GROUPS} of these. */
  intoGroups(chunk: Chunk, rows: Int32Array): void
}

/** By the numbers of a block's visitors: the questions of a dashboard ask for the same. */
const known = new WeakMap<Numbers, { windows: number; groups: Uint8Array }>()

/** Of each visitor of a block its group, or {@link OUT}. */
function groupsOf(ids: Numbers, windows: number): Uint8Array {
  const held = known.get(ids)
  if (held?.windows === windows) return held.groups
  const groups = new Uint8Array(ids.length)
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i] as number
    groups[i] = windowOfId(id) < windows ? groupOf(id) : OUT
  }
  known.set(ids, { windows, groups })
  return groups
}

/** @param windows that are looked at @param block with `session.who` and `who.id`, and where it has events without a session with `event.who` */
export function samplingOf(windows: number, block: Block): Sampling {
  const groupOfWho = groupsOf(columnOf(block, 'who.id').numbers, windows)
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
    intoGroups(chunk, rows) {
      const { ofSessions, ofEvents } = columns()
      for (let i = 0; i < chunk.length; i++) {
        const [session, event] = [chunk.sessions[i] as number, chunk.events[i] as number]
        const group =
          session === NOTHING ? ofWho(ofEvents[event] as number, event) : ofWho(ofSessions[session] as number, session)
        rows[i] = (rows[i] as number) * GROUPS + group
      }
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

/** What the groups of a share of the visitors say of all. */
export function estimated(rows: readonly Grouped[], share: number): Estimate[] {
  return rows.map(({ groups, ...row }) => {
    const counts: Row['counts'] = {}
    let error = 0
    for (const [measure, numbers] of groups) {
      const sum = numbers.reduce((total, n) => total + n, 0)
      counts[measure] = Math.round(sum / share)
      if (sum > 0) error = Math.max(error, errorOf(numbers, sum, OF_ONE.includes(measure), 1 - share))
    }
    return { ...row, counts, error }
  })
}

/** Measures of which each is counted once, so that few of them say little, however equal the groups are. */
const OF_ONE: readonly Measure[] = ['visitors', 'visits', 'events', 'pageviews']

/** @param numbers of the groups @param left the share that is not looked at */
function errorOf(numbers: Float64Array, sum: number, isOfOne: boolean, left: number): number {
  const mean = sum / GROUPS
  const apart = numbers.reduce((total, n) => total + (n - mean) ** 2, 0)
  const spread = (T * Math.sqrt((GROUPS / (GROUPS - 1)) * apart * left)) / sum
  return isOfOne ? Math.max(spread, Z * Math.sqrt(left / sum)) : spread
}
