/** What a round's clients sent and what they were told: the measure of what has to be in the database. */

/** An event as it was sent. A caller's own id may be sent from several page views: one of them counts. */
export interface SentEvent {
  path: string
  session: string | undefined
  visitor: string | undefined
  /** the number in the agent of who sent it without ids, as the site may */
  cookieless?: number
  bot: boolean
  /** how long before sending it happened, ms */
  ago: number
  /** when it was first sent, ms */
  from: number
}

export interface Batch {
  body: string
  bot: boolean
  /** see {@link SentEvent} */
  cookieless?: number
  /** keys and events that have to be taken */
  events: [key: string, event: SentEvent][]
  /** `<w>.<q>` of those that have to be refused */
  invalid: string[]
  /** its sender gives up at the first broken connection, as a tab that is closed */
  fickle: boolean
}

export interface Ledger {
  /** by {@link eventKey} */
  sent: Map<string, SentEvent[]>
  acknowledged: Set<string>
  invalid: Set<string>
  /** answers by status; 0 = no answer */
  statuses: Map<number, number>
  /** answers that no client may ever see */
  wrongAnswers: string[]
  /** requests that were not answered for longer than clients wait */
  unanswered: number
  /** when batches were taken, ms, and how long each took from its first sending */
  taken: { at: number; after: number }[]
  /** when primaries of a set were killed or stopped, ms */
  failovers: number[]
}

export const emptyLedger = (): Ledger => ({
  sent: new Map(),
  acknowledged: new Set(),
  invalid: new Set(),
  statuses: new Map(),
  wrongAnswers: [],
  unanswered: 0,
  taken: [],
  failovers: [],
})

/** Callers' own ids are unique per site and name, all others per site. */
export const eventKey = (id: string, name: string): string => `${id} ${name}`

export function noteSent(ledger: Ledger, { events, invalid }: Batch): void {
  for (const [key, event] of events) ledger.sent.set(key, [...(ledger.sent.get(key) ?? []), event])
  for (const id of invalid) ledger.invalid.add(id)
}

/** @param retryAfter header of the answer */
export function noteAnswer(ledger: Ledger, status: number, retryAfter: string | null, reason: string | null): void {
  ledger.statuses.set(status, (ledger.statuses.get(status) ?? 0) + 1)
  if (status === 0 || status === 204 || (status === 503 && Number(retryAfter) > 0)) return
  ledger.wrongAnswers.push(`${status} (x-livetag: ${reason}, retry-after: ${retryAfter})`)
}
