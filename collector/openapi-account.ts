/** What of the description is about who asks: accounts, and tickets of shared links. */
import type { TSchema } from 'typebox'
import { AccountInput, AccountOutput, MeOutput, PasswordInput } from './account-api.ts'
import { answers, body, OF_ALL, OF_CHANGES, one, type Problems, type Schema } from './openapi-parts.ts'
import { TicketInput, TicketOutput } from './shares-api.ts'

/** By the names under which they stand in the description. */
export const ACCOUNT_SCHEMAS: Readonly<Record<string, TSchema>> = {
  Me: MeOutput,
  AccountInput,
  Account: AccountOutput,
  PasswordInput,
  TicketInput,
  Ticket: TicketOutput,
}

export function describeAccounts(problems: Problems): Schema {
  const answer = answers(problems)
  return {
    '/me': {
      get: {
        operationId: 'me',
        summary: 'Who asks, and what may be done with which sites',
        ...answer(200, 'who asks', one('Me'), OF_ALL),
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
