/** What of the description is about lists of a site: each is listed, added to and taken from in the same way. */
import { type Code, inQuery, json, listOf, type Problems, type Schema, SITE } from './openapi-parts.ts'

interface Described {
  /** under which they are listed */
  field: string
  /** as in `a goal` */
  noun: string
  /** as in `from now on` */
  counts: string
  /** schemas of what is sent and of what is answered */
  input: Schema
  output: Schema
  /** codes of what is wrong with one of them */
  invalid: Code
  exists: Code
  tooMany: Code
  unknown: Code
  problems: Problems
}

const OF_ALL = ['parameter-invalid', 'not-signed-in', 'not-allowed', 'site-unknown', 'unavailable'] as const

export function describeList({ field, noun, counts, input, output, problems, ...codes }: Described): Schema {
  const name = inQuery('name', `of the ${noun}`)
  const title = field.slice(0, 1).toUpperCase() + field.slice(1)
  const one = noun.slice(0, 1).toUpperCase() + noun.slice(1)
  const made = [codes.invalid, codes.exists, codes.tooMany, codes.unknown, 'body-invalid', 'body-too-large'] as const
  return {
    get: {
      operationId: `list${title}`,
      summary: `The ${field} of a site`,
      parameters: [SITE],
      responses: {
        200: { description: 'in the order in which they were made', ...listOf(field, output) },
        ...problems(OF_ALL),
      },
    },
    post: {
      operationId: `add${one}`,
      summary: `Makes a ${noun}, which counts ${counts}; takes the role editor, or the scope admin`,
      parameters: [SITE],
      requestBody: { required: true, ...json(input) },
      responses: { 201: { description: `the ${noun}`, ...json(output) }, ...problems([...OF_ALL, ...made]) },
    },
    delete: {
      operationId: `remove${one}`,
      summary: `Takes a ${noun} away: it counts no longer in what comes; takes the role editor, or the scope admin`,
      parameters: [SITE, name],
      responses: { 204: { description: 'it is gone' }, ...problems([...OF_ALL, codes.unknown]) },
    },
  }
}
