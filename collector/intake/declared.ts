/** What events are counted by: the properties that their site has declared, as this collector knows it at that moment. */
import type { JournalEvent } from '../journal/index.ts'
import type { Property, Site } from '../sites/index.ts'

type Declared = JournalEvent['declared']

/** One list as long as the site stays as it is: envelopes are compared by it when they are stored. */
const held = new WeakMap<readonly Property[], Declared>()

export function declaredBy({ properties }: Pick<Site, 'properties'>): Declared {
  if (!properties || properties.length === 0) return undefined
  const known = held.get(properties)
  if (known) return known
  const names = properties.map(({ name }) => name)
  held.set(properties, names)
  return names
}

/** Estimate of what it takes in the raw record, bytes. */
export const sizeOfDeclared = (declared: Declared): number =>
  declared ? declared.reduce((sum, name) => sum + 2 * name.length + 10, 20) : 0
