/** What a run prints, for people and for machines. */
import type { Done } from './actions.ts'
import { nothingDone } from './actions.ts'
import type { Faults } from './check.ts'
import type { Options } from './options.ts'
import type { RoundChecked, RoundDone } from './round.ts'

export interface RoundResult extends Done {
  round: number
  /** drawn actions, in words */
  plan: string[]
  /** events */
  acknowledged: number
  /** answers by status; 0 = no answer */
  statuses: Record<string, number>
  /** until all was taken, and from then until all was counted; s */
  seconds: number
  countedAfter: number
  /** bytes of the largest collector */
  memory: number
  lost: number
  doubled: number
  foreign: number
  wrongCounters: number
}

export function resultOf(ran: RoundDone, { faults }: RoundChecked, countedAfter: number, memory: number): RoundResult {
  const { round, plan, done, ledger, seconds } = ran
  return {
    round,
    plan,
    ...done,
    acknowledged: ledger.acknowledged.size,
    statuses: Object.fromEntries(ledger.statuses),
    seconds,
    countedAfter,
    memory,
    lost: faults.lost.length,
    doubled: faults.doubled.length,
    foreign: faults.foreign.length,
    wrongCounters: faults.counters.length,
  }
}

const number = (n: number) => n.toLocaleString('en')
const times = (n: number, one: string) => (n === 0 ? '' : `, ${n} ${one}${n === 1 ? '' : 's'}`)
const actions = ({ kills, stops, cuts, restarts, full }: Done) =>
  `${times(kills, 'kill')}${times(stops, 'stop')}${times(cuts, 'cut')}${times(restarts, 'restart')}${times(full, 'full journal')}`

export function lineOf(result: RoundResult): string {
  const { round, acknowledged, seconds, countedAfter, memory, plan } = result
  const took = `${seconds.toFixed(1)} s, counted after ${countedAfter.toFixed(1)} s, ${Math.round(memory / 1024 ** 2)} MiB`
  return `round ${String(round).padStart(3)}: ${number(acknowledged)} acknowledged${actions(result)}; ${took}\n           ${plan.join('; ')}`
}

export interface Totals extends Done {
  acknowledged: number
  lost: number
  doubled: number
  foreign: number
  wrongCounters: number
}

export function totalsOf(results: RoundResult[]): Totals {
  const totals: Totals = { acknowledged: 0, lost: 0, doubled: 0, foreign: 0, wrongCounters: 0, ...nothingDone() }
  for (const result of results) for (const name of Object.keys(totals) as (keyof Totals)[]) totals[name] += result[name]
  return totals
}

export function summaryOf({ scenario, seed }: Options, results: RoundResult[], seconds: number): string {
  const totals = totalsOf(results)
  const { acknowledged, lost, doubled, foreign, wrongCounters } = totals
  const counted = `${lost} lost, ${doubled} doubled, ${wrongCounters} wrong counters`
  return (
    `${scenario}, seed ${seed}: ${results.length} rounds in ${Math.round(seconds)} s\n` +
    `${number(acknowledged)} acknowledged${actions(totals)}, ${counted}${foreign > 0 ? `, ${foreign} foreign` : ''}`
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
