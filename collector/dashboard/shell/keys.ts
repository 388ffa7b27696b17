/** Keyboard shortcuts: Ctrl or ⌘ with K opens the palette, single characters run the commands that have one. */
import type { Commands } from './commands.ts'

/** WCAG 2.2, 2.1.4: single characters can be turned off, as they trip those who speak to their device. */
const OFF = 'livetag-keys-off'

export function keysAreOff(): boolean {
  try {
    return localStorage.getItem(OFF) !== null
  } catch {
    return false
  }
}

export function switchKeys(): void {
  try {
    if (keysAreOff()) localStorage.removeItem(OFF)
    else localStorage.setItem(OFF, '1')
  } catch {
    // Storage may be refused: then they stay on.
  }
}

/** Listens until the result is called. */
export function listenForKeys(commands: Commands, openPalette: () => void): () => void {
  const pressed = (event: KeyboardEvent) => {
    if (event.isComposing || event.altKey || event.defaultPrevented) return
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault()
      return openPalette()
    }
    if (event.ctrlKey || event.metaKey || isWriting(event.target) || document.querySelector('dialog[open]')) return
    if (keysAreOff()) return
    if (event.key === '?') return openPalette()
    const command = commands.list().find(({ key }) => key === event.key)
    if (!command) return
    event.preventDefault()
    command.run()
  }
  document.addEventListener('keydown', pressed)
  return () => document.removeEventListener('keydown', pressed)
}

const isWriting = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
