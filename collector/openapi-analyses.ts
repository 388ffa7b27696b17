/** What of the description is about analyses: of each its body and its answer. */
import type { TSchema } from 'typebox'
import { answers, body, one, type Problems, type Schema } from './openapi-parts.ts'
import { ANALYSES, type Analysis } from './query/index.ts'

const SUMMARY: Readonly<Record<Analysis, string>> = {
  funnel: 'How many went how far through some steps, by session or visitor, and how long each took',
  attribution: 'Conversions and their revenue divided among the visits that led to them',
  retention: 'Visitors by the period of their first visit of the range, and in which later ones they came again',
  ctr: 'Impressions and clicks by what was shown, counted, and by visitor',
  journeys: 'The page that visits saw next after a page, or before it',
}
const nameOf = (analysis: string): string => analysis.slice(0, 1).toUpperCase() + analysis.slice(1)

export const ANALYSIS_SCHEMAS: Readonly<Record<string, TSchema>> = Object.fromEntries(
  Object.entries(ANALYSES).flatMap(([name, { body, answer }]): [string, TSchema][] => [
    [`${nameOf(name)}Input`, body],
    [nameOf(name), answer],
  ]),
)

/** @param codes that any question may be answered with */
export function describeAnalyses(problems: Problems, codes: Parameters<Problems>[0]): Schema {
  const answer = answers(problems)
  return Object.fromEntries(
    Object.entries(SUMMARY).map(([name, summary]) => [
      `/${name}`,
      {
        post: {
          operationId: name,
          summary,
          ...body(`${nameOf(name)}Input`),
          ...answer(200, 'the results', one(nameOf(name)), codes),
        },
      },
    ]),
  )
}
