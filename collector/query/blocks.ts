/**
 * Counts from blocks: any question, with its filters, by scanning columns in memory. It is the scan's answer, to the last
 * visitor; what has no blocks at all, as a question of today, is left to the scan, and so is where much has none: to read events
 * takes this process longer than it takes MongoDB.
 */
import type { Db } from 'mongodb'
import {
  type Blocks,
  ColumnsGone,
  type Found,
  TooManyDifferent,
  TooMuchRaw,
  tallyColumns,
  WINDOWS,
} from '../columns/index.ts'
import { namesOf } from './block-scan.ts'
import { hasWholeBlocks, tallyFor } from './block-tallies.ts'
import type { Ask, Engine } from './engine.ts'
import { fittingOf } from './hours.ts'
import { reading } from './reading.ts'
import { type Scanning, type Supply, scanHere } from './scanning.ts'

/** What leaves a question to the scan. */
const LEFT = [TooMuchRaw, TooManyDifferent, ColumnsGone]

/** Events and sessions of which an estimate is wanted first: more take most of a second (`npm run bench -- reports`). */
const LARGE = 4_000_000

/** Windows of visitors that an estimate looks at, at least. */
const LEAST = 4
/** Most of the rows that an estimate may read: of more, the answer itself is not much later. */
const MOST_SHARE = 1 / 3

/** Those windows that are read with the first few; `undefined` where an estimate is not worth it. */
function sampleOf({ rows }: Found, large: number): number | undefined {
  const [all, read] = [rows(WINDOWS), rows(LEAST)]
  if (all < large || read > all * MOST_SHARE) return undefined
  let windows = LEAST
  while (2 * windows < WINDOWS && rows(2 * windows) === read) windows *= 2
  return windows
}

/**
 * @param scanning where columns are scanned; in this thread if absent
 * @param large events and sessions of which an estimate comes first, where one is wanted
 */
export function createBlockEngine(
  db: Db,
  blocks: Blocks,
  scanning: Scanning = scanHere,
  large: number = LARGE,
): Engine {
  return {
    name: 'blocks',
    async answer(asked, { session, signal, estimates }) {
      const { site, range, over } = asked
      const tally = tallyFor(asked)
      const names = [...namesOf(asked), ...(tally ? tallyColumns(tally) : [])]
      const wanted = { site: site.key, from: range.from, to: range.to, names, goals: site.goals }
      const found = await blocks.find(wanted, { ...reading(), session })
      if (!found || found.days.length === 0) return undefined
      const sampled = estimates ? sampleOf(found, large) : undefined
      const ask: Ask = {
        ...asked,
        ...(sampled !== undefined && { sampled }),
        ...(found.name !== undefined && { blocks: found.name }),
        ...(tally && hasWholeBlocks(asked, found) && { tallied: tally }),
      }
      try {
        const supply: Supply = {
          blocks: names => found.blocks(sampled, names),
          fits: (leaf, values) => fittingOf(db, [leaf], values, signal),
        }
        const counted = await scanning({ of: 'rows', ask }, supply, signal)
        const source = !found.isRaw ? 'blocks' : over === 'visits' ? 'sessions' : 'events'
        return { ...counted, source }
      } catch (error) {
        if (LEFT.some(kind => error instanceof kind)) return undefined
        throw error
      }
    },
  }
}
