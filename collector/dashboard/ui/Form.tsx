import { type ComponentChildren, createContext } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Answer, Problem } from '../shell/api.ts'
import { strings } from '../strings.ts'

/** What is wrong, by the name of the field; under the empty name what is about no field. */
export type Faults = Readonly<Record<string, string>>
export const FaultsContext = createContext<Faults>({})

interface FormProps {
  /** what its button says */
  act: string
  /** Called once at a time, with what is valid by the fields' own constraints. */
  send(form: FormData): Promise<Answer<unknown>>
  /** the field that a problem of this code is about */
  at?: Readonly<Record<string, string>>
  /** it takes something away */
  grave?: boolean
  onCancel?: () => void
  children?: ComponentChildren
}

/** A form that says what is wrong where it is wrong, and takes the focus there. */
export function Form({ act, send, at = {}, grave, onCancel, children }: FormProps) {
  const box = useRef<HTMLFormElement>(null)
  const working = useRef(false)
  const [busy, setBusy] = useState(false)
  const [faults, setFaults] = useState<Faults>({})
  const [failures, fail] = useState(0)
  useEffect(() => box.current?.querySelector<HTMLElement>('[aria-invalid="true"], .error')?.focus(), [failures])

  const add = (name: string, text: string) => {
    setFaults(before => ({ ...before, [name]: text }))
    fail(n => n + 1)
  }
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    // A second click while the first is on its way.
    if (working.current || !box.current) return
    working.current = true
    setBusy(true)
    setFaults({})
    const answer = await send(new FormData(box.current))
    working.current = false
    setBusy(false)
    if (!answer.ok) add(at[answer.problem.code] ?? '', problemText(answer.problem))
  }
  return (
    <form
      ref={box}
      class="form"
      onSubmit={submit}
      onInvalidCapture={event => {
        const { name, validity, validationMessage, title } = event.target as HTMLInputElement
        event.preventDefault()
        add(name, validity.patternMismatch && title ? title : validationMessage)
      }}
      onInput={event => {
        const { name } = event.target as HTMLInputElement
        if (name in faults || '' in faults) setFaults(({ [name]: _, '': _all, ...rest }) => rest)
      }}
    >
      {faults[''] && (
        <p class="error" role="alert" tabIndex={-1}>
          <bdi>{faults['']}</bdi>
        </p>
      )}
      <FaultsContext.Provider value={faults}>{children}</FaultsContext.Provider>
      <p class="form-end">
        <button class={`button ${grave ? 'grave' : 'primary'}`} type="submit" aria-disabled={busy}>
          {busy ? strings.manage.busy : act}
        </button>
        {onCancel && (
          <button class="button" type="button" onClick={onCancel}>
            {strings.manage.cancel}
          </button>
        )}
      </p>
    </form>
  )
}

/** What to say of a problem: our own words where there are some, else the collector's. */
export const problemText = ({ code, title, detail }: Problem): string => {
  const own: Readonly<Record<string, string>> = strings.manage.problems
  return own[code] ?? detail ?? title
}
