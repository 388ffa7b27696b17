/** What of the description is about sites, people, API keys, shared links and who asks. */
import type { TSchema } from 'typebox'
import { AccountInput, AccountOutput, MeOutput, PasswordInput } from './account-api.ts'
import { KeyInput, KeyOutput, NewKeyOutput } from './keys-api.ts'
import type { Code } from './openapi-lists.ts'
import { InvitedOutput, PersonChange, PersonInput, PersonOutput } from './people-api.ts'
import { ShareInput, ShareOutput, TicketInput, TicketOutput } from './shares-api.ts'
import { SiteChange, SiteInput, SiteOutput } from './sites-api.ts'

type Schema = { [key: string]: unknown }
interface Parts {
  ref(name: string): Schema
  problems(codes: readonly Code[]): Schema
}

/** By the names under which they stand in the description. */
export const PEOPLE_SCHEMAS: Readonly<Record<string, TSchema>> = {
  Me: MeOutput,
  SiteInput,
  SiteChange,
  Site: SiteOutput,
  KeyInput,
  Key: KeyOutput,
  NewKey: NewKeyOutput,
  PersonInput,
  PersonChange,
  Person: PersonOutput,
  Invited: InvitedOutput,
  ShareInput,
  Share: ShareOutput,
  AccountInput,
  Account: AccountOutput,
  PasswordInput,
  TicketInput,
  Ticket: TicketOutput,
}

const OF_ALL = ['not-signed-in', 'share-unknown', 'share-password', 'unavailable'] as const
const OF_SITES = [...OF_ALL, 'parameter-invalid', 'not-allowed', 'site-unknown'] as const
const OF_CHANGES = [...OF_SITES, 'cross-site', 'body-invalid', 'body-too-large'] as const

const text = { type: 'string' }
const inQuery = (name: string, description: string): Schema => ({
  name,
  in: 'query',
  required: true,
  schema: text,
  description,
})
const site = inQuery('site', 'key of the site')

