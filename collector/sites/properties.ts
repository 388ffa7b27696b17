/**
 * Declared properties of a site: those by whose values its events are counted, so that reports need not look at each event.
 * They are a field of the site's document, as goals are. An event is counted by what its site had declared when it came:
 * intake decides that once and writes it into the journal with the event.
 */
import type { Collection, Db } from 'mongodb'
import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'

/** How many properties a site may declare: each event is counted by all of them. */
export const MOST_PROPERTIES = 20
/** Characters of a name, as at the door. */
const MOST_NAME = 100

/** What a property is declared as. */
export const PropertyInput = Type.Object(
  {
    /** as events have it; no event may have one that begins with `$`, or has a `.` */
    name: Type.String({ minLength: 1, maxLength: MOST_NAME, pattern: '^(?!\\$)[^.\\u0000-\\u001f\\u007f]*$' }),
  },
  { additionalProperties: false },
)
export type PropertyInput = Static<typeof PropertyInput>

/** As the API answers it. */
export const PropertyOutput = Type.Object({ ...PropertyInput.properties, since: Type.String({ format: 'date-time' }) })

/** As it is stored and acts. */
export interface Property extends PropertyInput {
  /** when it was declared: of ranges from before the events themselves are asked */
  since: Date
}

const isProperty = Compile(PropertyInput)

export class PropertyError extends Error {
  override name = 'PropertyError'
  readonly why: 'invalid' | 'exists' | 'unknown' | 'too-many'
  constructor(why: PropertyError['why'], message: string) {
    super(message)
    this.why = why
  }
}

type SiteProperties = { _id: string; properties?: Property[]; internal?: true }
const collection = (db: Db): Collection<SiteProperties> => db.collection<SiteProperties>('sites')
const DURABLE = { writeConcern: { w: 'majority', journal: true } } as const

/**
 * Declares a property. Two that are declared at the same time are both checked.
 * @throws PropertyError
 */
export async function addProperty(db: Db, site: string, input: unknown, since: Date): Promise<Property> {
  if (!isProperty.Check(input) || !input.name.isWellFormed())
    throw new PropertyError(
      'invalid',
      `a property is its name, and no more: 1 to ${MOST_NAME} printable characters without ".", of which the first is no "$"`,
    )
  const { name } = input
  const property: Property = { name, since }
  const { matchedCount } = await collection(db).updateOne(
    {
      _id: site,
      internal: { $exists: false },
      'properties.name': { $ne: name },
      [`properties.${MOST_PROPERTIES - 1}`]: { $exists: false },
    },
    { $push: { properties: property } },
    DURABLE,
  )
  if (matchedCount === 1) return property
  const held = await listProperties(db, site)
  if (held.some(one => one.name === name))
    throw new PropertyError('exists', `the site "${site}" has declared the property "${name}" already`)
  throw new PropertyError('too-many', `a site declares at most ${MOST_PROPERTIES} properties: remove one first`)
}

/** In the order of their declaration. @throws PropertyError when there is no such site */
export async function listProperties(db: Db, site: string): Promise<Property[]> {
  const found = await collection(db).findOne(
    { _id: site, internal: { $exists: false } },
    { projection: { properties: 1 } },
  )
  if (!found) throw new PropertyError('unknown', `there is no site "${site}": \`livetag site list\` shows them`)
  return found.properties ?? []
}

/** Events keep it, and are asked for it themselves from then on. @throws PropertyError when there is none of this name */
export async function removeProperty(db: Db, site: string, name: string): Promise<void> {
  const { matchedCount } = await collection(db).updateOne(
    { _id: site, 'properties.name': name },
    { $pull: { properties: { name } } },
    DURABLE,
  )
  if (matchedCount === 1) return
  await listProperties(db, site)
  throw new PropertyError(
    'unknown',
    `the site "${site}" has not declared "${name}": \`livetag property list ${site}\` shows what it has`,
  )
}
