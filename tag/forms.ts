/** Which forms are begun, given up or sent, and at which field. What is in a field is never read. */
import { at, on } from './safely.ts'
import { track } from './track.ts'

/** Not the property: in a form, a field with the name `name` hides the form's own. */
const nameOf = (element?: Element) => element?.getAttribute('name') || element?.getAttribute('id')

export const forms = () => {
  /** forms that were begun in this view and not sent, each with the field that was last changed; also those that are gone */
  const begun = new Map<Element, Element>()
  const tell = (kind: string, form: Element) => {
    const field = begun.get(form)
    if (field) track('form', { kind, form: nameOf(form), field: nameOf(field) })
    if (kind !== 'start') begun.delete(form)
  }
  on(
    window,
    'input',
    event => {
      const [field] = event.composedPath() as HTMLInputElement[]
      const form = field?.form
      if (!form) return
      const first = !begun.has(form)
      begun.set(form, field)
      if (first) {
        tell('start', form)
        // That a form in a shadow root is sent is heard nowhere outside.
        on(form, 'submit', () => tell('submit', form))
      }
    },
    true,
  )
  at('leave', () => {
    for (const form of begun.keys()) tell('abandon', form)
  })
}
