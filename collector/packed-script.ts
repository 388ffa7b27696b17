/** A script as browsers ask for it: compressed once, answered in the form that who asks can read. */
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import type { Request, Response } from 'express'
import { hashOf } from './pinned-scripts.ts'

export interface PackedScript {
  hash: string
  bodies: Record<'br' | 'gzip' | 'identity', Buffer>
}

/** What an address with a hash answers never changes. */
export const FOR_EVER = 'public, max-age=31536000, immutable'

/** Any site's pages may load any of them. */
export const SCRIPT_HEADERS = {
  'content-type': 'text/javascript; charset=utf-8',
  'cross-origin-resource-policy': 'cross-origin',
  'access-control-allow-origin': '*',
}

export function packScript(text: string): PackedScript {
  const identity = Buffer.from(text)
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT } = constants
  return {
    hash: hashOf(identity),
    bodies: {
      identity,
      gzip: gzipSync(identity, { level: 9 }),
      br: brotliCompressSync(identity, {
        params: { [BROTLI_PARAM_QUALITY]: 11, [BROTLI_PARAM_SIZE_HINT]: identity.length },
      }),
    },
  }
}

export function sendScript(request: Request, response: Response, script: PackedScript, cache: string): void {
  const encoding = (request.acceptsEncodings('br', 'gzip', 'identity') || 'identity') as keyof PackedScript['bodies']
  response.set({ 'cache-control': cache, etag: `"${script.hash}-${encoding}"`, vary: 'accept-encoding' })
  if (encoding !== 'identity') response.set('content-encoding', encoding)
  if (request.fresh) response.status(304).end()
  else response.end(script.bodies[encoding])
}
