import { strings } from '../strings.ts'
import { fileName, saveCsv } from '../ui/save.ts'
import { numberOf } from './metrics.ts'
import { allMetricsFor } from './panels.ts'
import { list } from './questions.ts'
import type { Report } from './report.ts'
import { dimName } from './words.ts'

/** As many rows as the API answers at once. */
const MOST_ROWS = 10_000

/** The whole of a list as a file, with all that the long list shows. @param search only values that contain this */
export async function saveList(report: Report, dim: string, search = ''): Promise<void> {
  const metrics = allMetricsFor(dim)
  const answer = await report.ask(list(report.asking, { dim, metrics, search, limit: MOST_ROWS }))
  if (!answer) return
  const names = strings.overview.metrics
  saveCsv(fileName([report.asking.site, dimName(dim), report.subtitle], 'csv'), [
    [dimName(dim), ...metrics.map(metric => names[metric] ?? metric)],
    ...answer.results.map(row => [row.dimensions[0], ...row.metrics.map(numberOf)]),
  ])
}
