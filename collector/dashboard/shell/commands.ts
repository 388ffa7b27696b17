/** What can be done by keyboard: each view says what it offers while it is shown. */
import { useLayoutEffect } from 'preact/hooks'

export interface Command {
  id: string
  title: string
  /** one character that does it at once, where no text is being written */
  key?: string
  run(): void
}

export interface Commands {
  list(): Command[]
  /** Offers these until the result is called. */
  offer(commands: Command[]): () => void
  /** Called after each change. */
  subscribe(call: () => void): () => void
}

export function createCommands(): Commands {
  const offers = new Set<Command[]>()
  const calls = new Set<() => void>()
  const changed = () => {
    for (const call of calls) call()
  }
  return {
    list: () => [...offers].flat(),
    offer(commands) {
      offers.add(commands)
      changed()
      return () => {
        offers.delete(commands)
        changed()
      }
    },
    subscribe(call) {
      calls.add(call)
      return () => void calls.delete(call)
    },
  }
}

/** Offers commands while a view is shown. @param make called anew when one of `inputs` changes */
export function useCommands(commands: Commands, make: () => Command[], inputs: readonly unknown[]): void {
  // With what is drawn, not some time after it: a key that is pressed next is meant for what is on the screen.
  useLayoutEffect(() => commands.offer(make()), [commands, ...inputs])
}
