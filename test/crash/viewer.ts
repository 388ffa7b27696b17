/** Somebody who watches a site's live page through a round, and joins anew where the connection breaks, as a browser does. */
import { setTimeout as pause } from 'node:timers/promises'
import { countersOf, type HeardToday, type Message, openStream, type Stream, todayOf } from '../fixtures/sse.ts'

/** What browsers wait before they join anew, ms; the collector asks for it by `retry:`. */
const RETRY_MS = 1_000

export interface LiveViewer {
  /** `<dimension> <minute, ms> <value>` → [events, page views], of the last snapshot and all ticks since */
  counters(): Map<string, [number, number]>
  /** the site's day, of the same */
  today(): HeardToday
  /** where it has been, and what it was told last: to find out why counters are wrong */
  history(): string
  leave(): void
}

/** @param urls of the collectors: each connection goes to the next one */
export function watch(urls: string[], site: string, ownerKey: string): LiveViewer {
  const messages: Message[] = []
  const joined: string[] = []
  let stream: Stream | undefined
  let left = false
  const run = async (): Promise<void> => {
    for (let turn = 0; !left; turn++) {
      const id = messages.at(-1)?.id
      const headers = { authorization: `Bearer ${ownerKey}`, ...(id !== undefined && { 'last-event-id': id }) }
      const at = new Date().toISOString()
      joined.push(`asked collector ${turn % urls.length} at ${at}`)
      try {
        stream = await openStream(`${urls[turn % urls.length]}/api/v2/live?site=${site}`, headers)
        joined.push(`answered ${stream.response.status}`)
        const { messages: heard } = stream
        // Handed over as they come, so that nothing is held twice.
        const push = heard.push.bind(messages)
        messages.push(...heard.splice(0))
        heard.push = push
        if (left) stream.leave()
        await stream.ended
      } catch {
        // It is down: the next one, or the same one later.
      }
      if (!left) await pause(RETRY_MS)
    }
  }
  void run()
  return {
    counters: () => countersOf(messages),
    today: () => todayOf(messages),
    history: () => [...joined, `told last ${messages.at(-1)?.event} ${messages.at(-1)?.id}`].slice(-12).join(', '),
    leave() {
      left = true
      stream?.leave()
    },
  }
}
