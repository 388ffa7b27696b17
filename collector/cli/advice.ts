/** What `doctor` says of a server with which all arrives, but that should be better. */
import type { Condition } from '../api.ts'
import type { NotReady, ServerState } from '../readiness.ts'
import { TRANSACTION_S } from '../store/index.ts'
import type { Running } from './running.ts'

/** What `/readyz` answers. */
export interface Ready {
  fenced: boolean
  /** absent when it is ready */
  why?: NotReady
}

export async function askReady({ url }: Running): Promise<Ready> {
  return (await (await fetch(`${url}/readyz`)).json()) as Ready
}

/** A warning, or nothing where all is as it should be. */
type Advice = string | undefined

export const adviceOnFence = (fenced: boolean): Advice =>
  fenced
    ? undefined
    : 'this MongoDB does not refuse raw events of a collector that lost its lane (its log says why). Each is counted ' +
      'once all the same; run `livetag verify` from time to time, it finds one that is stored twice'

/** Less than this is warned of, bytes: time to do something before events are refused. */
const LITTLE = 1024 ** 3

export const adviceOnDisk = ({ disk }: ServerState): Advice => {
  if (!disk || disk.free >= LITTLE) return undefined
  const [free, total] = [disk.free, disk.total].map(
    bytes => `${Math.floor(bytes / 1024 ** 2).toLocaleString('en')} MiB`,
  )
  return `${free} of ${total} are left on the disk of mongod. Make room: a mongod that can't write ends`
}

export const adviceOnTransactions = (transactions: number): Advice =>
  transactions <= TRANSACTION_S
    ? undefined
    : `what a killed collector was counting stays locked for up to ${transactions} s. Set it shorter: ` +
      `db.adminCommand({ setParameter: 1, transactionLifetimeLimitSeconds: ${TRANSACTION_S} }), and in mongod.conf`

/** Networks move: from this age on a database tells of many wrongly, ms. */
const OLD_MS = 180 * 86_400_000

/** @param now ms */
export function adviceOnPlaces({ path, built, fault }: NonNullable<Condition['places']>, now: number): Advice {
  if (fault !== undefined) return `${fault}. Until then the one of before is used, of ${built.slice(0, 10)}`
  if (now - Date.parse(built) <= OLD_MS) return undefined
  return `${path} was made on ${built.slice(0, 10)}, and networks move: put a newer one in its place, it is read within seconds`
}
