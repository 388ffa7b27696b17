import { useRef } from 'preact/hooks'

/** A figure that shows for a moment that it is another one than before. */
export function Changing({ text }: { text: string }) {
  const held = useRef(text)
  const hasChanged = useRef(false)
  if (held.current !== text) {
    held.current = text
    hasChanged.current = true
  }
  // Made anew with each change, so that what moves begins again.
  return (
    <span key={text} class={hasChanged.current ? 'changed' : undefined}>
      {text}
    </span>
  )
}
