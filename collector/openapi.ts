/** The OpenAPI 3.1 description of the API, made from the schemas that check and type it. */
import { MailingInput, MailingOutput, ReportOutput, TemplateOutput, Told } from './email/index.ts'
import { LIMITS } from './limits.ts'
import { NDJSON } from './ndjson.ts'
import { ACCOUNT_SCHEMAS, describeAccounts } from './openapi-account.ts'
import { ANALYSIS_SCHEMAS, describeAnalyses } from './openapi-analyses.ts'
import { describeExports, EXPORT_SCHEMAS } from './openapi-export.ts'
import { describeList } from './openapi-lists.ts'
import { describeMailings, MAILING_LINES } from './openapi-mailings.ts'
import { type Code, ref, type Schema } from './openapi-parts.ts'
import { describePeople, PEOPLE_SCHEMAS } from './openapi-people.ts'
import { PROBLEMS } from './problem.ts'
import { Filter, QueryAnswer, QueryBody } from './query/index.ts'
import { GoalInput, GoalOutput, PropertyInput, PropertyOutput } from './sites/index.ts'

/** From the draft of JSON Schema that TypeBox writes to that of OpenAPI 3.1 (2020-12), with what is recursive by its name. */
function toOpenApi(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(toOpenApi)
  if (typeof schema !== 'object' || schema === null) return schema
  const { $id: _, $defs: _d, additionalItems: _a, items, ...rest } = schema as Schema
  if (typeof rest.$ref === 'string') return ref(rest.$ref)
  const made: Schema = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, toOpenApi(value)]))
  if (Array.isArray(items)) Object.assign(made, { prefixItems: toOpenApi(items), items: false, maxItems: items.length })
  else if (items !== undefined) made.items = toOpenApi(items)
  return made
}

const problemSchema: Schema = {
  type: 'object',
  description: 'RFC 9457; the codes are stable',
  required: ['type', 'title', 'status', 'code'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string', description: 'what to do' },
    status: { type: 'integer' },
    code: { enum: Object.keys(PROBLEMS) },
    detail: { type: 'string', description: 'what was wrong, and where' },
  },
}

/** Codes that a query may be answered with. */
const OF_QUERIES = [
  'query-invalid',
  'query-unsupported',
  'query-too-large',
  'body-invalid',
  'parameter-invalid',
  'not-signed-in',
  'not-allowed',
  'site-unknown',
  'body-too-large',
  'too-many-queries',
  'too-many-a-minute',
  'query-timeout',
  'unavailable',
] as const

function problemResponses(codes: readonly Code[]): Schema {
  const responses: Record<string, { description: string; content: Schema }> = {}
  for (const code of codes) {
    const { status, title } = PROBLEMS[code]
    const before = responses[status]?.description
    responses[status] = {
      description: `${before ? `${before}\n` : ''}\`${code}\`: ${title}`,
      content: { 'application/problem+json': { schema: ref('Problem') } },
    }
  }
  return responses
}

export function openApi(): Schema {
  return {
    openapi: '3.1.0',
    info: { title: 'livetag', version: '2', license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: '.' }],
    security: [{ key: [] }, { signIn: [] }, { share: [] }],
    paths: {
      '/query': {
        post: {
          operationId: 'query',
          summary: 'Counts of a site, as Plausible’s Stats API v2 asks for them',
          requestBody: {
            required: true,
            content: {
              'application/json': {
                schema: {
                  oneOf: [
                    ref('Query'),
                    {
                      type: 'array',
                      items: ref('Query'),
                      minItems: 1,
                      maxItems: LIMITS.atOnce,
                      description: 'questions of one site, answered in lines',
                    },
                  ],
                },
              },
            },
          },
          responses: {
            200: {
              description:
                'the counts; as lines, one or two of them: where they take long, an estimate comes first, which has `meta.sample`, and the last line is the answer, or the problem. Of a list each question has such lines, as they come, with its place in the list, from 0, as `question`',
              content: {
                'application/json': { schema: ref('Answer') },
                [NDJSON]: { schema: ref('Answer') },
              },
            },
            ...problemResponses(OF_QUERIES),
          },
        },
      },
      ...describeAnalyses(problemResponses, OF_QUERIES),
      ...describeExports(problemResponses),
      '/goals': describeList({
        field: 'goals',
        noun: 'goal',
        counts: 'in all that is kept, also before it was made',
        input: ref('GoalInput'),
        output: ref('Goal'),
        invalid: 'goal-invalid',
        exists: 'goal-exists',
        tooMany: 'too-many-goals',
        unknown: 'goal-unknown',
        problems: problemResponses,
      }),
      '/properties': describeList({
        field: 'properties',
        noun: 'property',
        counts: 'from now on',
        input: ref('PropertyInput'),
        output: ref('Property'),
        invalid: 'property-invalid',
        exists: 'property-exists',
        tooMany: 'too-many-properties',
        unknown: 'property-unknown',
        problems: problemResponses,
      }),
      ...describeMailings({ ref, problems: problemResponses }),
      ...describePeople(problemResponses),
      ...describeAccounts(problemResponses),
    },
    components: {
      securitySchemes: {
        key: {
          type: 'http',
          scheme: 'bearer',
          description: 'the owner key, or one with the scope that is needed: read, if none is named',
        },
        signIn: {
          type: 'apiKey',
          in: 'cookie',
          name: 'livetag_session',
          description: 'of a browser that is signed in; over TLS with the prefix `__Host-`',
        },
        share: {
          type: 'apiKey',
          in: 'query',
          name: 'share',
          description: 'the token of a shared link, with a dot and a ticket where it asks for a password',
        },
      },
      schemas: {
        Query: toOpenApi(QueryBody),
        Filter: toOpenApi((Filter as unknown as { $defs: { Filter: unknown } }).$defs.Filter),
        Answer: toOpenApi(QueryAnswer),
        GoalInput: toOpenApi(GoalInput),
        Goal: toOpenApi(GoalOutput),
        PropertyInput: toOpenApi(PropertyInput),
        Property: toOpenApi(PropertyOutput),
        ...Object.fromEntries(
          Object.entries({ ...ANALYSIS_SCHEMAS, ...PEOPLE_SCHEMAS, ...ACCOUNT_SCHEMAS }).map(([name, schema]) => [
            name,
            toOpenApi(schema),
          ]),
        ),
        MailingInput: toOpenApi(MailingInput),
        Mailing: toOpenApi(MailingOutput),
        MailingTemplate: toOpenApi(TemplateOutput),
        MailingTold: toOpenApi(Told),
        MailingReport: toOpenApi(ReportOutput),
        ...MAILING_LINES,
        ...EXPORT_SCHEMAS,
        Problem: problemSchema,
      },
    },
  }
}
