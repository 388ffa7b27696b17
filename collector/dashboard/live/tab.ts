/** A tab's end of the line to the SharedWorker. */
import { HERE_MS, type ToExchange, type ToTab } from './exchange.ts'
import type { Way } from './line.ts'
import { applyChange, type Known } from './source.ts'

/** A worker that runs answers at once; one that has not after this time, ms, does not run. */
const SILENT_MS = 5_000

export const askWorker =
  (window: Window & typeof globalThis, script: string): Way =>
  (ask, heard, before, failed) => {
    let known: Known = { link: before ? 'reconnecting' : 'loading', live: before }
    let port: MessagePort | undefined
    const say = (message: ToExchange): void => port?.postMessage(message)
    const silent = window.setTimeout(failed, SILENT_MS)
    const here = window.setInterval(() => say({ here: true }), HERE_MS)
    try {
      const worker = new window.SharedWorker(script, 'livetag')
      worker.addEventListener('error', failed)
      port = worker.port
      port.onmessage = ({ data }: MessageEvent<ToTab>) => {
        window.clearTimeout(silent)
        if ('gone' in data) return say({ join: ask })
        // What this page knew of before is better than nothing, until the stream begins.
        const change = 'known' in data && !data.known.live ? { known: { ...data.known, live: known.live } } : data
        known = applyChange(known, change, Date.now())
        heard(known, change)
      }
      say({ join: ask })
    } catch {
      // Refused, as in a frame of another site that may store nothing.
      window.setTimeout(failed)
    }
    return {
      retry: () => say({ retry: true }),
      close() {
        window.clearTimeout(silent)
        window.clearInterval(here)
        say({ leave: true })
        port?.close()
      },
    }
  }
