/**
 * Counts from blocks: any question, with its filters, by scanning columns in memory. It is the scan's answer, to the last
 * visitor; what has no blocks at all, as a question of today, is left to the scan, and so is where much has none: to read events
 * takes this process longer than it takes MongoDB.
 */
import type { Db } from 'mongodb'
import { type Blocks, ColumnsGone, TooManyDifferent, TooMuchRaw } from '../columns/index.ts'
import { namesOf } from './block-scan.ts'
import type { Engine } from './engine.ts'
import { fittingOf } from './hours.ts'
import { reading } from './reading.ts'
import { type Scanning, type Supply, scanHere } from './scanning.ts'

/** What leaves a question to the scan. */
const LEFT = [TooMuchRaw, TooManyDifferent, ColumnsGone]

/** @param scanning where columns are scanned; in this thread if absent */
export function createBlockEngine(db: Db, blocks: Blocks, scanning: Scanning = scanHere): Engine {
  return {
    name: 'blocks',
    async answer(ask, { session, signal }) {
      const { site, range, over } = ask
      const asked = { site: site.key, from: range.from, to: range.to, names: namesOf(ask), goals: site.goals }
      const found = await blocks.find(asked, { ...reading(), session })
      if (!found || found.days === 0) return undefined
      try {
        const supply: Supply = {
          blocks: () => found.blocks(),
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
