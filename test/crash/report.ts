/** What a run prints, for people and for machines. */
import type { Done } from './actions.ts'
import { nothingDone } from './actions.ts'
import type { Faults } from './check.ts'
import type { BlocksAtEnd } from './final.ts'
import type { Options } from './options.ts'
import { longestPause, type Waiting, waitingOf } from './pauses.ts'
import type { RoundChecked, RoundDone } from './round.ts'
import type { Outcome } from './run.ts'

export interface RoundResult extends Done {
  round: number
  /** drawn actions, in words */
  plan: string[]
  /** events */
  acknowledged: number
  /** answers by status; 0 = no answer */
  statuses: Record<string, number>
  /** requests without an answer for as long as clients wait */
  unanswered: number
  /** how long acknowledgements stood still after each failover, ms */
  pauses: number[]
  /** from first sending each batch until it was taken, ms */
  latencies: number[]
  /** until all was taken, and from then until all was counted; s */
  seconds: number
  countedAfter: number
  /** looks at days, weeks and months, and how many of them found some that held */
  closed: { looks: number; taken: number }
  /** of all looks: days whose blocks held, and what of these was wrong */
  heldBlocks: number
  wrongBlocks: number
  /** bytes of the largest collector */
  memory: number
  lost: number
  doubled: number
  foreign: number
  wrongCounters: number
}

export function resultOf(ran: RoundDone, { faults }: RoundChecked, countedAfter: number, memory: number): RoundResult {
  const { round, plan, done, ledger, seconds, closed } = ran
  const taken = ledger.taken.map(({ at }) => at).sort((a, b) => a - b)
  return {
    round,
    plan,
    ...done,
    acknowledged: ledger.acknowledged.size,
    statuses: Object.fromEntries(ledger.statuses),
    unanswered: ledger.unanswered,
    pauses: ledger.failovers.map(at => longestPause(taken, at)),
    latencies: ledger.taken.map(({ after }) => after),
    seconds,
    countedAfter,
    closed: { looks: closed.looks, taken: closed.taken },
    heldBlocks: closed.blocks.held,
    wrongBlocks: closed.blocks.wrong,
    memory,
    lost: faults.lost.length,
    doubled: faults.doubled.length,
    foreign: faults.foreign.length,
    wrongCounters: faults.counters.length,
  }
}

const number = (n: number) => n.toLocaleString('en')
const times = (n: number, one: string) => (n === 0 ? '' : `, ${n} ${one}${n === 1 ? '' : 's'}`)
const actions = ({ kills, stops, cuts, restarts, full, held }: Done) =>
  `${times(kills, 'kill')}${times(stops, 'stop')}${held === 0 ? '' : ` (${held} at its moment)`}${times(cuts, 'cut')}${times(restarts, 'restart')}${times(full, 'full journal')}`

export function lineOf(result: RoundResult): string {
  const { round, acknowledged, seconds, countedAfter, closed, memory, plan } = result
  const took = `${seconds.toFixed(1)} s, counted after ${countedAfter.toFixed(1)} s, days held in ${closed.taken} of ${closed.looks} looks, ${Math.round(memory / 1024 ** 2)} MiB`
  return `round ${String(round).padStart(3)}: ${number(acknowledged)} acknowledged${actions(result)}; ${took}\n           ${plan.join('; ')}`
}

export interface Totals extends Done {
  acknowledged: number
  lost: number
  doubled: number
  foreign: number
  wrongCounters: number
  heldBlocks: number
  wrongBlocks: number
}

export function totalsOf(results: RoundResult[]): Totals {
  const none = { acknowledged: 0, lost: 0, doubled: 0, foreign: 0, wrongCounters: 0, heldBlocks: 0, wrongBlocks: 0 }
  const totals: Totals = { ...none, ...nothingDone() }
  for (const result of results) for (const name of Object.keys(totals) as (keyof Totals)[]) totals[name] += result[name]
  return totals
}

/** What all clients of a run saw. */
export function clientsOf(results: RoundResult[]): {
  answers: Record<string, number>
  unanswered: number
  waiting: Waiting
} {
  const answers: Record<string, number> = {}
  for (const { statuses } of results)
    for (const [status, n] of Object.entries(statuses)) answers[status] = (answers[status] ?? 0) + n
  return {
    answers,
    unanswered: results.reduce((sum, { unanswered }) => sum + unanswered, 0),
    waiting: waitingOf(
      results.flatMap(({ pauses }) => pauses),
      results.flatMap(({ latencies }) => latencies),
    ),
  }
}

const SAW: Record<string, string> = { 0: 'no answer', 503: '503 with Retry-After' }

function blocksLine({ heldBlocks, wrongBlocks }: Totals, blocks: BlocksAtEnd | undefined): string {
  const end = blocks
    ? `; ${number(blocks.days)} days kept at the end, ${blocks.wrong} wrong, ${blocks.stale} stale left, ` +
      `${blocks.orphans} orphans left (${blocks.swept} swept), ${blocks.damaged} damaged`
    : ''
  return `blocks held in ${number(heldBlocks)} looks at a day, ${wrongBlocks} wrong${end}`
}

export function summaryOf(
  { scenario, seed }: Options,
  { results, seconds, blocks }: Pick<Outcome, 'results' | 'seconds' | 'blocks'>,
): string {
  const totals = totalsOf(results)
  const { answers, unanswered, waiting } = clientsOf(results)
  const { acknowledged, lost, doubled, foreign, wrongCounters } = totals
  const counted = `${lost} lost, ${doubled} doubled, ${wrongCounters} wrong counters`
  return (
    `${scenario}, seed ${seed}: ${results.length} rounds in ${Math.round(seconds)} s\n` +
    `${number(acknowledged)} acknowledged${actions(totals)}, ${counted}${foreign > 0 ? `, ${foreign} foreign` : ''}\n` +
    `clients saw ${Object.entries(answers)
      .map(([status, n]) => `${SAW[status] ?? status} × ${number(n)}`)
      .join(', ')}` +
    `${unanswered > 0 ? `; ${number(unanswered)} of these gave up waiting for an answer` : ''}\n` +
    `${blocksLine(totals, blocks)}\n` +
    `a batch was taken within ${waiting.takenP50} s (p50), ${waiting.takenP99} s (p99)` +
    (waiting.failovers === 0
      ? ''
      : `\n${waiting.failovers} failovers: acknowledgements stood still for ${waiting.pauseP50} s (p50), ` +
        `${waiting.pauseP99} s (p99), ${waiting.pauseMost} s at most`)
  )
}

/** The first few of each kind. */
export function examplesOf(faults: Faults): string {
  const texts: Record<keyof Faults, string> = {
    lost: 'acknowledged, but not stored',
    doubled: 'stored more than once',
    foreign: 'not as it was sent',
    counters: 'counted wrong',
  }
  return (Object.keys(texts) as (keyof Faults)[])
    .filter(kind => faults[kind].length > 0)
    .map(
      kind =>
        `  ${faults[kind].length} ${texts[kind]}:\n${faults[kind]
          .slice(0, 5)
          .map(text => `    ${text}\n`)
          .join('')}`,
    )
    .join('')
}
