/**
 * How a page gets at a site's stream. Best by a SharedWorker, which has one for all tabs; where there is none (Chrome on
 * Android), one of the tabs leads and tells the others; where that can't be either (plain HTTP on a network), each has its own.
 */
import { leadOrFollow } from './lead.ts'
import { type Ask, type Heard, openSource, type Scope } from './source.ts'
import type { LiveState } from './state.ts'
import { askWorker } from './tab.ts'

export interface Line {
  /** tries at once, unless the stream is open */
  retry(): void
  close(): void
}

/** @param failed this way does not work here */
export type Way = (ask: Ask, heard: Heard, before: LiveState | null, failed: () => void) => Line

/** @param worker address of the worker's script; `null` where there is none */
export function waysOf(window: Window & typeof globalThis, worker: string | null): Way[] {
  const scope = window as unknown as Scope
  const own: Way = (ask, heard, before) => openSource(ask, scope, heard, before)
  const { SharedWorker, BroadcastChannel, navigator } = window
  return [
    ...(SharedWorker && worker !== null ? [askWorker(window, worker)] : []),
    ...(BroadcastChannel && navigator.locks ? [leadOrFollow(window)] : []),
    own,
  ]
}

/** Opens lines, the best way first; a way that failed is not tried again. */
export function createLines(ways: readonly Way[]): (ask: Ask, heard: Heard, before: LiveState | null) => Line {
  let best = 0
  return (ask, heard, before) => {
    let line: Line | undefined
    let isClosed = false
    const open = (at: number): void => {
      const failed = (): void => {
        if (isClosed || line !== opened) return
        opened?.close()
        best = Math.max(best, at + 1)
        open(best)
      }
      const opened = ways[at]?.(ask, heard, before, failed)
      line = opened
    }
    open(best)
    return {
      retry: () => line?.retry(),
      close() {
        isClosed = true
        line?.close()
      },
    }
  }
}
