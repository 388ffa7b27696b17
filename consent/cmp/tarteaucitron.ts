/**
 * tarteaucitron.js: `tarteaucitron.state` and its events, https://github.com/AmauriC/tarteaucitron.js, as of version 1.34.
 *
 * A service has the state `true` or `false` when it is decided, and none or `wait` before.
 */
import { decide } from '../../tag/decide.ts'
import { options } from '../../tag/options.ts'
import { on } from '../../tag/safely.ts'
import { CMP } from '../ranks.ts'
import { AGREED } from '../state.ts'

/** The service is the one with the key `livetag`, unless the site's `category` says otherwise. */
export const tarteaucitron = () => {
  const key = options.category ?? 'livetag'
  const read = () => {
    const state = (window as unknown as { tarteaucitron: { state: Record<string, unknown> } }).tarteaucitron.state[key]
    decide(CMP, typeof state === 'boolean' && (state ? AGREED : []), 'tarteaucitron')
  }
  on('tac.consent_updated', read)
  // A stored answer comes with the service, without an event of its own.
  on(`${key}_added`, read)
  // Throws where it has not loaded yet: then the events come.
  read()
}
