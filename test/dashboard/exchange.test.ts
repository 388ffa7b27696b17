import { beforeEach, expect, it } from 'vitest'
import {
  createExchange,
  type Exchange,
  GONE_MS,
  MOST_STREAMS,
  type ToTab,
} from '../../collector/dashboard/live/exchange.ts'
import type { Ask, Heard, Known, Source } from '../../collector/dashboard/live/source.ts'
import { applySnapshot } from '../../collector/dashboard/live/state.ts'
import { NOW, snapshot, tick } from './fixtures.ts'

/** A stream worked by hand. */
interface Stream extends Source {
  ask: Ask
  heard: Heard
  before: Known['live']
  isOpen: boolean
  retries: number
}

let streams: Stream[]
let now: number
let exchange: Exchange
beforeEach(() => {
  streams = []
  now = 0
  exchange = createExchange(
    (ask, heard, before) => {
      let known: Known = { link: 'loading', live: before }
      const stream: Stream = {
        ask,
        before,
        isOpen: true,
        retries: 0,
        heard(next, change) {
          known = next
          heard(next, change)
        },
        known: () => known,
        retry: () => void stream.retries++,
        close() {
          stream.isOpen = false
        },
      }
      streams.push(stream)
      return stream
    },
    ({ site, pass }) => `${site} ${pass}`,
    () => now,
  )
})

const live = applySnapshot(snapshot({ active: 3 }), NOW)
const open = () => streams.filter(({ isOpen }) => isOpen)
const begins = (stream: Stream | undefined) => {
  const known: Known = { link: 'live', live }
  stream?.heard(known, { known })
}

class Tab {
  heard: ToTab[] = []
  constructor(site?: string, pass: string | null = null) {
    if (site !== undefined) this.says({ join: { site, base: '/', pass } })
  }
  postMessage(message: ToTab) {
    this.heard.push(message)
  }
  says(message: Parameters<Exchange['heard']>[1]) {
    exchange.heard(this, message)
  }
}

it('tabs of one site share a stream: each gets what is known, and then what changes', () => {
  const [a, b] = [new Tab('shop'), new Tab('shop')]
  expect(open()).toHaveLength(1)
  begins(streams[0])
  const c = new Tab('shop')
  expect(c.heard).toEqual([{ known: { link: 'live', live } }])
  const change = { tick: tick({ active: 4 }) }
  streams[0]?.heard({ link: 'live', live }, change)
  for (const tab of [a, b, c]) expect(tab.heard.at(-1)).toBe(change)
  expect(open()).toHaveLength(1)
})

it('who asks otherwise has another stream: of another site, or by another shared link', () => {
  const [one] = [new Tab('shop'), new Tab('blog'), new Tab('shop', 'token')]
  expect(open().map(({ ask }) => `${ask.site} ${ask.pass}`)).toEqual(['shop null', 'blog null', 'shop token'])
  begins(streams[1])
  expect(one?.heard).toEqual([{ known: { link: 'loading', live: null } }])
})

it('the last tab that leaves takes the stream with it; one that is silent is forgotten, and joins anew when it wakes', () => {
  const [closed, frozen, there] = [new Tab('shop'), new Tab('shop'), new Tab('shop')]
  closed.says({ leave: true })
  now += GONE_MS
  there.says({ here: true })
  now += 1
  exchange.sweep()
  begins(streams[0])
  expect([closed, frozen, there].map(({ heard }) => heard.length)).toEqual([1, 1, 2])
  frozen.says({ here: true })
  expect(frozen.heard.at(-1)).toEqual({ gone: true })
  frozen.says({ join: { site: 'shop', base: '/', pass: null } })
  expect(frozen.heard.at(-1)).toEqual({ known: { link: 'live', live } })
  frozen.says({ leave: true })
  expect(open()).toHaveLength(1)
  there.says({ leave: true })
  expect(open()).toHaveLength(0)
})

it('a tab that asks for another site leaves the one before', () => {
  const tab = new Tab('shop')
  tab.says({ join: { site: 'blog', base: '/', pass: null } })
  expect(open().map(({ ask }) => ask.site)).toEqual(['blog'])
})

it('of more sites than there are lines, those asked for last have one; the others keep what they know, and go on', () => {
  const sites = Array.from({ length: MOST_STREAMS }, (_, i) => `site${i}`)
  const tabs = sites.map(site => new Tab(site))
  begins(streams[0])
  const more = new Tab('more')
  expect(open().map(({ ask }) => ask.site)).toEqual([...sites.slice(1), 'more'])
  expect(tabs[0]?.heard.at(-1)).toEqual({ link: 'crowded' })
  // Somebody looks at it again: now another one waits.
  tabs[0]?.says({ retry: true })
  expect(open()).toHaveLength(MOST_STREAMS)
  expect(open().at(-1)?.ask.site).toBe('site0')
  expect(open().at(-1)?.before).toBe(live)
  expect(tabs[1]?.heard.at(-1)).toEqual({ link: 'crowded' })
  more.says({ leave: true })
  expect(
    open()
      .map(({ ask }) => ask.site)
      .sort(),
  ).toEqual([...sites].sort())
})

it('a try is for the stream of who asks for it', () => {
  new Tab('blog')
  new Tab('shop').says({ retry: true })
  expect(streams.map(({ retries }) => retries)).toEqual([0, 1])
})
