/** Which forms are begun, given up or sent, and at which field. What is in a field is never read. */
import { at, on } from './safely.ts'
import { track } from './track.ts'

/** Not the property: in a form, a field with the name `name` hides the form's own. */
const nameOf = (element: Element) => element.getAttribute('name') || element.getAttribute('id')

export const forms = () => {
  /** forms that were begun in this view and not sent, each with the field that was last changed; also those that are gone */
  const begun = new Map<Element, Element>()
  const tell = (kind: string, form: Element, field = begun.get(form)) => {
    begun.delete(form)
    track('form', { kind, form: nameOf(form), field: nameOf(field as Element) })
  }
  on('input', event => {
    const field = event.composedPath()[0] as HTMLInputElement
    const form = field.form as HTMLFormElement
    if (!begun.has(form)) {
      // Throws where a field is in no form. That one in a shadow root is sent is heard nowhere outside.
      on('submit', () => tell('submit', form), form)
      tell('start', form, field)
    }
    begun.set(form, field as HTMLInputElement)
  })
  at('leave', () => {
    for (const form of begun.keys()) tell('abandon', form)
  })
}
