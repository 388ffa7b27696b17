import { useShell } from '../shell/context.ts'
import { strings } from '../strings.ts'
import { isFiltered } from './params.ts'
import { useReport } from './report.ts'
import { nameOfValue } from './words.ts'

/** The name of a row: a click shows only this, with Alt (or the button) all but this. */
export function Value({ dim, value }: { dim: string; value: string }) {
  const { go, address } = useShell()
  const { shown, href, clicked, change } = useReport()
  const name = nameOfValue(dim, value) || strings.overview.none
  const isOn = isFiltered(shown.filters, dim, value)
  const { details } = address.params
  // A long list is done when something in it was chosen.
  const choose = (excludes: boolean) => {
    const f = clicked(dim, value, excludes)
    details ? go({ params: { ...address.params, ...f, details: '' } }) : change(f)
  }
  return (
    <>
      <a
        class="value"
        href={href({ ...clicked(dim, value), details: '' })}
        title={`${name}\n${strings.overview.altHint}`}
        aria-current={isOn ? 'true' : undefined}
        onClick={event => {
          if (event.button || event.metaKey || event.ctrlKey || event.shiftKey) return
          event.preventDefault()
          choose(event.altKey)
        }}
      >
        <bdi dir="auto">{name}</bdi>
      </a>
      <button
        type="button"
        class="but-this"
        aria-label={strings.overview.exclude(name)}
        title={strings.overview.exclude(name)}
        onClick={() => choose(true)}
      />
    </>
  )
}
