/** Mailings: what is sent to many, under which consent, and where its links lead. What is registered of one never changes. */
import { randomBytes } from 'node:crypto'
import { type Collection, type Db, MongoServerError } from 'mongodb'
import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { destinationOf, MOST_LINKS, MOST_URL, Utm } from './destination.ts'
import { InstrumentError, type Instrumented, instrument, LEFT, MOST_HTML } from './instrument.ts'

/**
 * What the recipients agreed to: `measure` is a consent to be measured, `deliverability` takes from the pixel the day of the last
 * open and nothing else, `none` has no pixel at all. Links are followed under `measure` alone.
 */
export const POLICIES = ['measure', 'deliverability', 'none'] as const
export type Policy = (typeof POLICIES)[number]

const MOST = { links: MOST_LINKS, mailings: 10_000, count: 1_000_000_000 } as const
const strict = { additionalProperties: false }
const Count = Type.Integer({ minimum: 0, maximum: MOST.count })

/** What a mailing is registered with. */
export const MailingInput = Type.Object(
  {
    /** what reports call it */
    name: Type.String({ minLength: 1, maxLength: 120, pattern: '^[^\\u0000-\\u001f\\u007f]*$' }),
    policy: Type.Enum([...POLICIES]),
    /** where its links lead: the first is link 1 */
    links: Type.Optional(Type.Array(Type.String({ maxLength: MOST_URL }), { maxItems: MOST.links })),
    /** in place of them: the mail, whose links they are; the answer has its template */
    html: Type.Optional(Type.String({ maxLength: MOST_HTML })),
    /** with it: addresses that end the sending of mails, which stay as they are, such as those of `List-Unsubscribe` */
    unsubscribe: Type.Optional(Type.Array(Type.String({ maxLength: MOST_URL }), { maxItems: 20 })),
    /** added to each link that has not said it itself */
    utm: Type.Optional(Utm),
  },
  strict,
)
export type MailingInput = Static<typeof MailingInput>

/** What the sender tells of it, as only he knows; each replaces what was told before. */
export const Told = Type.Object(
  {
    sent: Type.Optional(Count),
    delivered: Type.Optional(Count),
    bounced: Type.Optional(Count),
    unsubscribed: Type.Optional(Count),
  },
  strict,
)
export type Told = Static<typeof Told>

/** As the API answers it. */
export const MailingOutput = Type.Object({
  /** 8 hexadecimal digits */
  id: Type.String({ pattern: '^[0-9a-f]{8}$' }),
  name: Type.String(),
  policy: Type.Enum([...POLICIES]),
  links: Type.Array(Type.String()),
  created: Type.String({ format: 'date-time' }),
  /** for so many recipients tokens were minted, each time that they were */
  minted: Type.Integer(),
  /** so many withdrew naming this mailing */
  withdrawn: Type.Integer(),
  /** opens and clicks that came while nothing could be written */
  uncounted: Type.Object({ opens: Type.Integer(), clicks: Type.Integer() }),
  ...Told.properties,
})

/** Of a mailing that was registered with its mail. */
export const TemplateOutput = Type.Object({
  /** with places for pixel and links, which `fill` fills in, or any other replacement of texts */
  template: Type.String(),
  /** links that stay as they are */
  left: Type.Array(Type.Object({ href: Type.String(), why: Type.Enum(Object.keys(LEFT) as (keyof typeof LEFT)[]) })),
})

/** What registering answers: with the template, where it was given a mail. */
export type Registered = Mailing & Partial<Pick<Instrumented, 'template' | 'left'>>

export interface Mailing extends Told {
  id: string
  site: string
  name: string
  policy: Policy
  /** with what was added */
  links: string[]
  created: Date
  minted: number
  withdrawn: number
  uncounted: { opens: number; clicks: number }
}

export interface MailingDocument extends Omit<Mailing, 'id'> {
  /** its number in tokens */
  _id: number
}

export class MailingError extends Error {
  override name = 'MailingError'
  readonly why: 'invalid' | 'unknown' | 'too-many'
  constructor(why: MailingError['why'], message: string) {
    super(message)
    this.why = why
  }
}

const DURABLE = { writeConcern: { w: 'majority', journal: true } } as const
export const mailings = (db: Db): Collection<MailingDocument> => db.collection<MailingDocument>('mailings')
export const idOf = (number: number): string => number.toString(16).padStart(8, '0')
const numberOf = (id: string): number => (/^[0-9a-f]{8}$/.test(id) ? Number.parseInt(id, 16) : -1)
export const toMailing = ({ _id, ...rest }: MailingDocument): Mailing => ({ id: idOf(_id), ...rest })

