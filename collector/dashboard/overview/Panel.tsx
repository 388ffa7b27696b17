import { useRef, useState } from 'preact/hooks'
import { useShell } from '../shell/context.ts'
import { strings } from '../strings.ts'
import { drawTable } from '../ui/paint.ts'
import { fileName, savePng } from '../ui/save.ts'
import { Tabs } from '../ui/Tabs.tsx'
import { Estimated } from './Estimated.tsx'
import { Failed } from './Failed.tsx'
import { saveList } from './files.ts'
import { kindOf, numberOf } from './metrics.ts'
import { chosenIn, metricsFor, type PanelShape } from './panels.ts'
import { useReport } from './report.ts'
import { type Asked, shownOf } from './screen.ts'
import { Value } from './Value.tsx'
import { dimName, nameOfValue, valueText } from './words.ts'

interface PanelProps {
  panel: PanelShape
  asked: Asked
  hasGoals: boolean
  onAgain(): void
}

/** The largest values of one dimension, or of another by its tabs. */
export function Panel({ panel, asked, hasGoals, onAgain }: PanelProps) {
  const { address } = useShell()
  const { change } = useReport()
  const { tab, dim } = chosenIn(panel, address.params[panel.id])
  const { panels, tabs, whichOf } = strings.overview
  const choose = (id: string) => change({ [panel.id]: id === panel.tabs[0]?.id ? '' : id }, true)
  return (
    <section class={`panel list list-${panel.id}`} aria-label={panels[panel.id]}>
      <Tabs
        name={panel.id}
        label={panels[panel.id] ?? ''}
        tabs={panel.tabs.map(({ id }) => [id, tabs[id] ?? id])}
        at={tab.id}
        onPick={choose}
        beside={
          tab.dims.length > 1 && (
            <select
              class="select small"
              aria-label={whichOf(tabs[tab.id] ?? '')}
              value={dim}
              onChange={event => choose(event.currentTarget.value)}
            >
              {tab.dims.map(one => (
                <option key={one} value={one}>
                  {dimName(one)}
                </option>
              ))}
            </select>
          )
        }
      >
        <List dim={dim} asked={asked} hasGoals={hasGoals} onAgain={onAgain} />
      </Tabs>
    </section>
  )
}

interface ListProps extends Omit<PanelProps, 'panel'> {
  dim: string | undefined
}

function List({ dim, asked, hasGoals, onAgain }: ListProps) {
  const { words } = useShell()
  const report = useReport()
  const { subtitle, change } = report
  const box = useRef<HTMLDivElement>(null)
  const [isSaving, setSaving] = useState(false)
  const all = strings.overview
  if (dim === undefined) return <p class="nothing">{all.noProperties}</p>
  if (dim === 'goal' && !hasGoals) return <p class="nothing">{all.noGoals}</p>
  const answer = shownOf(asked)
  if (!answer && (asked.problem || asked.isStopped)) return <Failed asked={asked} onAgain={onAgain} />
  if (!answer) return <Ghost />
  const metrics = metricsFor(dim)
  const name = dimName(dim)
  const rows = answer.results
  const most = Math.max(1, ...rows.map(row => numberOf(row.metrics[0]) ?? 0))
  if (rows.length === 0) return <p class="nothing">{all.empty}</p>
  const save = async () => {
    setSaving(true)
    await saveList(report, dim)
    setSaving(false)
  }
  const picture = () => {
    if (!box.current) return
    const canvas = drawTable(
      {
        columns: [name, ...metrics.map(metric => all.metrics[metric] ?? metric)],
        rows: rows.map(row => ({
          cells: [
            nameOfValue(dim, row.dimensions[0] ?? ''),
            ...row.metrics.map((value, i) => valueText(value, kindOf(metrics[i] ?? ''), words)),
          ],
          share: (numberOf(row.metrics[0]) ?? 0) / most,
        })),
        color: getComputedStyle(box.current).outlineColor,
      },
      box.current,
      name,
      subtitle,
    )
    if (canvas) savePng(fileName([name, subtitle], 'png'), canvas)
  }
  return (
    <div ref={box} class="list-rows">
      <table>
        <thead>
          <tr>
            <th scope="col">
              {name}
              <Estimated asked={asked} />
            </th>
            {metrics.map(metric => (
              <th scope="col" key={metric}>
                {all.metrics[metric]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ dimensions: [value = ''], metrics: numbers }) => (
            <tr key={value} style={{ '--share': (numberOf(numbers[0]) ?? 0) / most }}>
              <th scope="row">
                <Value dim={dim} value={value} />
              </th>
              {metrics.map((metric, i) => (
                <td key={metric}>{valueText(numbers[i], kindOf(metric), words)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <p class="list-foot">
        <button type="button" class="file" aria-label={all.detailsOf(name)} onClick={() => change({ details: dim })}>
          {all.details}
        </button>
        <span class="files">
          <button
            type="button"
            class="file"
            disabled={isSaving}
            aria-label={isSaving ? undefined : all.saveCsv(name)}
            onClick={save}
          >
            {isSaving ? all.saving : all.csv}
          </button>
          <button type="button" class="file" disabled={!asked.answer} aria-label={all.savePng(name)} onClick={picture}>
            {all.png}
          </button>
        </span>
      </p>
    </div>
  )
}

/** Shapes where rows will be. */
export function Ghost() {
  return (
    <div class="list-ghost" aria-hidden="true">
      {[90, 72, 60, 48, 40, 32, 26, 20].map(width => (
        <span key={width} class="ghost-box" style={{ inlineSize: `${width}%` }} />
      ))}
    </div>
  )
}
