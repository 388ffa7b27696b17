/** Measures a share of the visitors: one is in or out for good, by what the visitor's id is, so nothing more is kept. */
import { options } from './options.ts'
import { at } from './safely.ts'

/** From 0 up to 1, evenly: FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), 32 bits of it mixed once more, as ids are short. */
const placeOf = (id: string): number => {
  let hash = 0x811c9dc5
  for (const letter of id) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32
}

/** Where no id may be kept, or no script can read it, a session is in or out. A withdrawal names neither: it goes as what was before it. */
export const sample = () => {
  let out = false
  at('send', envelope => {
    const { i, k } = envelope
    const id = i === '-' ? k : (i ?? k)
    if (id) out = placeOf(id) >= Number(options.sample)
    if (out) envelope.e = []
  })
}
