/** What people may do with a site: one table. */
export const ROLES = ['owner', 'editor', 'viewer'] as const
export type Role = (typeof ROLES)[number]

/**
 * `read` asks for counts and watches live, `records` reads proofs of consent, `write` sends events, `admin` changes goals,
 * properties and settings, `own` sees and changes people, API keys and shared links.
 */
export type Right = 'read' | 'records' | 'write' | 'admin' | 'own'

export const RIGHTS: Readonly<Record<Role, readonly Right[]>> = {
  viewer: ['read', 'records'],
  editor: ['read', 'records', 'admin'],
  owner: ['read', 'records', 'write', 'admin', 'own'],
}

export const isRole = (text: unknown): text is Role => ROLES.some(role => role === text)
