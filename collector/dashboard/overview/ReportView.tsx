import { useMemo } from 'preact/hooks'
import type { QueryAnswer, QueryBody } from '../../query/schema.ts'
import { useCommands } from '../shell/commands.ts'
import { useShell } from '../shell/context.ts'
import type { Site } from '../shell/me.ts'
import { strings } from '../strings.ts'
import { Bots } from './Bots.tsx'
import { Counting } from './Counting.tsx'
import { commandsOf } from './commands.ts'
import { Details } from './Details.tsx'
import { type Day, daysOf } from './dates.ts'
import { Footer } from './Footer.tsx'
import { useFreshness } from './fresh.ts'
import { Head } from './Head.tsx'
import { metricOf, metricsOf } from './metrics.ts'
import { NothingHere } from './NothingHere.tsx'
import { Panel } from './Panel.tsx'
import { chosenIn, metricsFor, panelsOf } from './panels.ts'
import { ROLLING, readShown, toggled, writeFilters } from './params.ts'
import * as question from './questions.ts'
import { type Report, ReportContext, useNames, usePicked, useScreen } from './report.ts'
import { Tools } from './Tools.tsx'
import { contains, firstDay, rangeOf, sumsAnswered } from './ticking.ts'
import { daysText } from './words.ts'

/** How many rows a list shows. */
const ROWS = 8

export function ReportView({ site, day }: { site: Site; day: Day }) {
  const { address, go, href, api, watching, commands } = useShell()
  const { params } = address
  const goals = useNames(api, 'goals', site.key)
  const properties = useNames(api, 'properties', site.key)
  const report = useMemo((): Report => {
    const shown = readShown(params)
    const days = daysOf(shown.range, day) ?? null
    const name = strings.overview.ranges[shown.range] ?? strings.overview.ranges.today ?? ''
    return {
      shown,
      day,
      days,
      asking: { site: site.key, shown, goals: goals ?? [] },
      properties: properties ?? [],
      change: (change, replace) => go({ params: { ...params, ...change } }, replace),
      href: change => href({ params: { ...params, ...change } }),
      clicked: (dim, value, excludes) => ({ f: writeFilters(toggled(shown.filters, dim, value, excludes)) }),
      ask: async body => {
        const answer = await api.send<QueryAnswer>('POST', 'query', {}, body)
        return answer.ok ? answer.body : null
      },
      subtitle: `${site.domain || site.key} · ${days ? daysText(days) : name}`,
    }
  }, [params, day, site, goals, properties, api])
  const { shown, asking } = report
  const metric = metricOf(shown.metric)
  const panels = panelsOf(report.properties)
  const hasGoals = asking.goals.length > 0

  const questions: Record<string, QueryBody> = { totals: question.totals(asking) }
  if (hasGoals) questions.goals = question.totals(asking, 'goals')
  if (metric.of === 'all' || hasGoals) questions.course = question.course(asking, metric.of, shown.unit)
  for (const panel of panels) {
    const { dim } = chosenIn(panel, params[panel.id])
    if (dim && (dim !== 'goal' || hasGoals))
      questions[panel.id] = question.list(asking, { dim, metrics: metricsFor(dim), limit: ROWS })
  }
  if (shown.filters.length === 0) questions.bots = question.bots(asking)
  const { screen, of } = useScreen(api, questions)
  const { answer } = of('totals')

  // The days before today are asked for once the answer says where the range begins.
  const start = usePicked(watching.view, ({ live }) => live?.today.start)
  const end = usePicked(watching.view, ({ live }) => live?.today.end)
  const isTicking =
    answer !== null &&
    question.isPlain(shown.filters, shown.bots) &&
    start !== undefined &&
    end !== undefined &&
    contains(answer, { start, end })
  const first = answer ? firstDay(answer) : day
  const before = useScreen(api, isTicking && first < day ? { past: question.past(asking, first, day) } : {})
  const past = before.of('past').answer
  const ticking = !isTicking || (first < day && !past) ? null : { before: past && sumsAnswered(past) }

  const isRolling = Object.hasOwn(ROLLING, shown.range)
  const isNow = isRolling || (answer !== null && Date.parse(rangeOf(answer)[1] ?? '') >= Date.now())
  const took = Math.max(...Object.keys(questions).map(id => of(id).answer?.meta.ms ?? 0))
  useFreshness({ screens: [screen, before.screen], watching, isNow, isRolling, took })
  useCommands(commands, () => commandsOf(report), [report])

  const isNothing = answer !== null && metricsOf('all').every((_, i) => !answer.results[0]?.metrics[i])
  return (
    <ReportContext.Provider value={report}>
      <div class="overview">
        <Tools />
        <Counting of={of} ids={Object.keys(questions)} screen={screen} />
        <Head
          totals={of('totals')}
          goals={hasGoals ? of('goals') : null}
          course={of('course')}
          ticking={ticking}
          onAgain={() => screen.again('failed')}
        />
        {isNothing ? (
          <NothingHere />
        ) : (
          <div class="panels">
            {panels.map(panel => (
              <Panel
                key={panel.id}
                panel={panel}
                asked={of(panel.id)}
                hasGoals={goals === null || hasGoals}
                onAgain={() => screen.again('failed')}
              />
            ))}
          </div>
        )}
        <Bots asked={of('bots')} />
        <Footer asked={of('totals')} />
        {shown.details && <Details key={shown.details} dim={shown.details} />}
      </div>
    </ReportContext.Provider>
  )
}
