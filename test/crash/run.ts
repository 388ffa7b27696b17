/** The rounds of a run, one after another; what each has left behind is counted while the next ones go on. */
import { isFaulty } from './check.ts'
import { type Deployment, deploy } from './deployment.ts'
import { type BlocksAtEnd, checkAll, largestMemory, MOST_MEMORY } from './final.ts'
import type { Options } from './options.ts'
import { examplesOf, lineOf, type RoundResult, resultOf } from './report.ts'
import { checkRound, type RoundDone, runRound } from './round.ts'

/** Rounds that may wait for being counted: pages of a collector that was killed wait for their lease to expire. */
const MOST_WAITING = 10

export interface Outcome {
  results: RoundResult[]
  /** what was found, in words */
  faults: string[]
  seconds: number
  /** absent where it did not come to an end */
  blocks: BlocksAtEnd | undefined
  /** of logs and data, where they were kept */
  folder: string | undefined
}

interface Run {
  options: Options
  deployment: Deployment
  results: RoundResult[]
  /** events by site, as they were when the site was checked */
  stored: Map<string, number>
  faults: string[]
  say(text: string): void
}

/** Whether an event or a counter is wrong, not only the run. */
export const isWrong = ({ lost, doubled, foreign, wrongCounters }: RoundResult): boolean =>
  lost + doubled + foreign + wrongCounters > 0

const siteOf = (round: number): string => `crash-${round}`

/** @param say told of each round when it is counted */
export async function run(options: Options, say: (text: string) => void): Promise<Outcome> {
  const numbers = Array.from({ length: options.rounds }, (_, i) => options.from + i)
  const begun = performance.now()
  const deployment = await deploy(options.scenario, numbers.map(siteOf), options.without)
  const run: Run = { options, deployment, results: [], stored: new Map(), faults: [], say }
  const { results, stored, faults } = run
  const interrupted = (signal: NodeJS.Signals) => {
    process.stderr.write(`${signal}: ending everything\n`)
    void deployment.close(false).finally(() => process.exit(130))
  }
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted)
  let keep = true
  let blocks: BlocksAtEnd | undefined
  try {
    await allRounds(run, numbers)
    if (faults.length === 0) {
      const checked = await checkAll(deployment, stored)
      faults.push(...checked.faults)
      blocks = checked.blocks
    }
    keep = options.keep || faults.length > 0
  } catch (error) {
    faults.push((error as Error).stack ?? String(error), ...deployment.collectors.flatMap(({ crashes }) => crashes))
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted)
    await deployment.close(keep)
  }
  const seconds = (performance.now() - begun) / 1000
  return { results, faults, seconds, blocks, folder: keep ? deployment.folder : undefined }
}

async function allRounds(run: Run, numbers: number[]): Promise<void> {
  let counting: Promise<void>[] = []
  let last = Promise.resolve()
  for (const number of numbers) {
    const ran = await runRound(run.options, run.deployment, number, siteOf(number))
    const before = last
    last = count(run, ran).then(async text => {
      await before
      run.say(text)
    })
    last.catch(() => {})
    const counted = last.finally(() => {
      counting = counting.filter(other => other !== counted)
    })
    counting.push(counted)
    counted.catch(() => {})
    while (counting.length >= MOST_WAITING) await counting[0]
    if (run.faults.length > 0) break
  }
  await last
}

/** Counts a round and gives back what to print of it. */
async function count(run: Run, ran: RoundDone): Promise<string> {
  const { deployment, results, stored, faults } = run
  try {
    const checked = await checkRound(deployment, ran)
    const memory = await largestMemory(deployment)
    const result = resultOf(ran, checked, (performance.now() - ran.endedAt) / 1000, memory)
    results.push(result)
    stored.set(ran.site, checked.stored)
    if (isFaulty(checked.faults)) faults.push(`round ${ran.round}\n${examplesOf(checked.faults)}`)
    if (memory > MOST_MEMORY) faults.push(`round ${ran.round}: a collector takes ${memory} bytes of memory`)
    return lineOf(result)
  } catch (error) {
    faults.push(`round ${ran.round} (${ran.plan.join('; ')}): ${(error as Error).message}`)
    return `round ${String(ran.round).padStart(3)}: ${(error as Error).message}`
  } finally {
    ran.viewer.leave()
    await ran.closed.end()
  }
}
