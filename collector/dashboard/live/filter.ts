/** Which events of the stream are shown. */
import type { LiveEvent } from '../../live/messages.ts'
import { type Kind, kindOf } from './kind.ts'

export const FILTER_KINDS = [
  '',
  'view',
  'click',
  'read',
  'form',
  'consent',
  'error',
  'mail',
  'own',
  'conversion',
  'bot',
] as const satisfies readonly ('' | 'conversion' | 'bot' | Kind)[]

export interface Filter {
  /** each of its words is somewhere in what is known of the event */
  text: string
  kind: (typeof FILTER_KINDS)[number]
}

export function fits({ text, kind }: Filter, event: LiveEvent): boolean {
  if (kind === 'bot') {
    if (event.bot === undefined) return false
  } else if (kind === 'conversion') {
    if (!event.goals) return false
  } else if (kind !== '' && kindOf(event.name) !== kind) return false
  const words = text.toLocaleLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return true
  const all = textOf(event)
  return words.every(word => all.includes(word))
}

/** An event never changes, and is looked through with each letter that is typed, and with each tick. */
const texts = new WeakMap<LiveEvent, string>()

function textOf(event: LiveEvent): string {
  const held = texts.get(event)
  if (held !== undefined) return held
  const { name, path, host, title, source, device, browser, os, country, bot, goals = [], properties } = event
  const values = properties ? [JSON.stringify(properties)] : []
  const text = [name, path, host, title, source, device, browser, os, country, bot, ...goals, ...values]
    .filter(Boolean)
    .join('\n')
    .toLocaleLowerCase()
  texts.set(event, text)
  return text
}
