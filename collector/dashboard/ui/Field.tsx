import type { InputHTMLAttributes, PartialInputHTMLAttributes } from 'preact'
import { useContext, useId } from 'preact/hooks'
import { strings } from '../strings.ts'
import { FaultsContext } from './Form.tsx'

type Native =
  | 'autoCapitalize'
  | 'autoComplete'
  | 'defaultValue'
  | 'dir'
  | 'inputMode'
  | 'maxLength'
  | 'minLength'
  | 'pattern'
  | 'placeholder'
  | 'readOnly'
  | 'step'
  | 'title'
  | 'value'

interface FieldProps extends Pick<PartialInputHTMLAttributes<HTMLInputElement>, Native> {
  name: string
  label: string
  type?: 'text' | 'email' | 'password' | 'number'
  required?: boolean
  hint?: string
  /** values that are proposed */
  proposed?: readonly string[]
  /** Says what is wrong with a value, if anything. */
  check?: (value: string) => string
  onText?: (value: string) => void
}

/** One line of text. It has to be filled in unless `required` is false. */
export function Field({
  name,
  label,
  hint,
  proposed,
  check,
  onText,
  type = 'text',
  required = true,
  ...rest
}: FieldProps) {
  const id = useId()
  const fault = useContext(FaultsContext)[name]
  // Which attributes go with which type is left to whoever uses it: the union of all types has no room for a variable one.
  const attributes = { type, ...(proposed && { list: `${id}-list` }), ...rest } as InputHTMLAttributes
  return (
    <div class="field-label">
      <label for={id}>
        {label} {!required && <span class="note">{strings.manage.optional}</span>}
      </label>
      <input
        id={id}
        class="field"
        name={name}
        required={required}
        dir="auto"
        spellcheck={false}
        autoComplete="off"
        aria-invalid={fault ? 'true' : undefined}
        aria-describedby={`${id}-hint ${id}-fault`}
        onInput={({ currentTarget: input }) => {
          input.setCustomValidity(check?.(input.value) ?? '')
          onText?.(input.value)
        }}
        {...attributes}
      />
      {hint && (
        <span class="note" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      <Fault id={`${id}-fault`} text={fault} />
      {proposed && (
        <datalist id={`${id}-list`}>
          {proposed.map(value => (
            <option key={value} value={value} />
          ))}
        </datalist>
      )}
    </div>
  )
}

function Fault({ id, text }: { id: string; text: string | undefined }) {
  return text ? (
    <span class="fault" id={id}>
      <bdi>{text}</bdi>
    </span>
  ) : null
}

interface ChoiceProps {
  name: string
  label: string
  value: string
  /** each with what it means */
  options: readonly (readonly [value: string, title: string, text?: string])[]
  onPick?: (value: string) => void
}

/** One of few, each with what it means. */
export function Choice({ name, label, value, options, onPick }: ChoiceProps) {
  const id = useId()
  const fault = useContext(FaultsContext)[name]
  return (
    <fieldset class="choice" aria-describedby={fault && id}>
      <legend>{label}</legend>
      {options.map(([one, title, text]) => (
        <label key={one}>
          <input type="radio" name={name} value={one} defaultChecked={one === value} onChange={() => onPick?.(one)} />
          <span>
            <b>{title}</b> {text && <span class="note">{text}</span>}
          </span>
        </label>
      ))}
      <Fault id={id} text={fault} />
    </fieldset>
  )
}
