/** A request for a mail's pixel or link that is genuine becomes an event, durable when the promise resolves. */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { BlockList } from 'node:net'
import { convert, isTrusted, NOWHERE, type Reason, readAgent, readShared, wholeAddress } from '../intake/index.ts'
import { eventOf, type Journal, type JournalEvent } from '../journal/index.ts'
import type { Sites } from '../sites/index.ts'
import { classify, isMachine, type Verdict } from './classify.ts'
import type { HeldMailing } from './folder.ts'
import type { LastOpens } from './last-opens.ts'
import { idOf } from './mailings.ts'
import type { Recent } from './recent.ts'
import type { Token } from './token.ts'
import type { Withdrawals } from './withdrawals.ts'

/** Somebody asks for what a genuine token stands for. */
export interface Visit {
  of: 'open' | 'click'
  token: Token
  mailing: HeldMailing
  request: IncomingMessage
  /** the socket's address */
  remote: string | undefined
}

/** @returns why nothing was to be counted. @throws when it could not be */
export type Count = (visit: Visit) => Promise<Reason | undefined>

export interface CountParts {
  sites: Pick<Sites, 'get'>
  withdrawals: Pick<Withdrawals, 'silences'>
  journal: Pick<Journal, 'append'>
  lastOpens: Pick<LastOpens, 'note'>
  recent: Recent
  /** addresses of scanners, as the owner knows them */
  scanners: BlockList | undefined
  trustProxy: BlockList
  clock(): number
}

export const EMAIL_EVENTS = { open: 'email_open', click: 'email_click' } as const
const PURPOSES = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz']
const AHEAD = /prefetch|preview|prerender/i
/** What an event of a mail takes in the journal beside its address, bytes. */
const SIZE = 700

export function createCount(parts: CountParts): Count {
  const { sites, withdrawals, journal, lastOpens, recent, scanners, trustProxy, clock } = parts

  const judge = ({ of, token, request, remote }: Visit, now: number): Verdict => {
    const { headers, method = '' } = request
    const userAgent = (headers['user-agent'] ?? '').trim().slice(0, 512)
    const mail = `${token.mailing} ${token.recipient.toString('latin1')}`
    return classify({
      of,
      method,
      userAgent,
      bot: readAgent(userAgent).bot,
      prefetch: PURPOSES.some(name => AHEAD.test(String(headers[name] ?? ''))),
      listed: scanners !== undefined && isTrusted(wholeAddress(request, remote, trustProxy), scanners),
      age: now - token.minted * 1000,
      ...recent.note(mail, method, token.link, now),
    })
  }

  return async visit => {
    const { of, token, mailing, request } = visit
    const site = sites.get(mailing.site)
    if (!site) return 'site-unknown'
    const silent = withdrawals.silences(mailing.site, token.recipient, token.minted)
    // Who may have withdrawn, which can't be looked up now, most probably has.
    if (typeof silent === 'boolean' ? silent : await silent.catch(() => true)) return 'withdrawn'
    const now = clock()
    const verdict = judge(visit, now)
    if (mailing.policy !== 'measure') {
      if (mailing.policy === 'none' || of === 'click') return 'consent-missing'
      if (verdict.class !== 'scanner') await lastOpens.note(mailing.site, token.recipient, now)
      return undefined
    }
    const destination = mailing.links[token.link - 1] ?? ''
    const agent = readAgent(request.headers['user-agent'] ?? '')
    const shared = readShared(site, { p: { u: destination }, c: 'g' }, { agent, place: () => NOWHERE })
    shared.channel = 'email'
    shared.bot = isMachine(verdict) ? verdict.rule : undefined
    const name = EMAIL_EVENTS[of]
    const ts = new Date(now)
    const props: NonNullable<JournalEvent['props']> = {
      mailing: idOf(mailing.number),
      recipient: token.recipient.toString('base64url'),
      class: verdict.class,
      rule: verdict.rule,
    }
    if (of === 'click') props.link = token.link
    const met = convert(site, { name, path: shared.path, props })
    if ('reason' in met) return met.reason
    const { goals, revenue, currency } = met
    const event = eventOf(shared, {
      name,
      id: `${randomUUID()}.0`,
      own: undefined,
      ts,
      props,
      goals,
      revenue,
      currency,
    })
    await journal.append([event], SIZE + 2 * destination.length)
    return undefined
  }
}
