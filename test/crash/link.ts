/** The network between a collector and its mongod, to be cut. */
import { connect, createServer, type Socket } from 'node:net'

/**
 * - `refused`: connections are reset, new ones too
 * - `silent`: nothing goes through, in either direction, and nobody is told
 * - `answers lost`: what is sent arrives and acts, what is answered does not come back
 */
export const CUTS = ['refused', 'silent', 'answers lost'] as const
export type Cut = (typeof CUTS)[number]

export interface Link {
  port: number
  cut(how: Cut): void
  /** Ends the connections that were cut; new ones go through. */
  mend(): void
  close(): void
}

/** @param target port of 127.0.0.1 to which connections go */
export async function startLink(port: number, target: number): Promise<Link> {
  const sockets = new Set<Socket>()
  let state: Cut | undefined
  const hold = (socket: Socket, other: Socket): void => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('close', () => {
      sockets.delete(socket)
      other.destroy()
    })
  }
  const endAll = () => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  const server = createServer(inner => {
    if (state === 'refused') return void inner.resetAndDestroy()
    const outer = connect({ host: '127.0.0.1', port: target })
    hold(inner, outer)
    hold(outer, inner)
    // What comes while it is silent is lost with its connection.
    inner.on('data', data => state !== 'silent' && outer.write(data))
    outer.on('data', data => state === undefined && inner.write(data))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    port,
    cut(how) {
      state = how
      if (how === 'refused') endAll()
    },
    mend() {
      state = undefined
      endAll()
    },
    close() {
      server.close()
      endAll()
    },
  }
}