export function describePeople({ ref, problems }: Parts): Schema {
  const json = (schema: Schema): Schema => ({ content: { 'application/json': { schema } } })
  const listOf = (field: string, name: string): Schema =>
    json({ type: 'object', required: [field], properties: { [field]: { type: 'array', items: ref(name) } } })
  const body = (name: string): Schema => ({ requestBody: { required: true, ...json(ref(name)) } })
  const answer = (status: number, description: string, content: Schema, codes: readonly Code[]): Schema => ({
    responses: { [status]: { description, ...content }, ...problems(codes) },
  })
  const one = (name: string) => json(ref(name))
  return {
    '/me': {
      get: {
        operationId: 'me',
        summary: 'Who asks, and what may be done with which sites',
        ...answer(200, 'who asks', one('Me'), OF_ALL),
      },
    },
    '/sites': {
      get: {
        operationId: 'listSites',
        summary: 'The sites that may be read',
        ...answer(200, 'in the order in which they were made', listOf('sites', 'Site'), OF_ALL),
      },
      post: {
        operationId: 'addSite',
        summary: 'Makes a site; for the deployment’s owners',
        ...body('SiteInput'),
        ...answer(201, 'the site', one('Site'), [...OF_CHANGES, 'site-invalid', 'site-exists']),
      },
      patch: {
        operationId: 'setSite',
        summary: 'Changes what is given; takes the role editor, or the scope admin',
        parameters: [site],
        ...body('SiteChange'),
        ...answer(200, 'the site', one('Site'), [...OF_CHANGES, 'site-invalid']),
      },
    },
    '/keys': {
      get: {
        operationId: 'listKeys',
        summary: 'API keys of a site; takes the role owner',
        parameters: [site],
        ...answer(200, 'in the order in which they were made', listOf('keys', 'Key'), OF_SITES),
      },
      post: {
        operationId: 'addKey',
        summary: 'Makes an API key; takes the role owner',
        parameters: [site],
        ...body('KeyInput'),
        ...answer(201, 'the key, whole this once', one('NewKey'), [...OF_CHANGES, 'key-invalid', 'too-many-keys']),
      },
      delete: {
        operationId: 'revokeKey',
        summary: 'Makes an API key worthless; takes the role owner',
        parameters: [site, inQuery('start', 'its first characters, as it is listed')],
        ...answer(204, 'it is worthless', {}, [...OF_CHANGES, 'key-unknown']),
      },
    },
    '/people': {
      get: {
        operationId: 'listPeople',
        summary: 'Who may do what with a site, and who is invited; takes the role owner',
        parameters: [site],
        ...answer(200, 'in the order in which they came', listOf('people', 'Person'), OF_SITES),
      },
      post: {
        operationId: 'addPerson',
        summary: 'Invites somebody, or gives a role; takes the role owner',
        parameters: [site],
        ...body('PersonInput'),
        ...answer(201, 'the person, with a link where an invitation is to be accepted', one('Invited'), [
          ...OF_CHANGES,
          'email-invalid',
          'person-exists',
          'too-many-people',
        ]),
      },
      patch: {
        operationId: 'setRole',
        summary: 'Gives another role; takes the role owner',
        parameters: [site, inQuery('email', 'of the person')],
        ...body('PersonChange'),
        ...answer(200, 'the person', one('Person'), [...OF_CHANGES, 'person-unknown']),
      },
      delete: {
        operationId: 'removePerson',
        summary: 'Takes the role or the invitation away; takes the role owner',
        parameters: [site, inQuery('email', 'of the person')],
        ...answer(204, 'it is gone', {}, [...OF_CHANGES, 'person-unknown']),
      },
    },
    '/shares': {
      get: {
        operationId: 'listShares',
        summary: 'Shared links of a site; takes the role owner',
        parameters: [site],
        ...answer(200, 'in the order in which they were made', listOf('shares', 'Share'), OF_SITES),
      },
      post: {
        operationId: 'addShare',
        summary: 'Makes a link with which anybody reads the site; takes the role owner',
        parameters: [site],
        ...body('ShareInput'),
        ...answer(201, 'the link', one('Share'), [
          ...OF_CHANGES,
          'share-invalid',
          'password-invalid',
          'too-many-shares',
          'passwords-busy',
        ]),
      },
      delete: {
        operationId: 'removeShare',
        summary: 'Makes a shared link worthless; takes the role owner',
        parameters: [site, inQuery('id', 'of the link')],
        ...answer(204, 'it is worthless', {}, [...OF_CHANGES, 'share-unknown']),
      },
    },
    '/share-tickets': {
      post: {
        operationId: 'addTicket',
        summary: 'For who knows the password of a shared link',
        security: [],
        ...body('TicketInput'),
        ...answer(201, 'the ticket', one('Ticket'), [
          'body-invalid',
          'body-too-large',
          'share-password-wrong',
          'share-unknown',
          'too-many-attempts',
          'passwords-busy',
          'unavailable',
        ]),
      },
    },
    '/account': {
      post: {
        operationId: 'addAccount',
        summary: 'Makes an account of the owner who came by link or key, to sign in with',
        ...body('AccountInput'),
        ...answer(201, 'the account', one('Account'), [
          ...OF_CHANGES,
          'email-invalid',
          'password-invalid',
          'account-exists',
          'passwords-busy',
        ]),
      },
    },
    '/account/password': {
      post: {
        operationId: 'setPassword',
        summary: 'Gives the account that is signed in another password, and ends its other sign-ins',
        ...body('PasswordInput'),
        ...answer(204, 'it is changed', {}, [
          ...OF_CHANGES,
          'password-wrong',
          'password-invalid',
          'too-many-attempts',
          'passwords-busy',
        ]),
      },
    },
    '/account/sign-out-everywhere': {
      post: {
        operationId: 'signOutEverywhere',
        summary: 'Ends all sign-ins of the account, or of the owner key',
        ...answer(204, 'they have ended', {}, [...OF_ALL, 'not-allowed', 'cross-site']),
      },
    },
  }
}
