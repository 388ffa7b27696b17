/** Who watches live: each is asked again once a second whether it still may, and a shared link is watched by so many. */
import type { Access, Credential } from './access.ts'
import { type Caller, may, nameOf } from './caller.ts'
import { getOrAdd } from './get-or-add.ts'
import type { Log } from './log.ts'

/** How often it is looked at, ms. */
const LOOK_MS = 1_000
/** Viewers of a shared link at one collector: anybody may have it. */
const MOST_OF_SHARE = 1_000
/** Credentials looked up at a time. */
const AT_A_TIME = 32

interface Watching {
  site: string
  end(): void
}

export interface Viewers {
  /** @returns how to leave; `undefined` where there are too many */
  add(caller: Caller, credential: Credential, site: string, end: () => void): (() => void) | undefined
}

export function createViewers(access: Pick<Access, 'whose' | 'onForget'>, log: Log): Viewers {
  const watching = new Map<string, { credential: Credential; all: Set<Watching> }>()
  const ofShare = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined

  const lookAt = async ({ credential, all }: { credential: Credential; all: Set<Watching> }): Promise<void> => {
    const caller = await access.whose(credential)
    for (const { site, end } of [...all]) if (typeof caller === 'string' || !may(caller, 'read', site)) end()
  }
  const look = async (): Promise<void> => {
    const list = [...watching.values()]
    for (let i = 0; i < list.length; i += AT_A_TIME) await Promise.all(list.slice(i, i + AT_A_TIME).map(lookAt))
  }
  let looking: Promise<void> | undefined
  const lookSoon = (): void => {
    // While the database is away nothing comes by the streams, either.
    looking ??= look()
      .catch(error => log.warn({ err: error }, 'it could not be seen who may still watch'))
      .finally(() => {
        looking = undefined
      })
  }
  access.onForget(() => {
    // What began before may have asked before the change.
    if (looking) void looking.then(lookSoon)
    else lookSoon()
  })

  return {
    add(caller, credential, site, end) {
      const name = nameOf(caller)
      const n = ofShare.get(name) ?? 0
      if (caller.kind === 'share') {
        if (n >= MOST_OF_SHARE) return undefined
        ofShare.set(name, n + 1)
      }
      const key = JSON.stringify(credential)
      const entry = getOrAdd(watching, key, () => ({ credential, all: new Set<Watching>() }))
      const one = { site, end }
      entry.all.add(one)
      timer ??= setInterval(lookSoon, LOOK_MS).unref()
      return () => {
        if (!entry.all.delete(one)) return
        if (entry.all.size === 0) watching.delete(key)
        if (watching.size === 0) {
          clearInterval(timer)
          timer = undefined
        }
        if (caller.kind !== 'share') return
        const left = (ofShare.get(name) ?? 1) - 1
        if (left > 0) ofShare.set(name, left)
        else ofShare.delete(name)
      }
    },
  }
}
