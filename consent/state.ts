/**
 * One decision out of many signals: what may be sent, and what may be kept on the device.
 *
 * Each signal is unknown (`undefined`), denied (an empty list) or granted (a list of purposes). The strongest one that has
 * spoken decides, whatever the others say; a signal that is pending has not spoken.
 */
import { options } from '../tag/options.ts'
import type { Purpose } from '../tag/types.ts'
import type { ConsentFlag } from '../tag/wire.ts'

/** What a yes to statistics covers. */
export const AGREED: Purpose[] = ['measure', 'identify']
export const ALL: Purpose[] = [...AGREED, 'share']

/** What a signal has said; its `consent` event tells it, for the proof. */
export interface Said {
  purposes: Purpose[]
  /** name of the signal: `api`, `tcf`, `klaro` … */
  signal: string
  /** which text was agreed to: its version, or the TC or GPP string that says it */
  version?: string | number | undefined
}

/** A signal's word: nothing (or `false` and the like, of whoever computes it) is pending. */
export type Word = Said | false | 0 | '' | null | undefined

/** by rank */
const said: Word[] = []
/** what decides now */
export let decision: Said | undefined
/** What was agreed to: `undefined` is undecided, an empty list is denied, and any other holds `measure`. */
export let purposes: Purpose[] | undefined
/** Under which consent an event could be sent now; `false` means that it has to wait. */
export let flag: ConsentFlag | false
/** both, to tell one state from another */
export let state: string
/** Whether this visitor may be known again, so: whether anything may be stored on the device. */
export let mayKeep: boolean

/** Hears a signal, or that one is pending (again): what was agreed to may change. */
export const hear = (rank: number, word?: Word): void => {
  said[rank] = word
  decision = said.find(spoken => spoken) as Said | undefined
  // Without `measure` nothing is sent, so nothing else can be meant.
  purposes = decision?.purposes.filter((purpose, _, all) => all.includes('measure') && purpose !== options.veto)
  // A refusal ends what needs a consent; in the mode `cookieless` nothing else does.
  flag = purposes?.[0] ? 'g' : options.mode === 'cookieless' ? 'l' : purposes ? 'd' : options.mode === 'none' && 'x'
  state = `${flag}${purposes}`
  mayKeep = /^x|identify/.test(state)
}
