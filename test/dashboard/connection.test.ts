import { beforeEach, describe, expect, it } from 'vitest'
import {
  BACK_OFF,
  type Connection,
  connect,
  type Link,
  type Surroundings,
} from '../../collector/dashboard/live/connection.ts'
import type { MeAnswer } from '../../collector/dashboard/shell/me.ts'
import { event, snapshot, tick } from './fixtures.ts'

/** As much of an EventSource as the connection uses, worked by hand. */
class Stream extends EventTarget {
  static all: Stream[] = []
  readyState = 0
  readonly url: string
  constructor(url: string) {
    super()
    this.url = url
    Stream.all.push(this)
  }
  close() {
    this.readyState = 2
  }
  opens() {
    this.readyState = 1
    this.dispatchEvent(new Event('open'))
  }
  says(type: string, data: unknown) {
    this.dispatchEvent(new MessageEvent(type, { data: JSON.stringify(data) }))
  }
  breaks(forGood: boolean) {
    this.readyState = forGood ? 2 : 0
    this.dispatchEvent(new Event('error'))
  }
}

const site = { key: 'shop', domain: 'shop.example', consent: 'none', timezone: 'UTC', role: 'owner' } as const
const here: MeAnswer = { kind: 'me', me: { kind: 'owner', email: null, owner: true, sites: [site] } }

let links: Link[]
let heard: string[]
let answer: MeAnswer
let online: boolean
let waiting: { call: () => void; ms: number }[]
let connection: Connection

const around: Surroundings = {
  EventSource: Stream as unknown as Surroundings['EventSource'],
  url: site => `/api/v2/live?site=${site}`,
  me: async () => answer,
  later(call, ms) {
    const one = { call, ms }
    waiting.push(one)
    return () => {
      waiting = waiting.filter(other => other !== one)
    }
  },
  online: () => online,
  random: () => 1,
}

function open(known = false) {
  connection = connect(
    'shop',
    around,
    {
      link: link => links.push(link),
      snapshot: () => heard.push('snapshot'),
      tick: () => heard.push('tick'),
    },
    known,
  )
  return last()
}

function last(): Stream {
  const stream = Stream.all.at(-1)
  if (!stream) throw new Error('no stream was opened')
  return stream
}

/** Lets the answer about the sites come in. */
const settled = () => new Promise(resolve => setImmediate(resolve))

beforeEach(() => {
  Stream.all = []
  links = []
  heard = []
  answer = here
  online = true
  waiting = []
})

describe('the line', () => {
  it('is live with the first snapshot, not before', () => {
    const stream = open()
    expect(stream.url).toBe('/api/v2/live?site=shop')
    stream.opens()
    expect(links).toEqual(['loading'])
    stream.says('snapshot', snapshot({}))
    stream.says('tick', tick({ events: [event('1')] }))
    expect(heard).toEqual(['snapshot', 'tick'])
    expect(links.at(-1)).toBe('live')
  })

  it('leaves a broken line to the browser, which knows the last id, and is live when it is back', () => {
    const stream = open()
    stream.says('snapshot', snapshot({}))
    stream.breaks(false)
    expect(links.at(-1)).toBe('reconnecting')
    stream.opens()
    expect(links.at(-1)).toBe('live')
    expect(Stream.all).toHaveLength(1)
  })

  it('says that the device is offline when it is', () => {
    const stream = open()
    online = false
    stream.breaks(false)
    expect(links.at(-1)).toBe('offline')
  })
})

describe('where the browser gives up', () => {
  it('tries again with growing waits, up to a limit, and starts anew after a snapshot', async () => {
    open()
    const waits: number[] = []
    for (let i = 0; i < 8; i++) {
      last().breaks(true)
      await settled()
      const next = waiting.shift()
      waits.push(next?.ms ?? 0)
      next?.call()
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, BACK_OFF.most, BACK_OFF.most, BACK_OFF.most])
    last().says('snapshot', snapshot({}))
    last().breaks(true)
    await settled()
    expect(waiting[0]?.ms).toBe(BACK_OFF.first)
  })

  it('says “signed out” and stops trying', async () => {
    open()
    answer = { kind: 'signed-out' }
    last().breaks(true)
    await settled()
    expect(links.at(-1)).toBe('signed-out')
    expect(waiting).toEqual([])
    connection.retry()
    expect(Stream.all).toHaveLength(2)
  })

  it('says that there is no such site', async () => {
    open()
    answer = { kind: 'me', me: { kind: 'owner', email: null, owner: true, sites: [] } }
    last().breaks(true)
    await settled()
    expect(links.at(-1)).toBe('unknown-site')
  })

  it('does not come back after it was closed', async () => {
    open()
    last().breaks(true)
    connection.close()
    await settled()
    expect(waiting).toEqual([])
    connection.retry()
    expect(Stream.all).toHaveLength(1)
  })
})

describe('a retry', () => {
  it('replaces a line that waits, whose late messages no longer count', () => {
    const old = open()
    old.says('snapshot', snapshot({}))
    old.breaks(false)
    connection.retry()
    expect(Stream.all).toHaveLength(2)
    expect(old.readyState).toBe(2)
    old.says('tick', tick({}))
    expect(heard).toEqual(['snapshot'])
  })

  it('leaves an open line alone', () => {
    const stream = open()
    stream.opens()
    stream.says('snapshot', snapshot({}))
    connection.retry()
    expect(Stream.all).toHaveLength(1)
    expect(links.at(-1)).toBe('live')
  })
})
