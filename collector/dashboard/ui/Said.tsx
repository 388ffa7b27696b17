import { useEffect } from 'preact/hooks'
import { createStore, useStore } from '../shell/store.ts'

const said = createStore('')
/** How long it is shown, ms */
const SHOWN_FOR = 6_000

/** Tells that something was done: on the screen and to a screen reader. */
export const say = (text: string): void => said.set(text)

/** Where {@link say} is heard. */
export function Said() {
  const text = useStore(said)
  useEffect(() => {
    if (!text) return
    const timer = setTimeout(() => said.set(''), SHOWN_FOR)
    return () => clearTimeout(timer)
  }, [text])
  return (
    <p class="said" role="status">
      {text}
    </p>
  )
}
