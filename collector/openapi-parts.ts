/** What operations of the description are put together from. */
import type { PROBLEMS } from './problem.ts'

export type Schema = { [key: string]: unknown }
export type Code = keyof typeof PROBLEMS
/** Answers with these codes. */
export type Problems = (codes: readonly Code[]) => Schema

/** A schema of the description, by its name. */
export const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` })
export const json = (schema: Schema): Schema => ({ content: { 'application/json': { schema } } })
export const one = (name: string): Schema => json(ref(name))
export const listOf = (field: string, items: Schema): Schema =>
  json({ type: 'object', required: [field], properties: { [field]: { type: 'array', items } } })
export const body = (name: string): Schema => ({ requestBody: { required: true, ...one(name) } })

export const inQuery = (name: string, description: string): Schema => ({
  name,
  in: 'query',
  required: true,
  schema: { type: 'string' },
  description,
})
export const SITE = inQuery('site', 'key of the site')

/** How an operation is answered: well, or with one of these codes. */
export const answers =
  (problems: Problems) =>
  (status: number, description: string, content: Schema, codes: readonly Code[]): Schema => ({
    responses: { [status]: { description, ...content }, ...problems(codes) },
  })

/** Of who is nobody. */
export const OF_ALL = ['not-signed-in', 'share-unknown', 'share-password', 'unavailable'] as const
export const OF_SITES = [...OF_ALL, 'parameter-invalid', 'not-allowed', 'site-unknown'] as const
export const OF_CHANGES = [...OF_SITES, 'cross-site', 'body-invalid', 'body-too-large'] as const
