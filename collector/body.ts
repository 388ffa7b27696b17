/** Bodies of the API, checked by their schemas. */
import type { Request, Response } from 'express'
import type { Static, TObject } from 'typebox'
import { Compile } from 'typebox/compile'
import { problem } from './problem.ts'

/** A reader of what a schema describes: it gives `undefined`, with the problem answered, where a body is anything else. */
export function bodyOf<T extends TObject>(schema: T): (request: Request, response: Response) => Static<T> | undefined {
  const checker = Compile(schema)
  const fields = Object.keys(schema.properties).join(', ')
  return ({ body }, response) => {
    if (checker.Check(body)) return body as Static<T>
    const [error] = checker.Errors(body)
    const field = error?.instancePath.slice(1)
    return void problem(response, 'body-invalid', `${field ? `${field}: ${error?.message}. ` : ''}It takes ${fields}.`)
  }
}
