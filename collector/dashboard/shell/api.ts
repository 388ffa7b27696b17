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
  /**
   * Asks for an answer before which others may come, a line of JSON each. What is asked at the same moment is asked together,
   * so that nothing waits for a connection.
   * @param isEarly told each line as it comes: whether the answer is still to come
   */
  lines<T>(path: string, body: unknown, isEarly: (line: T) => boolean, signal?: AbortSignal): Promise<Answer<T>>
  /** The same for what asks by itself, as an `EventSource` does. */
  url(path: string, params?: Params): string
}

/** What is asked with others. */
interface Waiting {
  body: unknown
  isEarly(line: never): boolean
  signal: AbortSignal | undefined
  resolve(answer: Answer<never>): void
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
  async function ask<T>(
    path: string,
    params: Params | undefined,
    init: RequestInit,
    read: (response: Response) => Promise<Answer<T>> = readWhole,
  ): Promise<Answer<T>> {
    try {
      const response = await fetch(url(path, params), { cache: 'no-store', ...init })
      if (response.ok) return await read(response)
      // A proxy in between may answer with a page of its own.
      return { ok: false, problem: problemOf(response.status, await response.json().catch(() => ({}))) }
    } catch {
      return { ok: false, problem: NONE }
    }
  }
  /** by path, what is to be asked together */
  const waiting = new Map<string, Waiting[]>()
  async function flush(path: string): Promise<void> {
    const asked = waiting.get(path) ?? []
    waiting.delete(path)
    const gone = new AbortController()
    const left = new Set(asked)
    const end = (one: Waiting, answer: Answer<never>): void => {
      if (left.delete(one)) one.resolve(answer)
    }
    for (const one of asked) {
      const leave = (): void => {
        end(one, { ok: false, problem: NONE })
        // What nobody waits for any more, of all that was asked together, is not computed on.
        if (left.size === 0) gone.abort()
      }
      if (one.signal?.aborted) leave()
      else one.signal?.addEventListener('abort', leave)
    }
    const take = (line: never): void => {
      const { question = 0, code, status = 0 } = line as Partial<Problem> & { question?: number }
      const one = asked[question]
      if (!one || !left.has(one)) return
      if (code !== undefined) end(one, { ok: false, problem: problemOf(status, line) })
      else if (!one.isEarly(line)) end(one, { ok: true, body: line })
    }
    const bodies = asked.map(({ body }) => body)
    const answer = await ask<never>(
      path,
      {},
      {
        method: 'POST',
        headers: { accept: 'application/x-ndjson', 'content-type': 'application/json' },
        body: JSON.stringify(bodies.length > 1 ? bodies : bodies[0]),
        signal: gone.signal,
      },
      response => readLines(response, take),
    )
    for (const one of left) end(one, answer)
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
    lines: (path, body, isEarly, signal) =>
      new Promise(resolve => {
        const asked = waiting.get(path) ?? []
        if (asked.length === 0) queueMicrotask(() => flush(path))
        waiting.set(path, [...asked, { body, isEarly, signal, resolve }])
      }),
  }
}

async function readWhole<T>(response: Response): Promise<Answer<T>> {
  const text = await response.text()
  return { ok: true, body: (text ? JSON.parse(text) : undefined) as T }
}

/** Hands on each line: what breaks off in the middle of one is none. Lines may be cut anywhere. */
async function readLines({ body }: Response, take: (line: never) => void): Promise<Answer<never>> {
  const reader = body?.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  while (reader) {
    const { done, value } = await reader.read()
    const lines = (rest + decoder.decode(value, { stream: !done })).split('\n')
    if (!done) rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') take(JSON.parse(line) as never)
    if (done) break
  }
  return { ok: false, problem: NONE }
}

function problemOf(status: number, { code = 'unreachable', title = NONE.title, detail }: Partial<Problem>): Problem {
  return { code, status, title, ...(detail !== undefined && { detail }) }
}
