/**
 * Server-sent events (WHATWG HTML §9.2) over one response. Memory per viewer is bounded: one that does not read gets
 * nothing until it has, and then a snapshot instead of what it missed.
 */
import type { ServerResponse } from 'node:http'
import { AS_IT_COMES } from '../as-it-comes.ts'
import type { Viewer } from './watched.ts'

/** What may wait for one viewer, bytes. */
const MOST_WAITING = 256 * 1024
const HEARTBEAT_MS = 15_000

/** A tick goes to all viewers of a room, one after the other: what was encoded last is the same bytes for each. */
let last = { event: '', id: '', data: '', bytes: Buffer.alloc(0) }
function encoded(event: string, id: string, data: string): Buffer {
  if (last.event !== event || last.id !== id || last.data !== data) {
    const bytes = Buffer.from(`event: ${event}\nid: ${id}\ndata: ${data}\n\n`)
    // A snapshot is one viewer's alone, and large.
    if (event !== 'tick') return bytes
    last = { event, id, data, bytes }
  }
  return last.bytes
}

/**
 * @param refresh called when a viewer that missed something has read everything else: send it a snapshot
 * @param heartbeatMs between two comments that keep the line
 */
export function startSse(response: ServerResponse, refresh: () => void, heartbeatMs = HEARTBEAT_MS): Viewer {
  // Without chunks, whose sizes would be written beside each message: three writes a viewer and tick. It ends with its line.
  response.removeHeader('transfer-encoding')
  response.writeHead(200, {
    connection: 'close',
    'content-type': 'text/event-stream; charset=utf-8',
    ...AS_IT_COMES,
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
      if (!missed && !response.writableEnded) response.write(encoded(event, id, data))
    },
    end() {
      clearInterval(heartbeat)
      response.end()
    },
  }
}
