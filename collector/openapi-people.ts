/** What of the description is about sites, people, API keys and shared links. */
import type { TSchema } from 'typebox'
import { KeyInput, KeyOutput, NewKeyOutput } from './keys-api.ts'
import {
  answers,
  body,
  inQuery,
  listOf,
  OF_ALL,
  OF_CHANGES,
  OF_SITES,
  one,
  type Problems,
  ref,
  type Schema,
  SITE,
} from './openapi-parts.ts'
import { InvitedOutput, PersonChange, PersonInput, PersonOutput } from './people-api.ts'
import { ShareInput, ShareOutput } from './shares-api.ts'
import { SiteChange, SiteInput, SiteOutput } from './sites-api.ts'

/** By the names under which they stand in the description. */
export const PEOPLE_SCHEMAS: Readonly<Record<string, TSchema>> = {
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
}

export function describePeople(problems: Problems): Schema {
  const answer = answers(problems)
  return {
    '/sites': {
      get: {
        operationId: 'listSites',
        summary: 'The sites that may be read',
        ...answer(200, 'in the order in which they were made', listOf('sites', ref('Site')), OF_ALL),
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
        parameters: [SITE],
        ...body('SiteChange'),
        ...answer(200, 'the site', one('Site'), [...OF_CHANGES, 'site-invalid']),
      },
    },
    '/keys': {
      get: {
        operationId: 'listKeys',
        summary: 'API keys of a site; takes the role owner',
        parameters: [SITE],
        ...answer(200, 'in the order in which they were made', listOf('keys', ref('Key')), OF_SITES),
      },
      post: {
        operationId: 'addKey',
        summary: 'Makes an API key; takes the role owner',
        parameters: [SITE],
        ...body('KeyInput'),
        ...answer(201, 'the key, whole this once', one('NewKey'), [...OF_CHANGES, 'key-invalid', 'too-many-keys']),
      },
      delete: {
        operationId: 'revokeKey',
        summary: 'Makes an API key worthless; takes the role owner',
        parameters: [SITE, inQuery('start', 'its first characters, as it is listed')],
        ...answer(204, 'it is worthless', {}, [...OF_CHANGES, 'key-unknown']),
      },
    },
    '/people': {
      get: {
        operationId: 'listPeople',
        summary: 'Who may do what with a site, and who is invited; takes the role owner',
        parameters: [SITE],
        ...answer(200, 'in the order in which they came', listOf('people', ref('Person')), OF_SITES),
      },
      post: {
        operationId: 'addPerson',
        summary: 'Invites somebody, or gives a role; takes the role owner',
        parameters: [SITE],
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
        parameters: [SITE, inQuery('email', 'of the person')],
        ...body('PersonChange'),
        ...answer(200, 'the person', one('Person'), [...OF_CHANGES, 'person-unknown']),
      },
      delete: {
        operationId: 'removePerson',
        summary: 'Takes the role or the invitation away; takes the role owner',
        parameters: [SITE, inQuery('email', 'of the person')],
        ...answer(204, 'it is gone', {}, [...OF_CHANGES, 'person-unknown']),
      },
    },
    '/shares': {
      get: {
        operationId: 'listShares',
        summary: 'Shared links of a site; takes the role owner',
        parameters: [SITE],
        ...answer(200, 'in the order in which they were made', listOf('shares', ref('Share')), OF_SITES),
      },
      post: {
        operationId: 'addShare',
        summary: 'Makes a link with which anybody reads the site; takes the role owner',
        parameters: [SITE],
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
        parameters: [SITE, inQuery('id', 'of the link')],
        ...answer(204, 'it is worthless', {}, [...OF_CHANGES, 'share-unknown']),
      },
    },
  }
}
