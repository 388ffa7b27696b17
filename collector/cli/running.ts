/** Finding the collector that runs here, and asking it things as its owner. */
import { readConfig } from '../config.ts'
import { readOwnerKey } from '../owner-key.ts'

export interface Running {
  url: string
  key: string
  /** Asks the API. @throws with what to do when the answer is not 2xx */
  ask(path: string, init?: RequestInit): Promise<Response>
}

/** The address at which a collector of this configuration listens (`HOST`, `PORT`). */
export function addressOf(env: NodeJS.ProcessEnv): string {
  const { host, port } = readConfig({}, env)
  const local = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${local.includes(':') ? `[${local}]` : local}:${port}`
}

/** Whether a livetag collector answers there. */
export async function isRunning(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(3_000) })
    return ((await response.json()) as { product?: string }).product === 'livetag'
  } catch {
    return false
  }
}

/** @throws when this folder has no owner key and `LIVETAG_OWNER_KEY` is not set */
export async function asOwner(url: string, env: NodeJS.ProcessEnv): Promise<Running> {
  const { home, ownerKey } = readConfig({}, { ...env, HOST: '' })
  const key = ownerKey ?? (await readOwnerKey(home))
  if (!key)
    throw new Error(
      `no owner key: set LIVETAG_OWNER_KEY, or run this in the folder in which the collector at ${url} was started`,
    )
  return {
    url,
    key,
    async ask(path, init = {}) {
      const response = await fetch(url + path, {
        ...init,
        headers: { ...init.headers, authorization: `Bearer ${key}` },
      })
      if (response.status === 401)
        throw new Error(`the collector at ${url} has another owner key: set LIVETAG_OWNER_KEY to it`)
      if (!response.ok) throw new Error(`${path} was answered with ${response.status}`)
      return response
    },
  }
}
