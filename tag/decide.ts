/** From a consent signal to what it changes. */
import { decision, flag, hear, mayKeep, purposes, state } from '../consent/state.ts'
import { forget, usedAt } from './identity.ts'
import { addEvent, dropAll } from './queue.ts'
import { reach } from './safely.ts'
import { flush } from './transport.ts'
import type { Tag } from './types.ts'

/** Hears a consent signal and draws the consequences at once. */
export const decide: Tag['decide'] = (rank, agreed, signal, version) => {
  const before = state
  hear(rank, agreed, signal, version)
  if (before === state) return
  if (!mayKeep) forget()
  // In the mode `cookieless`, what was gathered under no consent may still be sent under none.
  if (flag === 'd' || (usedAt && flag === 'l')) dropAll()
  // A refusal leaves a record only where something was sent under a consent before.
  if (purposes && (flag === 'g' || usedAt)) addEvent('consent', { ...decision, purposes })
  reach('consent', purposes)
  flush(1)
}
