/** Sessions in which something was done, for filters that ask so: of one that reaches over several blocks, in any of them. */
import { type Block, columnOf } from '../columns/index.ts'
import { eachEvents } from './block-chunks.ts'
import { type DoneIn, type Fitting, testOf } from './block-filters.ts'
import type { Ask } from './engine.ts'
import { donesOf, type Filter } from './filter.ts'

/** @returns which sessions of a block have done what the filters ask for */
export async function findDone(
  ask: Pick<Ask, 'range' | 'bots' | 'filters'>,
  blocks: () => AsyncIterable<Block>,
  fitting: Fitting,
): Promise<(block: Block) => Promise<DoneIn>> {
  const dones = ask.filters.flatMap(donesOf)
  if (dones.length === 0) return async () => new Map()
  const inBlock = async (block: Block): Promise<Map<Filter, Uint8Array>> => {
    const found = new Map<Filter, Uint8Array>()
    for (const done of dones) {
      if (done.kind !== 'done') continue
      const test = await testOf([done.of], { block, fitting, done: new Map() })
      const sessions = new Uint8Array(block.sessions)
      eachEvents(ask, block, { others: false, test }, chunk => {
        for (let i = 0; i < chunk.length; i++) sessions[chunk.sessions[i] as number] = 1
      })
      found.set(done, sessions)
    }
    return found
  }
  // First of all blocks, what the next one, or the one before, has done in the same session.
  const open = new Map<Filter, Set<number>>(dones.map(done => [done, new Set()]))
  for await (const block of blocks()) {
    const keys = openKeys(block)
    if (keys.length === 0) continue
    const found = await inBlock(block)
    for (const [done, sessions] of found)
      for (const [session, key] of keys) if (sessions[session] === 1) open.get(done)?.add(key)
  }
  return async block => {
    const found = await inBlock(block)
    for (const [session, key] of openKeys(block))
      for (const [done, sessions] of found) if (open.get(done)?.has(key)) sessions[session] = 1
    return found
  }
}

/** Sessions that reach out of the block. */
function openKeys(block: Block): [session: number, key: number][] {
  const { numbers: open } = columnOf(block, 'session.open')
  const { numbers: keys } = columnOf(block, 'session.key')
  const found: [number, number][] = []
  for (let session = 0; session < block.sessions; session++)
    if (open[session] === 1) found.push([session, keys[session] ?? 0])
  return found
}
