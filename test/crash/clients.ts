/** The clients of a round: each sends batches to all collectors until they are taken, as the tag does, and some twice. */
import { setTimeout as pause } from 'node:timers/promises'
import { batchesOf } from './batches.ts'
import type { CollectorProcess } from './collectors.ts'
import { type Batch, emptyLedger, type Ledger, noteAnswer, noteSent } from './ledger.ts'
import { type Draws, drawsFrom } from './seeded.ts'

export const CHROME =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36'
export const BOT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'
/** How long an answer is waited for, ms: longer than a collector that runs takes, shorter than one may sleep. */
const PATIENCE_MS = 8_000
/** Batches that a client remembers, to send one of them again. */
const REMEMBERED = 20

type Target = Pick<CollectorProcess, 'url' | 'life'>

export interface ClientsOptions {
  collectors: readonly [Target, ...Target[]]
  site: string
  /** seed and round */
  seeds: [number, number]
  clients: number
}

export interface Clients {
  ledger: Ledger
  /** Sends so many large batches at once. */
  flood(batches: number): Promise<void>
  /** Sends nothing new, and what was not taken until it is. @throws Error when that takes more than a minute */
  finish(): Promise<void>
}

export function startClients({ collectors, site, seeds, clients }: ClientsOptions): Clients {
  const ledger = emptyLedger()
  let finishing = false
  let waiting = 0
  const end = new AbortController()

  const post = async ({ body, bot, cookieless }: Batch, target: Target): Promise<'taken' | 'broken' | 'again'> => {
    const { url, life } = target
    const agent = (bot ? BOT : CHROME) + (cookieless === undefined ? '' : ` Edg/147.0.${cookieless}.0`)
    const headers = { 'content-type': 'text/plain', 'user-agent': agent }
    try {
      const signal = AbortSignal.timeout(PATIENCE_MS)
      const answer = await fetch(`${url}/e`, { method: 'POST', body, headers, signal })
      await answer.arrayBuffer()
      noteAnswer(ledger, answer.status, answer.headers.get('retry-after'), answer.headers.get('x-livetag'))
      return answer.status === 204 ? 'taken' : 'again'
    } catch (error) {
      noteAnswer(ledger, 0, null, null)
      if ((error as Error).name === 'TimeoutError') {
        ledger.unanswered++
        return 'again'
      }
      // A collector that lives answers, whatever is the matter with mongod.
      if (life !== undefined && target.life === life) ledger.wrongAnswers.push(`nothing: ${causeOf(error)}`)
      return 'broken'
    }
  }
  const deliver = async (batch: Batch, draws: Draws): Promise<void> => {
    const begun = performance.now()
    // Pauses shorter than the tag's and `Retry-After`: a round is short.
    for (let wait = 25; !end.signal.aborted; wait = Math.min(wait * 2, 400)) {
      const outcome = await post(batch, draws.pick(collectors))
      if (outcome === 'taken') {
        for (const [key] of batch.events) ledger.acknowledged.add(key)
        const at = performance.now()
        ledger.taken.push({ at, after: at - begun })
        return
      }
      if (outcome === 'broken' && batch.fickle) return
      await pause(wait * (0.5 + draws.share() / 2))
    }
    waiting++
  }
  const send = async (batch: Batch, draws: Draws): Promise<void> => {
    noteSent(ledger, batch)
    // A generator of its own for each copy: retries must not change what is drawn next.
    const copies = draws.chance(0.1) ? 2 : 1
    const seed = draws.whole(0, 2 ** 31)
    await Promise.all(Array.from({ length: copies }, (_, copy) => deliver(batch, drawsFrom(seed, copy))))
  }
  const client = async (_: unknown, number: number): Promise<void> => {
    const draws = drawsFrom(...seeds, number)
    const batches = batchesOf(site, draws, 20)
    const remembered: Batch[] = []
    while (!finishing) {
      const again = draws.chance(0.05) ? remembered[draws.whole(0, remembered.length - 1)] : undefined
      const batch = again ?? batches.next(draws.whole(3, 25))
      await send(again ? { ...batch, events: [], invalid: [] } : batch, draws)
      if (!batch.fickle) remembered.push(batch)
      if (remembered.length > REMEMBERED) remembered.shift()
      await pause(draws.whole(5, 30))
    }
  }
  const running = Promise.all(Array.from({ length: clients }, client))
  const floods: Promise<unknown>[] = []
  return {
    ledger,
    async flood(count) {
      const draws = drawsFrom(...seeds, 1_000 + floods.length)
      const batches = batchesOf(site, draws, 20)
      const sent = Promise.all(Array.from({ length: count }, () => send(batches.next(20, 1_500), draws)))
      floods.push(sent)
      await sent
    },
    async finish() {
      finishing = true
      const late = setTimeout(() => end.abort(), 60_000)
      await running
      await Promise.all(floods)
      clearTimeout(late)
      if (waiting > 0) throw new Error(`${waiting} batches were not taken within 60 s`)
    },
  }
}

const causeOf = (error: unknown): string => {
  const { message, cause } = error as { message: string; cause?: { code?: string; message?: string } }
  return cause?.code ?? cause?.message ?? message
}
