import { randomInt } from 'node:crypto'
import { connect, createServer } from 'node:net'

/**
 * A port of 127.0.0.1 that is free now: `wanted` if it is, else one between 20000 and 29999. That is below the ports
 * which systems hand out to outgoing connections: while mongod is down a client that tries to reach it could be given
 * its port, and keep mongod from coming back.
 */
export async function freePort(wanted?: number): Promise<number> {
  if (wanted !== undefined && (await isFree(wanted))) return wanted
  for (let tries = 0; tries < 100; tries++) {
    const port = randomInt(20_000, 30_000)
    if (await isFree(port)) return port
  }
  throw new Error('no port between 20000 and 29999 of 127.0.0.1 can be listened on')
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/** Whether anything listens on a port of 127.0.0.1. */
export function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
