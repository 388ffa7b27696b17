/** What can be wrong with what is asked of people, their sign-ins and shared links. */
export type PeopleFault =
  | 'email-invalid'
  | 'role-invalid'
  | 'password-invalid'
  | 'password-wrong'
  | 'account-exists'
  | 'person-exists'
  | 'person-unknown'
  | 'too-many-people'
  | 'invite-used'
  | 'share-invalid'
  | 'share-unknown'
  | 'too-many-shares'

export class PeopleError extends Error {
  override name = 'PeopleError'
  readonly why: PeopleFault
  constructor(why: PeopleFault, message: string) {
    super(message)
    this.why = why
  }
}
