/**
 * The tags under measurement. Each has its `code`, the script element's `attributes` for where to send (`/in/<load>`),
 * a `call` that tracks one event, what a collector of its own would `answer`, and what is in a `body` that it sent.
 */
import { readFile } from 'node:fs/promises'
import { plausible, umami } from './peers.mjs'

/** What Umami's collector answers is sent back to it with each event, so it has to be as long as a real one. */
const TOKEN = `${'e'.repeat(36)}.${'y'.repeat(240)}.${'j'.repeat(43)}`
const NOTHING = { views: 0, events: 0 }
const VIEW = { views: 1, events: 0 }
const EVENT = { views: 0, events: 1 }

/** @param mode `cookieless` keeps nothing on the device, as the peers' do; `none` has a visitor's cookie and sessions */
const livetag = async (name, mode) => ({
  code: await readFile(new URL(`../../../dist/tag/${name}.js`, import.meta.url), 'utf8'),
  attributes: to => ({ 'data-site': 'shop', 'data-mode': mode, 'data-url': `${to}/e` }),
  call: `livetag('track', 'name', { a: 1 })`,
  answer: { status: 204 },
  inside: body =>
    body.e.reduce(
      (sum, { n }) => ({ views: sum.views + (n === 'pageview'), events: sum.events + (n === 'name') }),
      NOTHING,
    ),
})

const asUmami = ({ code, version }) => ({
  code,
  version,
  attributes: to => ({ 'data-website-id': '3d2f0f4c-3a0e-4b6e-9a57-0d3c1c7a5b11', 'data-host-url': to }),
  call: `umami.track('name', { a: 1 })`,
  // Newer trackers read JSON, older ones the bare token.
  answer: { status: 200, body: /\.json\(\)/.test(code) ? JSON.stringify({ cache: TOKEN }) : TOKEN },
  inside: ({ payload: { name } }) => (name === undefined ? VIEW : name === 'name' ? EVENT : NOTHING),
})

const asPlausible = ({ code, version }) => ({
  code,
  version,
  attributes: to => ({ 'data-url': `${to}/api/event` }),
  call: `plausible('name', { props: { a: 1 } })`,
  answer: { status: 202, body: 'ok' },
  inside: ({ n }) => (n === 'pageview' ? VIEW : n === 'name' ? EVENT : NOTHING),
})

/** What a page costs by itself, and the measuring: taken off every other figure. */
const none = { code: '', attributes: () => ({}), call: 'undefined', silent: true }

/** By name; a peer that can't be had is missing. */
export async function loadTags() {
  const tags = {
    none,
    'livetag core': await livetag('core', 'cookieless'),
    'livetag standard': await livetag('standard', 'cookieless'),
    'livetag core, with a cookie': await livetag('core', 'none'),
    'livetag standard, with a cookie': await livetag('standard', 'none'),
  }
  const peers = { Umami: [await umami(), asUmami], Plausible: [await plausible(), asPlausible] }
  for (const [name, [peer, as]] of Object.entries(peers)) if (peer) tags[name] = as(peer)
  return tags
}
