/**
 * Server-sent events (WHATWG HTML §9.2) over one response. Memory per viewer is bounded: one that does not read gets
 * nothing until it has, and then a snapshot instead of what it missed.
 */
import type { ServerResponse } from 'node:http'
import type { Viewer } from './hub.ts'

/** What may wait for one viewer, bytes. */
const MOST_WAITING = 256 * 1024
const HEARTBEAT_MS = 15_000

/**
 * @param refresh called when a viewer that missed something has read everything else: send it a snapshot
 * @param heartbeatMs between two comments that keep the line
 */
export function startSse(response: ServerResponse, refresh: () => void, heartbeatMs = HEARTBEAT_MS): Viewer {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
  })
  response.write('retry: 1000\n\n')
  let missed = false
  const heartbeat = setInterval(
    () => response.writableLength > MOST_WAITING || response.write(': still here\n\n'),
    heartbeatMs,
  )
  response.on('drain', () => {
    if (!missed) return
    missed = false
    refresh()
  })
  response.on('close', () => clearInterval(heartbeat))
  return {
    send(event, id, data) {
      missed ||= response.writableLength > MOST_WAITING
      if (!missed && !response.writableEnded) response.write(`event: ${event}\nid: ${id}\ndata: ${data}\n\n`)
    },
    end() {
      clearInterval(heartbeat)
      response.end()
    },
  }
}
