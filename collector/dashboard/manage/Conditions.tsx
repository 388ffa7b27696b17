import { useEffect, useRef, useState } from 'preact/hooks'
import { strings } from '../strings.ts'
import { Field } from '../ui/Field.tsx'
import { conditionFields } from './goal.ts'

/** As many as the collector takes. */
const MOST = 10

/** Conditions on the properties of an event: all of them hold. */
export function Conditions() {
  const words = strings.manage.goals
  const [rows, setRows] = useState<readonly number[]>([])
  const next = useRef(0)
  const adding = useRef<HTMLButtonElement>(null)
  return (
    <fieldset class="choice">
      <legend>{words.where}</legend>
      {rows.map(n => (
        <Condition
          key={n}
          n={n}
          onRemove={() => {
            setRows(rows.filter(row => row !== n))
            adding.current?.focus()
          }}
        />
      ))}
      {rows.length < MOST && (
        <button type="button" class="button" ref={adding} onClick={() => setRows([...rows, next.current++])}>
          {words.addCondition}
        </button>
      )}
    </fieldset>
  )
}

function Condition({ n, onRemove }: { n: number; onRemove(): void }) {
  const words = strings.manage.goals
  const names = conditionFields(n)
  const [operator, setOperator] = useState('is')
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => box.current?.querySelector('input')?.focus(), [])
  const number = operator !== 'is'
  return (
    <div class="condition" ref={box}>
      <Field name={names.property} label={words.property} placeholder="plan" maxLength={100} />
      <label class="field-label">
        {words.operator}
        <select
          class="field"
          name={names.operator}
          value={operator}
          onChange={event => setOperator(event.currentTarget.value)}
        >
          {Object.entries(words.operators).map(([one, text]) => (
            <option key={one} value={one}>
              {text}
            </option>
          ))}
        </select>
      </label>
      {operator !== 'present' && (
        <Field
          key={String(number)}
          name={names.to}
          label={words.to}
          {...(number ? { type: 'number', step: 'any' } : { placeholder: 'pro, plus', hint: words.toHint })}
        />
      )}
      <button type="button" class="button quiet-button" aria-label={words.removeCondition} onClick={onRemove}>
        ×
      </button>
    </div>
  )
}
