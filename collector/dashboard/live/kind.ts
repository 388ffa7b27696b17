/** Which color an event's name gets. The name itself is always written beside it. */
export type Kind = 'view' | 'click' | 'read' | 'form' | 'consent' | 'error' | 'mail' | 'own'

const kinds: Record<string, Kind> = {
  pageview: 'view',
  click: 'click',
  scroll: 'read',
  impression: 'read',
  engagement: 'read',
  media: 'read',
  form: 'form',
  identify: 'consent',
  consent: 'consent',
  error: 'error',
  vitals: 'read',
  email_open: 'mail',
  email_click: 'mail',
}

/** Names that the tag does not make by itself are the owner's own. */
export const kindOf = (name: string): Kind => (Object.hasOwn(kinds, name) ? (kinds[name] ?? 'own') : 'own')
