/** Who is it: random ids in first-party cookies where that is allowed, in memory where it is not. */
import { mayKeep } from '../consent/state.ts'
import { safely } from './safely.ts'

/** 13 months, the longest that CNIL's exemption allows; s */
export const VISITOR_AGE = 34_128_000
/** A session ends after half an hour without an event; s */
const SESSION_AGE = 1_800

/**
 * 16 random base-36 characters. They have to be different, and are no secret: so they come from where a page has random numbers
 * at once, which `crypto` has not.
 */
export const randomId = (): string =>
  [...Array(16)].reduce<string>(id => id + ((Math.random() * 36) | 0).toString(36), '')

/** the ids in use, by cookie name */
let ids: Record<string, string> = {}
/** when they were last used, so when something last left this page, ms; 0 if nothing ever did */
export let usedAt = 0

/**
 * Writes a cookie on the widest domain that takes it, unless there is one with this value; with an age of 0, deletes it
 * from all domains.
 */
export const write = safely((name: string, value: string, age: number) => {
  const labels = location.hostname.split('.')
  // For www.shop.co.uk: co.uk, which browsers refuse, then shop.co.uk, then www.shop.co.uk.
  for (let i = labels.length - 1 || 1; i-- && !(age && document.cookie.includes(value)); )
    // only `https:` has a sixth character
    document.cookie = `${name}=${value};domain=${labels.slice(i).join('.')};path=/;max-age=${age};samesite=lax${location.protocol[5] ? ';secure' : ''}`
})

const idIn = (name: string, age: number, stamp = ''): string => {
  ids[name] =
    safely(() => mayKeep && RegExp(`(^| )${name}=(\\w+)`).exec(document.cookie)?.[2])() || ids[name] || randomId()
  if (mayKeep) write(name, ids[name] + stamp, age)
  return ids[name]
}

/** The visitor's id, for where one may be kept. Its cookie is written once: again would extend the 13 months. */
export const visitorId = (): string => idIn('lt', VISITOR_AGE)

/**
 * The session's id, shared by the tabs of a site. Each use renews its cookie, which is why the time is in it.
 */
export const sessionId = (): string => {
  if (Date.now() - usedAt > SESSION_AGE * 1e3) ids.lts = ''
  usedAt = Date.now()
  return idIn('lts', SESSION_AGE, `.${usedAt}`)
}

/** Deletes both, from the device and from memory. */
export const forget = (): void => {
  ids = {}
  write('lt', '', 0)
  write('lts', '', 0)
}
