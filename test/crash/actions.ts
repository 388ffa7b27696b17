/** Carries out a round's plan. What one action has taken down the next one finds up again. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Clients } from './clients.ts'
import type { Deployment } from './deployment.ts'
import type { Action } from './plan.ts'
import { commitLate, insertLate, sleepPastLease } from './sleeps.ts'
import { until } from './until.ts'

/** How often each was done. */
export interface Done {
  kills: number
  stops: number
  cuts: number
  restarts: number
  full: number
  /** stops at the very moment that was meant */
  held: number
}

export const nothingDone = (): Done => ({ kills: 0, stops: 0, cuts: 0, restarts: 0, full: 0, held: 0 })

const ELECTED_MS = 15_000
const FULL_MS = 3_000

/** Resolves when all is done and everything runs again. */
export async function perform(plan: Action[], deployment: Deployment, clients: Clients, done: Done): Promise<void> {
  const turns = new Map<string, Promise<void>>()
  const begun = performance.now()
  const inTurn = async (action: Action): Promise<void> => {
    await pause(Math.max(0, action.at - (performance.now() - begun)))
    const target = ABOUT_COLLECTORS.has(action.kind) ? `collector ${action.which}` : 'mongods'
    const turn = (turns.get(target) ?? Promise.resolve()).then(() => act(action, deployment, clients, done))
    turns.set(
      target,
      turn.catch(() => {}),
    )
    await turn
  }
  const results = await Promise.allSettled(plan.map(inTurn))
  for (const result of results) if (result.status === 'rejected') throw result.reason
}

const ABOUT_COLLECTORS = new Set<Action['kind']>([
  'kill',
  'restart',
  'nap',
  'sleep',
  'late insert',
  'late commit',
  'cut',
])

async function act({ kind, which, lasts, how }: Action, deployment: Deployment, clients: Clients, done: Done) {
  const { mongods, links } = deployment
  const collector = deployment.collectors[which]
  if (!collector) return
  switch (kind) {
    case 'kill':
      done.kills++
      await collector.end('SIGKILL')
      await pause(lasts)
      return await collector.start()
    case 'restart':
      done.restarts++
      await collector.end('SIGTERM')
      return await collector.start()
    case 'nap':
      done.stops++
      collector.signal('SIGSTOP')
      await pause(lasts)
      return collector.signal('SIGCONT')
    case 'sleep':
      done.stops++
      return await sleepPastLease(deployment, which)
    case 'late insert':
    case 'late commit':
      done.stops++
      if (await (kind === 'late insert' ? insertLate : commitLate)(deployment, which)) done.held++
      return
    case 'cut':
      done.cuts++
      links[which]?.cut(how)
      await pause(lasts)
      return links[which]?.mend()
    case 'kill mongod': {
      done.kills++
      const primary = await mongods.primary()
      noteFailover(deployment, clients)
      return await killFor(deployment, primary, lasts)
    }
    case 'kill secondary': {
      done.kills++
      const primary = await mongods.primary()
      return await killFor(deployment, (primary + 1 + (which % 2)) % mongods.ports.length, lasts)
    }
    case 'lag': {
      const primary = await mongods.primary()
      const others = mongods.ports.map((_, i) => i).filter(i => i !== primary)
      done.kills += mongods.ports.length
      // Killed, not stopped: what a primary has sent to one that is stopped waits in its socket and arrives.
      await Promise.all(others.map(mongods.kill))
      await pause(100 + lasts)
      await mongods.kill(primary)
      await Promise.all(others.map(mongods.start))
      await mongods.primary()
      return await mongods.start(primary)
    }
    case 'freeze': {
      done.stops++
      const primary = await mongods.primary()
      noteFailover(deployment, clients)
      mongods.signal(primary, 'SIGSTOP')
      await until('another primary', ELECTED_MS, async () => (await mongods.primary()) !== primary).finally(() =>
        mongods.signal(primary, 'SIGCONT'),
      )
      return
    }
    case 'full':
      done.full++
      return await fill(deployment, clients)
  }
}

/** Of a set: one mongod by itself has nobody to take over. */
function noteFailover({ mongods }: Deployment, { ledger }: Clients): void {
  if (mongods.ports.length > 1) ledger.failovers.push(performance.now())
}

async function killFor({ mongods }: Deployment, which: number, ms: number): Promise<void> {
  await mongods.kill(which)
  await pause(ms)
  await mongods.start(which)
  await mongods.primary()
}

async function fill({ mongods }: Deployment, clients: Clients): Promise<void> {
  const primary = await mongods.primary()
  const refused = () => clients.ledger.statuses.get(503) ?? 0
  const before = refused()
  mongods.signal(primary, 'SIGSTOP')
  const flood = clients.flood(60)
  await until('a full journal', FULL_MS, () => refused() > before)
    .catch(() => {})
    .finally(() => mongods.signal(primary, 'SIGCONT'))
  await flood
}
