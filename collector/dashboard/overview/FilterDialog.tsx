import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { strings } from '../strings.ts'
import { Dialog } from '../ui/Dialog.tsx'
import { metricsFor } from './panels.ts'
import { DIMENSIONS, OPERATORS, type Operator, propertyDim, writeFilters } from './params.ts'
import { list } from './questions.ts'
import { useReport } from './report.ts'
import { dimName, nameOfValue } from './words.ts'

/** How many values are offered. */
const OFFERED = 20

/** A filter by anything, with values that there are on offer. */
export function FilterDialog({ onClose }: { onClose(): void }) {
  const { shown, change, properties, asking, ask } = useReport()
  const [dim, setDim] = useState('page')
  const [op, setOp] = useState<Operator>('is')
  const [text, setText] = useState('')
  const [offered, setOffered] = useState<readonly string[]>([])
  const field = useRef<HTMLInputElement>(null)
  const words = strings.overview
  useLayoutEffect(() => field.current?.focus(), [])
  useEffect(() => {
    let isOld = false
    const timer = setTimeout(async () => {
      const answer = await ask(list(asking, { dim, metrics: metricsFor(dim), limit: OFFERED, search: text }))
      if (!isOld) setOffered(answer?.results.map(({ dimensions: [value = ''] }) => value) ?? [])
    }, 200)
    return () => {
      isOld = true
      clearTimeout(timer)
    }
  }, [dim, text])
  const send = (event: SubmitEvent) => {
    event.preventDefault()
    if (text === '') return
    onClose()
    change({ f: writeFilters([...shown.filters, { op, dim, values: [text] }]) })
  }
  const dims = [...Object.keys(DIMENSIONS).filter(one => one !== 'bot'), ...properties.map(propertyDim)]
  return (
    <Dialog title={words.addFilter} onClose={onClose}>
      <form class="form" onSubmit={send}>
        <label class="field-label">
          {words.filterBy}
          <select class="field" value={dim} onChange={event => setDim(event.currentTarget.value)}>
            {dims.map(one => (
              <option key={one} value={one}>
                {dimName(one)}
              </option>
            ))}
          </select>
        </label>
        <label class="field-label">
          {words.filterHow}
          <select class="field" value={op} onChange={event => setOp(event.currentTarget.value as Operator)}>
            {OPERATORS.map(one => (
              <option key={one} value={one}>
                {words.operators[one]}
              </option>
            ))}
          </select>
        </label>
        <label class="field-label">
          {words.filterValue}
          <input
            ref={field}
            class="field"
            list="filter-values"
            dir="auto"
            maxLength={2_000}
            autoComplete="off"
            required
            value={text}
            onInput={event => setText(event.currentTarget.value)}
          />
          <datalist id="filter-values">
            {offered.map(value => (
              <option key={value} value={value}>
                {nameOfValue(dim, value)}
              </option>
            ))}
          </datalist>
        </label>
        <button type="submit" class="button primary">
          {words.apply}
        </button>
      </form>
    </Dialog>
  )
}
