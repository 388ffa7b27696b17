import { useShell } from '../shell/context.ts'
import { strings } from '../strings.ts'
import { changeOf, type Metric, metricOf, metricsOf } from './metrics.ts'
import { useReport } from './report.ts'
import { type Asked, shownOf } from './screen.ts'
import type { Totals as AllKnown, Known } from './ticking.ts'
import { percentText, valueText } from './words.ts'

interface TotalsProps {
  known: AllKnown
  totals: Asked
  /** null where the site has no goals */
  goals: Asked | null
}

/** One number a metric; the one that is pressed is what the chart shows. */
export function Totals({ known, totals, goals }: TotalsProps) {
  const { shown, change } = useReport()
  const all = [...metricsOf('all'), ...(goals ? metricsOf('goals') : [])].filter(
    // Where nothing is worth anything, or in several currencies, there is no revenue to show.
    ({ key, kind }) => kind !== 'money' || !!known[key]?.value,
  )
  const chosen = metricOf(shown.metric).key
  const before = ({ key, kind, of }: Metric) => {
    const asked = of === 'all' ? totals : goals
    const compared = asked && shownOf(asked)
    // What was counted is not compared with an estimate.
    if (asked?.estimate && !known[key]?.isEarly) return undefined
    // A rate of no visits is nothing to compare with.
    if (kind !== 'count' && !shownOf(totals)?.results[0]?.comparison?.metrics[1]) return undefined
    return compared?.results[0]?.comparison?.metrics[metricsOf(of).findIndex(metric => metric.key === key)]
  }
  return (
    <div class={all.length > 8 ? 'totals many' : 'totals'}>
      {all.map(metric => (
        <Total
          key={metric.key}
          metric={metric}
          known={metric.kind !== 'count' && known.visits?.value === 0 ? NOTHING : known[metric.key]}
          before={before(metric)}
          isChosen={metric.key === chosen}
          onChoose={() => change({ metric: metric.key === 'visitors' ? '' : metric.key }, true)}
        />
      ))}
    </div>
  )
}

/** A rate of no visits. */
const NOTHING: Known = { value: null, at: 0 }

interface TotalProps {
  metric: Metric
  known: Known | undefined
  before: Known['value'] | undefined
  isChosen: boolean
  onChoose(): void
}

function Total({ metric, known, before, isChosen, onChoose }: TotalProps) {
  const { words } = useShell()
  const { kind, isLess } = metric
  const change = known && before !== undefined ? changeOf(kind, before, known.value) : null
  const isGood = change !== null && change !== 0 && change > 0 !== (isLess ?? false)
  const { metrics, approx, before: was, points } = strings.overview
  const size =
    kind === 'percent' ? points(words.rate(Math.abs(change ?? 0))) : words.percent(Math.abs(change ?? 0) / 100)
  return (
    <button type="button" class="total" data-metric={metric.key} aria-pressed={isChosen} onClick={onChoose}>
      <span class="total-name">{metrics[metric.key]}</span>{' '}
      {known ? (
        <span
          class="total-value"
          title={known.error === undefined ? undefined : approx(percentText(known.error * 100))}
        >
          {known.error !== undefined && <span class="approx">≈ </span>}
          {valueText(known.value, kind, words)}
        </span>
      ) : (
        <span class="total-value ghost-box" />
      )}{' '}
      <span
        class={`total-change ${change === null || change === 0 ? '' : isGood ? 'good' : 'bad'}`}
        title={before === undefined ? undefined : was(valueText(before, kind, words))}
      >
        {change !== null && (
          <>
            {change === 0 ? '' : change > 0 ? '+' : '−'}
            {size}
          </>
        )}
      </span>
    </button>
  )
}
