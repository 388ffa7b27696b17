/** The collector's API as the views ask it. Nothing here throws: being signed out and being cut off are answers, too. */
export interface Problem {
  /** of the collector's closed list; or `unreachable`, where no answer came */
  code: string
  /** HTTP; 0 where no answer came */
  status: number
  /** what to do about it */
  title: string
  /** what of the request it is about */
  detail?: string
}

/** Whether asking again may bring another answer. */
export const isPassing = ({ status }: Pick<Problem, 'status'>): boolean =>
  status < 400 || status >= 500 || status === 408 || status === 429
/** How long until that is asked again which nothing can be shown without, ms. */
export const ASK_AGAIN = 3_000

export type Answer<T> = { ok: true; body: T } | { ok: false; problem: Problem }

export type Params = Readonly<Record<string, string>>

export interface Api {
  get<T>(path: string, params?: Params, signal?: AbortSignal): Promise<Answer<T>>
  /** @param body sent as JSON */
  send<T>(
    method: 'POST' | 'PATCH' | 'DELETE',
    path: string,
    params?: Params,
    body?: unknown,
    signal?: AbortSignal,
  ): Promise<Answer<T>>
  /** The same for what asks by itself, as an `EventSource` does. */
  url(path: string, params?: Params): string
}

const NONE: Problem = { code: 'unreachable', status: 0, title: 'The collector does not answer.' }

/**
 * @param base path under which the collector is mounted, with a slash at its end
 * @param pass what a shared link shows on each request (`<token>` or `<token>.<ticket>`), or null
 */
export function createApi(fetch: typeof globalThis.fetch, base: string, pass: () => string | null): Api {
  const url: Api['url'] = (path, params = {}) => {
    const held = pass()
    const query = new URLSearchParams(held === null ? params : { ...params, share: held }).toString()
    return `${base}api/v2/${path}${query && `?${query}`}`
  }
  async function ask<T>(path: string, params: Params | undefined, init: RequestInit): Promise<Answer<T>> {
    try {
      const response = await fetch(url(path, params), { cache: 'no-store', ...init })
      if (response.ok) {
        const text = await response.text()
        return { ok: true, body: (text ? JSON.parse(text) : undefined) as T }
      }
      return { ok: false, problem: await problemOf(response) }
    } catch {
      return { ok: false, problem: NONE }
    }
  }
  return {
    url,
    get: (path, params, signal) =>
      ask(path, params, { headers: { accept: 'application/json' }, ...(signal && { signal }) }),
    send: (method, path, params, body, signal) =>
      ask(path, params, {
        method,
        ...(signal && { signal }),
        ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      }),
  }
}

/** A proxy in between may answer with a page of its own. */
async function problemOf(response: Response): Promise<Problem> {
  const { status } = response
  const body: Partial<Problem> = await response.json().catch(() => ({}))
  const { code = 'unreachable', title = NONE.title, detail } = body
  return { code, status, title, ...(detail !== undefined && { detail }) }
}
