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

/** `undefined`, or what stands for it where it is computed */
type Pending = false | 0 | '' | null | undefined

/** What a signal says. All but its rank are in its `consent` event, for the proof. */
export type Signal = [
  rank: number,
  /** what is agreed to; pending is no word */
  purposes?: Purpose[] | Pending,
  /** `api`, `tcf`, `klaro` … */
  name?: string,
  /** which text was agreed to: its version, or the TC or GPP string that says it */
  version?: string | number | undefined,
]

interface Decision {
  purposes: Purpose[]
  signal: string | undefined
  version: Signal[3]
}

/** by rank */
const said: (Decision | Pending)[] = []
/** what decides now */
export let decision: Decision | undefined
/** What was agreed to: `undefined` is undecided, an empty list is denied, and any other holds `measure`. */
export let purposes: Purpose[] | undefined
/** Under which consent an event could be sent now; `false` means that it has to wait. */
export let flag: ConsentFlag | false
/** both, to tell one state from another */
export let state: string
/** Whether this visitor may be known again, so: whether anything may be stored on the device. */
export let mayKeep: boolean | undefined

/** Hears a signal, or that one is pending (again): what was agreed to may change. */
export const hear = (rank: number, agreed?: Signal[1], signal?: string, version?: Signal[3]): void => {
  said[rank] = agreed && { purposes: agreed, signal, version }
  decision = said.find(word => word) as typeof decision
  // Without `measure` nothing is sent, so nothing else can be meant.
  purposes = decision?.purposes.filter((purpose, _, all) => all.includes('measure') && purpose !== options.veto)
  // A refusal ends what needs a consent; in the mode `cookieless` nothing else does.
  flag = purposes?.[0] ? 'g' : options.mode === 'cookieless' ? 'l' : purposes ? 'd' : options.mode === 'none' && 'x'
  state = `${flag}${purposes}`
  mayKeep = flag === 'x' || purposes?.includes('identify')
}
