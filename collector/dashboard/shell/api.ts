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
   * Asks for an answer before which others may come, a line of JSON each.
   * @param isEarly told each line as it comes: whether the answer is still to come
   */
  lines<T>(path: string, body: unknown, isEarly: (line: T) => boolean, signal?: AbortSignal): Promise<Answer<T>>
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
      ask(
        path,
        {},
        {
          method: 'POST',
          headers: { accept: 'application/x-ndjson', 'content-type': 'application/json' },
          body: JSON.stringify(body),
          ...(signal && { signal }),
        },
        response => readLines(response, isEarly),
      ),
  }
}

async function readWhole<T>(response: Response): Promise<Answer<T>> {
  const text = await response.text()
  return { ok: true, body: (text ? JSON.parse(text) : undefined) as T }
}

/** The answer, or a problem, is the last line: what breaks off before it brings none. Lines may be cut anywhere. */
async function readLines<T>({ body }: Response, isEarly: (line: T) => boolean): Promise<Answer<T>> {
  let answer: Answer<T> = { ok: false, problem: NONE }
  const take = (line: string): void => {
    if (line === '') return
    const said = JSON.parse(line)
    if ('code' in said) answer = { ok: false, problem: problemOf(said.status, said) }
    else if (!isEarly(said)) answer = { ok: true, body: said }
  }
  const reader = body?.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  try {
    while (reader) {
      const { done, value } = await reader.read()
      const lines = (rest + decoder.decode(value, { stream: !done })).split('\n')
      if (!done) rest = lines.pop() ?? ''
      lines.forEach(take)
      if (done) break
    }
  } catch {
    // Cut off: what came before holds.
  }
  return answer
}

function problemOf(status: number, { code = 'unreachable', title = NONE.title, detail }: Partial<Problem>): Problem {
  return { code, status, title, ...(detail !== undefined && { detail }) }
}
