/**
 * Server-sent events (WHATWG HTML §9.2) over one response. Memory per viewer is bounded: one that does not read gets
 * nothing until it has, and then a snapshot instead of what it missed.
 */
import type { ServerResponse } from 'node:http'
import type { Viewer } from './hub.ts'

/** What may wait for one viewer, bytes. */
const MOST_WAITING = 256 * 1024
const HEARTBEAT_MS = 15_000

export interface SseViewer extends Viewer {
  end(): void
}

/** @param refresh called when a viewer that lagged has read everything: send it a snapshot */
export function startSse(response: ServerResponse, refresh: () => void): SseViewer {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
  })
  response.write('retry: 1000\n\n')
  let lagging = false
  const heartbeat = setInterval(
    () => response.writableLength > MOST_WAITING || response.write(': still here\n\n'),
    HEARTBEAT_MS,
  )
  response.on('drain', () => {
    if (!lagging) return
    lagging = false
    refresh()
  })
  response.on('close', () => clearInterval(heartbeat))
  return {
    send(event, id, data) {
      if (lagging) return
      response.write(`event: ${event}\nid: ${id}\ndata: ${data}\n\n`)
      lagging = response.writableLength > MOST_WAITING
    },
    end: () => response.end(),
  }
}
