/**
 * What goes wrong, in the console: for who installs the tag. A part of `/t/<site>.js?debug` only, so that nobody else loads
 * it and a page of a visitor stays quiet.
 */
import type { Calls, LiveTag, Stub } from './types.ts'

const PURPOSES = ['measure', 'identify', 'share']
const say = (...what: unknown[]) => console.warn('livetag:', ...what)

const checkCall = (tag: LiveTag, name: unknown, args: unknown[]): void => {
  if (typeof tag[name as keyof Calls] !== 'function')
    return void say(`there is no call "${String(name)}"; there are ${Object.keys(tag).join(', ')}`)
  const [first] = args
  if (name === 'track' && (typeof first !== 'string' || first === '' || first.length > 120))
    say('track takes the name of an event first, of 1 to 120 characters, not', first)
  if (name === 'grant' && first !== undefined) {
    const wrong = Array.isArray(first) ? first.filter(purpose => !PURPOSES.includes(purpose)) : [first]
    if (wrong.length > 0) say(`grant takes a list of ${PURPOSES.join(', ')}, not`, ...wrong)
  }
}

/** Starts the tag by `start`, and watches what is asked of it. */
export const debug = (start: () => LiveTag | undefined): void => {
  const before = window.livetag as (LiveTag & Stub) | undefined
  if (before?.track) return void say('the tag is in this page twice; the second one does nothing')
  const queue = before?.q ?? []
  const tag = start()
  if (!tag) return void say('the tag could not start: the page has replaced what it stands on')
  for (const [, name, ...args] of queue) checkCall(tag, name, args)

  const heard = ((name: keyof Calls, ...args: unknown[]) => {
    checkCall(tag, name, args)
    tag(name, ...args)
  }) as LiveTag
  for (const name of Object.keys(tag) as (keyof Calls)[]) heard[name] = (...args: unknown[]) => heard(name, ...args)
  Object.defineProperty(window, 'livetag', {
    configurable: true,
    get: () => heard,
    set: () => say('the page sets `livetag` after the tag has started: put the stub in front of it, with its `||`'),
  })
}
