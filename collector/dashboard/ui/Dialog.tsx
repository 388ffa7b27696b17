import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { strings } from '../strings.ts'

interface DialogProps {
  title: string
  onClose(): void
  children: ComponentChildren
  class?: string
}

/** A modal dialog: the browser keeps the focus in it, gives it back, and closes it by Escape. */
export function Dialog({ title, onClose, children, class: name }: DialogProps) {
  const box = useRef<HTMLDialogElement>(null)
  const closed = useRef(onClose)
  closed.current = onClose
  // With what is drawn: Escape that is pressed next is meant for it.
  useLayoutEffect(() => {
    const dialog = box.current
    dialog?.showModal()
    return () => {
      // It is gone for another reason: its closing, which is told later, is nobody's wish.
      closed.current = () => {}
      dialog?.close()
    }
  }, [])
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it, and the button does
    <dialog
      ref={box}
      class={`dialog ${name ?? ''}`}
      aria-label={title}
      onClose={() => closed.current()}
      onClick={event => event.target === event.currentTarget && onClose()}
    >
      <div class="dialog-body">
        <div class="panel-head">
          <h2>{title}</h2>
          <button type="button" class="button quiet-button" onClick={onClose} aria-label={strings.shell.close}>
            ×
          </button>
        </div>
        {children}
      </div>
    </dialog>
  )
}
