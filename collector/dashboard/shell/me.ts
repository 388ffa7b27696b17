/** Who looks at the dashboard, and what may be seen and done. */
import type { Api } from './api.ts'

export const ROLES = ['viewer', 'editor', 'owner'] as const
export type Role = (typeof ROLES)[number]

export interface Site {
  key: string
  domain: string
  consent: string
  timezone: string
  role: Role
}

export interface Me {
  kind: 'owner' | 'account' | 'share' | 'key'
  email: string | null
  /** of the whole deployment */
  owner: boolean
  sites: Site[]
}

export type MeAnswer =
  | { kind: 'me'; me: Me }
  /** `share-password`: a shared link wants its password first; `share-unknown`: it is no more */
  | { kind: 'signed-out' | 'share-password' | 'share-unknown' | 'unreachable' }

/** Asks `GET /api/v2/me`. */
export async function fetchMe(api: Pick<Api, 'get'>): Promise<MeAnswer> {
  const answer = await api.get<Me>('me')
  if (answer.ok) return { kind: 'me', me: answer.body }
  const { code, status } = answer.problem
  if (code === 'share-password' || code === 'share-unknown') return { kind: code }
  return { kind: status === 401 || status === 403 ? 'signed-out' : 'unreachable' }
}

/** Whether somebody with this role may do what takes `wanted`. */
export const mayAs = (role: Role, wanted: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(wanted)
