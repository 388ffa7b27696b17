/** A mailing and what is minted for its recipients, as a sender's system would ask for it. */
import { expect } from 'vitest'
import type { Mailing } from '../../collector/email/index.ts'
import { CHROME, type TestCollector } from '../fixtures/collector.ts'

export interface Minted {
  recipient: string
  pixel: string
  links: string[]
  withdrawn?: true
}

export const LINKS = ['https://shop.example/sale', 'https://shop.example/new?color=red#top', 'https://other.example/']

export const post = (it: TestCollector, path: string, body: unknown, headers: HeadersInit = {}): Promise<Response> =>
  it.ask(`/api/v2/mailings${path}`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers,
  })

export async function makeMailing(it: TestCollector, change: object = {}): Promise<Mailing> {
  const response = await post(it, '?site=shop', { name: 'March', policy: 'measure', links: LINKS, ...change })
  expect(response.status).toBe(201)
  return (await response.json()) as Mailing
}

export async function mint(it: TestCollector, { id }: Mailing, recipients: string[]): Promise<Minted[]> {
  const body = recipients.map(recipient => JSON.stringify({ recipient })).join('\n')
  const response = await post(it, `/${id}/mint?site=shop`, body)
  expect(response.headers.get('content-type')).toContain('application/x-ndjson')
  const lines = (await response.text()).split('\n').filter(line => line !== '')
  return lines.map(line => JSON.parse(line) as Minted)
}

/** Asks for a pixel or a link, as a client with this agent would. */
export const visit = (
  it: TestCollector,
  path: string,
  init: RequestInit & { agent?: string } = {},
): Promise<Response> =>
  fetch(it.url + path, {
    redirect: 'manual',
    ...init,
    headers: { 'user-agent': init.agent ?? CHROME, ...init.headers },
  })

/** How many documents each collection has. */
export async function countAll({ db }: TestCollector): Promise<Record<string, number>> {
  const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name)
  const counts = names
    .filter(name => !name.startsWith('system.'))
    .sort()
    .map(async name => [name, await db.collection(name).countDocuments()] as const)
  return Object.fromEntries(await Promise.all(counts))
}
