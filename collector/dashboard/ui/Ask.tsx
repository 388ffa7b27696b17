import type { ComponentProps } from 'preact'
import { Dialog } from './Dialog.tsx'
import { Form } from './Form.tsx'

interface AskProps extends ComponentProps<typeof Form> {
  title: string
  /** what will happen */
  text?: string
  onCancel(): void
}

/** Asks once, saying what will happen, before it is done. */
export function Ask({ title, text, children, ...form }: AskProps) {
  return (
    <Dialog title={title} onClose={form.onCancel}>
      {text && <p>{text}</p>}
      <Form {...form}>{children}</Form>
    </Dialog>
  )
}
