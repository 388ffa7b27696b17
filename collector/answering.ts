/** Routes that may go wrong in known ways: each error becomes its problem. */
import { json, type Request, type RequestHandler, type Response } from 'express'
import { PasswordsBusy, PeopleError } from './people/index.ts'
import { type PROBLEMS, problem } from './problem.ts'
import { KeyError, SiteError } from './sites/index.ts'

/** s */
const BUSY_S = 5

/** The problem that an error of these is. */
function codeOf(error: unknown): keyof typeof PROBLEMS | undefined {
  if (error instanceof PeopleError) return error.why
  if (error instanceof PasswordsBusy) return 'passwords-busy'
  if (error instanceof SiteError) return `site-${error.why}`
  if (error instanceof KeyError) return `key-${error.why}`
  return undefined
}

export const answering =
  (act: (request: Request, response: Response) => Promise<unknown>): RequestHandler =>
  async (request, response) => {
    try {
      await act(request, response)
    } catch (error) {
      const code = codeOf(error)
      if (!code) throw error
      problem(response, code, (error as Error).message || undefined, BUSY_S)
    }
  }

/** For what went wrong before anything was tried: that is no try. */
export const giveBack =
  (attempt: { giveBack(): void }) =>
  (error: unknown): never => {
    attempt.giveBack()
    throw error
  }

/** Reads a body of JSON, of whatever type it says that it is. */
export const readJson: RequestHandler = json({ limit: '100kb', type: () => true })
