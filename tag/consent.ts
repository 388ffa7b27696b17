/** One decision out of many signals: what may be sent, and what may be kept on the device. */
import { options } from './options.ts'
import type { Purpose } from './types.ts'
import type { ConsentFlag } from './wire.ts'

/** Ranks of the signals: the lowest one that has spoken decides. Those of standards will come after these. */
export const OPT_OUT = 0
export const API = 1

/** What was agreed to: `undefined` is undecided, an empty list is denied, and any other holds `measure`. */
export let purposes: Purpose[] | undefined

/**
 * Under which consent an event could be sent now; `false` means that it has to wait.
 * The mode `cookieless` would answer `l` while undecided.
 */
export const consentFlag = (): ConsentFlag | false =>
  purposes ? (purposes[0] ? 'g' : 'd') : options.mode === 'none' && 'x'

/** Whether this visitor may be known again, so: whether anything may be stored on the device. */
export const mayKeep = (): boolean => (purposes ? purposes.includes('identify') : options.mode === 'none')

const said: (Purpose[] | undefined)[] = []

/** Hears a signal: what was agreed to may change. */
export const hear = (speaker: number, wish?: Purpose[]): void => {
  said[speaker] = wish
  // Without `measure` nothing is sent, so nothing else can be meant.
  purposes = said
    .find(spoken => spoken)
    ?.filter((purpose, _, all) => all.includes('measure') && purpose !== options.veto)
}
