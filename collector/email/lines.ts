/** NDJSON in, NDJSON out: a line is answered before the next is read, so a list of any length takes the memory of one line. */

/** Of a line, UTF-16 code units. */
const MOST_LINE = 2_000
/** Of the caller's own reference to a recipient. */
export const MOST_REFERENCE = 256
const WRONG = `a line is {"recipient": "…"}, your own reference to somebody: 1 to ${MOST_REFERENCE} characters`

export const isReference = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= MOST_REFERENCE

/**
 * Answers each line `{"recipient": …}`; one that is something else is answered with `{"line": …, "problem": …}`.
 * @yields what each is answered with
 */
export async function* answerLines(
  chunks: AsyncIterable<Uint8Array | string>,
  answer: (recipient: string) => Promise<object>,
): AsyncGenerator<object> {
  let line = 0
  for await (const text of splitLines(chunks)) {
    line++
    if (text?.trim() === '') continue
    const recipient = text === undefined ? undefined : readRecipient(text)
    yield recipient === undefined ? { line, problem: WRONG } : await answer(recipient)
  }
}

function readRecipient(text: string): string | undefined {
  try {
    const { recipient } = (JSON.parse(text) ?? {}) as { recipient?: unknown }
    return isReference(recipient) ? recipient : undefined
  } catch {
    return undefined
  }
}

/** @yields `undefined` in place of a line that is too long, which is read over and not kept */
async function* splitLines(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<string | undefined> {
  const decoder = new TextDecoder()
  let rest = ''
  let tooLong = false
  for await (const chunk of chunks) {
    const lines = (typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })).split('\n')
    const last = lines.pop() ?? ''
    for (const text of lines) {
      const whole = rest + text
      yield tooLong || whole.length > MOST_LINE ? undefined : whole
      rest = ''
      tooLong = false
    }
    rest += last
    if (rest.length > MOST_LINE) {
      rest = ''
      tooLong = true
    }
  }
  if (tooLong) yield undefined
  else if (rest !== '') yield rest
}
