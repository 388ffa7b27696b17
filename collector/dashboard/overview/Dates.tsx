import { useState } from 'preact/hooks'
import { strings } from '../strings.ts'
import { Dialog } from '../ui/Dialog.tsx'
import { nameOf } from './dates.ts'
import { useReport } from './report.ts'

/** Chooses first and last day. */
export function Dates({ onClose }: { onClose(): void }) {
  const { days, day, change } = useReport()
  const [isWrong, setWrong] = useState(false)
  const words = strings.overview
  const field = (name: 'first' | 'last', label: string) => (
    <label class="field-label">
      {label}
      <input
        class="field"
        type="date"
        name={name}
        required
        min="1971-01-01"
        max={day}
        defaultValue={[days?.[name] ?? day, day].sort()[0]}
        aria-describedby={isWrong ? 'dates-wrong' : undefined}
      />
    </label>
  )
  const send = (event: SubmitEvent & { currentTarget: HTMLFormElement }) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const [first, last] = [String(form.get('first')), String(form.get('last'))]
    if (first > last) return setWrong(true)
    onClose()
    change({ range: nameOf({ first, last }, day) })
  }
  return (
    <Dialog title={words.custom} onClose={onClose}>
      <form class="form" onSubmit={send}>
        {isWrong && (
          <p class="error" role="alert" id="dates-wrong">
            {words.wrongDates}
          </p>
        )}
        {field('first', words.from)}
        {field('last', words.to)}
        <button type="submit" class="button primary">
          {words.showDates}
        </button>
      </form>
    </Dialog>
  )
}
