/** What happens to a deployment in a round, drawn before it begins. */
import { CUTS, type Cut } from './link.ts'
import type { Draws } from './seeded.ts'

export const SCENARIOS = ['single', 'replica', 'collectors'] as const
export type Scenario = (typeof SCENARIOS)[number]

/**
 * - `kill`, `restart`: a collector, by SIGKILL or SIGTERM
 * - `nap`, `sleep`: a collector is stopped, for a moment or until another one has adopted its lane
 * - `late insert`: a collector is stopped just before it stores raw events, until another one has settled them
 * - `late commit`: it is stopped just before it settles pages, until another one has adopted the lane, which is held
 *   until the first has gone on: both take themselves for the holder, and know the same last settle number
 * - `cut`: the network between a collector and mongod
 * - `kill mongod`: the primary; `kill secondary`: another member
 * - `lag`: the secondaries are killed, then the primary, which comes back last; `freeze`: it is stopped until another one is elected
 * - `full`: mongod is stopped until a journal is full
 */
export const KINDS = [
  'kill',
  'restart',
  'nap',
  'sleep',
  'late insert',
  'late commit',
  'cut',
  'kill mongod',
  'kill secondary',
  'lag',
  'freeze',
  'full',
] as const
export type Kind = (typeof KINDS)[number]

export interface Action {
  kind: Kind
  /** the collector or secondary, by number */
  which: number
  /** ms after the round's begin */
  at: number
  /** ms until what was killed is started again, what was cut is mended */
  lasts: number
  how: Cut
}

/** In each of them a lease runs out, and somebody has to be awake to adopt the lane: one a round. */
const SLEEPS = { sleep: 0.4, 'late insert': 0.3, 'late commit': 0.3 } as const
const isSleep = (kind: Kind): boolean => kind in SLEEPS

interface Setting {
  collectors: number
  mongods: 1 | 3
  /** how often each kind is drawn */
  weights: Partial<Record<Kind, number>>
}

export const SETTINGS: Record<Scenario, Setting> = {
  single: {
    collectors: 1,
    mongods: 1,
    weights: { kill: 3, 'kill mongod': 3, cut: 3, restart: 2, full: 1, nap: 1 },
  },
  collectors: {
    collectors: 3,
    mongods: 1,
    weights: { kill: 4, 'kill mongod': 1, cut: 3, restart: 2, full: 0.5, nap: 1, ...SLEEPS },
  },
  replica: {
    collectors: 3,
    mongods: 3,
    weights: { 'kill mongod': 3, 'kill secondary': 1, lag: 1, freeze: 1, kill: 2, restart: 1, nap: 0.5, sleep: 0.3 },
  },
}

/** At most so many actions a round, spread over so many ms. */
const MOST = 3
const SPREAD_MS = 1_500

/** @param only draws this kind alone */
export function drawPlan(scenario: Scenario, draws: Draws, only?: Kind): Action[] {
  const { collectors, weights } = SETTINGS[scenario]
  const actions = Array.from({ length: draws.whole(1, MOST) }, (): Action => {
    const at = draws.whole(200, SPREAD_MS)
    const which = draws.whole(0, collectors - 1)
    const kind = drawKind(only ? { [only]: 1 } : weights, draws)
    return { kind, at, which, lasts: draws.whole(0, 800), how: draws.pick(CUTS) }
  })
  const [sleeper] = actions.filter(({ kind }) => isSleep(kind))
  return actions.filter(action => !isSleep(action.kind) || action === sleeper).sort((a, b) => a.at - b.at)
}

function drawKind(weights: Setting['weights'], draws: Draws): Kind {
  const kinds = Object.entries(weights) as [Kind, number][]
  let rest = draws.share() * kinds.reduce((sum, [, weight]) => sum + weight, 0)
  for (const [kind, weight] of kinds) {
    rest -= weight
    if (rest < 0) return kind
  }
  return 'kill'
}

export const describe = ({ kind, which, at, lasts, how }: Action): string => {
  const collector = `collector ${which}`
  const what: Record<Kind, string> = {
    kill: `kill ${collector} for ${lasts} ms`,
    restart: `restart ${collector}`,
    nap: `stop ${collector} for ${lasts} ms`,
    sleep: `stop ${collector} past its lease`,
    'late insert': `stop ${collector} past its lease just before it stores raw events`,
    'late commit': `stop ${collector} past its lease just before it settles pages`,
    cut: `cut ${collector} from mongod (${how}) for ${lasts} ms`,
    'kill mongod': `kill the primary for ${lasts} ms`,
    'kill secondary': `kill a secondary for ${lasts} ms`,
    lag: `kill the secondaries, and ${100 + lasts} ms later the primary, which comes back last`,
    freeze: 'stop the primary until another is elected',
    full: 'fill the journal',
  }
  return `${at} ms: ${what[kind]}`
}