const isInput = Compile(MailingInput)
const isTold = Compile(Told)
const MEANS: Record<string, string> = {
  name: 'the name takes 1 to 120 printable characters',
  policy: `the policy is one of ${POLICIES.join(', ')}: what the recipients have agreed to`,
  links: `"links" takes up to ${MOST.links} addresses, each of at most ${MOST_URL} characters`,
  html: `"html" is the mail, of at most ${MOST_HTML} characters`,
  unsubscribe: '"unsubscribe" takes up to 20 addresses',
  utm: '"utm" takes source, medium, campaign, term and content, each of 1 to 255 characters',
}

/** @throws MailingError naming the first mistake */
function readInput(input: unknown): {
  given: Pick<Mailing, 'name' | 'policy' | 'links'>
  made: Partial<Pick<Instrumented, 'template' | 'left'>>
} {
  if (!isInput.Check(input)) {
    const [error] = isInput.Errors(input)
    const [, field = ''] = error?.instancePath.split('/') ?? []
    const missing = !(input as { name?: unknown } | null)?.name ? 'name' : 'policy'
    const known =
      'a mailing has a name, a policy, and may have "links" or "html" with "unsubscribe", and "utm", and no more'
    throw new MailingError('invalid', MEANS[field] ?? (error?.keyword === 'required' ? MEANS[missing] : known) ?? known)
  }
  const { name, policy, html, unsubscribe = [], utm = {} } = input
  if (html !== undefined && input.links)
    throw new MailingError('invalid', 'a mailing has "links", or "html" with its links in it')
  const { links = input.links ?? [], ...made } = html === undefined ? {} : read(html, unsubscribe)
  const destinations = links.map((link, i) => {
    const destination = destinationOf(link, utm)
    if (destination !== undefined) return destination
    throw new MailingError('invalid', `link ${i + 1} is a whole address with http: or https:, and without a password`)
  })
  return { given: { name, policy, links: destinations }, made }
}

function read(html: string, unsubscribe: readonly string[]): Instrumented {
  try {
    return instrument(html, { unsubscribe })
  } catch (error) {
    throw error instanceof InstrumentError ? new MailingError('invalid', error.message) : error
  }
}

/** @throws MailingError */
export async function addMailing(db: Db, site: string, input: unknown): Promise<Registered> {
  const { given, made: template } = readInput(input)
  if ((await mailings(db).estimatedDocumentCount()) >= MOST.mailings)
    throw new MailingError('too-many', `there are ${MOST.mailings} mailings already`)
  const document = { site, ...given, minted: 0, withdrawn: 0, uncounted: { opens: 0, clicks: 0 } }
  for (;;) {
    const made = await insert(db, randomBytes(4).readUInt32BE(), document)
    if (made) return { ...toMailing(made), ...template }
  }
}

/** By the server's clock, which collectors follow. `undefined` where another one has this number. */
async function insert(db: Db, number: number, document: Omit<MailingDocument, '_id' | 'created'>) {
  const filter = { _id: number, created: { $exists: false } }
  const change = { $setOnInsert: document, $currentDate: { created: true as const } }
  const options = { upsert: true, returnDocument: 'after', ...DURABLE } as const
  return await mailings(db)
    .findOneAndUpdate(filter, change, options)
    .catch(error => {
      if (error instanceof MongoServerError && error.code === 11000) return null
      throw error
    })
}

/** Newest first. @param limit 1 to 1,000 */
export async function listMailings(db: Db, site: string, limit = 100): Promise<Mailing[]> {
  return (await mailings(db).find({ site }).sort({ created: -1 }).limit(limit).toArray()).map(toMailing)
}

const unknown = (site: string, id: string) =>
  new MailingError('unknown', `the site "${site}" has no mailing "${id}": \`livetag email list ${site}\` shows them`)

/** @throws MailingError when the site has none of this id */
export async function findMailing(db: Db, site: string, id: string): Promise<Mailing> {
  const found = await mailings(db).findOne({ _id: numberOf(id), site })
  if (!found) throw unknown(site, id)
  return toMailing(found)
}

/** @throws MailingError */
export async function tellMailing(db: Db, site: string, id: string, told: unknown): Promise<Mailing> {
  if (!isTold.Check(told) || Object.keys(told).length === 0)
    throw new MailingError('invalid', 'say sent, delivered, bounced or unsubscribed: whole numbers')
  const options = { returnDocument: 'after', ...DURABLE } as const
  const changed = await mailings(db).findOneAndUpdate({ _id: numberOf(id), site }, { $set: told }, options)
  if (!changed) throw unknown(site, id)
  return toMailing(changed)
}

/** Counts up what became of a mailing. */
export async function raise(db: Db, id: string, by: { minted: number } | { withdrawn: number }): Promise<void> {
  await mailings(db).updateOne({ _id: numberOf(id) }, { $inc: by }, DURABLE)
}
