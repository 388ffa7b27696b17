/** What of the description is about mailings. */
import { NDJSON } from './ndjson.ts'
import type { Code, Schema } from './openapi-parts.ts'

interface Described {
  ref(name: string): Schema
  problems(codes: readonly Code[]): Schema
}

const OF_ALL = ['parameter-invalid', 'not-signed-in', 'not-allowed', 'site-unknown', 'unavailable'] as const
const OF_ONE = [...OF_ALL, 'mailing-unknown'] as const
const OF_BODIES = ['body-invalid', 'body-too-large'] as const
const WRITE = 'takes the scope write'

const parameter = (name: string, place: 'query' | 'path', description: string): Schema => ({
  ...{ name, in: place, required: true, description },
  schema: { type: 'string' },
})
const site = parameter('site', 'query', 'key of the site')
const one = [site, parameter('id', 'path', 'of the mailing')]
const json = (schema: Schema): Schema => ({ content: { 'application/json': { schema } } })
const lines = (schema: Schema): Schema => ({ content: { [NDJSON]: { schema } } })

/** Paths of the description. */
export function describeMailings({ ref, problems }: Described): Schema {
  const list = {
    type: 'object',
    required: ['mailings'],
    properties: { mailings: { type: 'array', items: ref('Mailing') } },
  }
  const limit = { ...parameter('limit', 'query', '1 to 1,000; if absent, 100'), required: false }
  const withdrawal = (operationId: string, summary: string) => ({
    post: {
      ...{ operationId, summary: `${summary}; ${WRITE}`, parameters: [site] },
      requestBody: { required: true, ...json(ref('Recipient')) },
      responses: { 204: { description: 'it is so, durably' }, ...problems([...OF_ONE, ...OF_BODIES]) },
    },
  })
  return {
    '/mailings': {
      get: {
        ...{ operationId: 'listMailings', summary: 'The newest mailings of a site', parameters: [site, limit] },
        responses: { 200: { description: 'newest first', ...json(list) }, ...problems(OF_ALL) },
      },
      post: {
        ...{ operationId: 'addMailing', summary: `Registers a mailing; ${WRITE}`, parameters: [site] },
        requestBody: { required: true, ...json(ref('MailingInput')) },
        responses: {
          201: {
            description: 'the mailing; with its template, where it was given a mail',
            ...json({ anyOf: [ref('Mailing'), { allOf: [ref('Mailing'), ref('MailingTemplate')] }] }),
          },
          ...problems([...OF_ALL, ...OF_BODIES, 'mailing-invalid', 'too-many-mailings']),
        },
      },
    },
    '/mailings/withdraw': withdrawal('withdrawRecipient', 'Measures a recipient no longer, also by mails already sent'),
    '/mailings/restore': withdrawal('restoreRecipient', 'Somebody agreed anew: mails minted from now on count again'),
    '/mailings/last-opens': {
      post: {
        operationId: 'lastOpens',
        summary:
          'The day on which recipients have opened a mail last, under the policy deliverability: a line for a line',
        parameters: [site],
        requestBody: { required: true, ...lines(ref('Recipient')) },
        responses: { 200: { description: 'a line for a line', ...lines(ref('LastOpen')) }, ...problems(OF_ALL) },
      },
    },
    '/mailings/{id}': {
      get: {
        ...{ operationId: 'getMailing', summary: 'A mailing', parameters: one },
        responses: { 200: { description: 'the mailing', ...json(ref('Mailing')) }, ...problems(OF_ONE) },
      },
      patch: {
        ...{ operationId: 'tellMailing', summary: `Tells what only the sender knows; ${WRITE}`, parameters: one },
        requestBody: { required: true, ...json(ref('MailingTold')) },
        responses: {
          200: { description: 'the mailing', ...json(ref('Mailing')) },
          ...problems([...OF_ONE, ...OF_BODIES, 'mailing-invalid']),
        },
      },
    },
    '/mailings/{id}/mint': {
      post: {
        ...{ operationId: 'mint', summary: `Mints paths for recipients, a line for a line; ${WRITE}`, parameters: one },
        requestBody: { required: true, ...lines(ref('Recipient')) },
        responses: { 200: { description: 'a line for a line', ...lines(ref('Minted')) }, ...problems(OF_ONE) },
      },
    },
    '/mailings/{id}/report': {
      get: {
        ...{ operationId: 'mailingReport', summary: 'What became of a mailing', parameters: one },
        responses: { 200: { description: 'the report', ...json(ref('MailingReport')) }, ...problems(OF_ONE) },
      },
    },
  }
}

const recipient = {
  type: 'string',
  minLength: 1,
  maxLength: 256,
  description: 'the caller’s own reference: it is not kept',
}

/** Schemas of lines and short bodies, which are checked by hand. */
export const MAILING_LINES: Schema = {
  Recipient: {
    type: 'object',
    required: ['recipient'],
    properties: { recipient, mailing: { type: 'string', description: 'of withdrawals: the one that led to it' } },
  },
  Minted: {
    type: 'object',
    required: ['recipient', 'pixel', 'links'],
    properties: {
      recipient,
      pixel: { type: ['string', 'null'], description: 'path of the image; null where there is to be none' },
      links: {
        type: 'array',
        items: { type: 'string' },
        description: 'a path for each link, or where nothing is measured its destination',
      },
      withdrawn: { const: true },
    },
  },
  LastOpen: {
    type: 'object',
    required: ['recipient', 'day'],
    properties: { recipient, day: { type: ['string', 'null'], format: 'date' } },
  },
}
