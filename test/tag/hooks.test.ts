// @vitest-environment happy-dom
/** The hooks: one tag, whatever renders how often, and what was agreed to. */
import { act, createElement, StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createApp, h, nextTick } from 'vue'
import type { Envelope } from '../../tag/wire.ts'

const options = { site: 'shop', url: 'https://stats.example/e' }
const sent: Envelope[] = []
beforeEach(() => {
  vi.resetModules()
  Reflect.deleteProperty(window, 'livetag')
  sent.length = 0
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)
  vi.stubGlobal('fetch', async (_: string, { body }: { body: string }) => {
    sent.push(JSON.parse(body) as Envelope)
    return new Response(null, { status: 204 })
  })
})
afterEach(() => vi.unstubAllGlobals())
const names = () => sent.flatMap(({ e }) => e.map(({ n }) => n))

describe('in React', () => {
  it('the tag starts once, and components follow what the visitor decides, until they are gone', async () => {
    const { useLivetag } = await import('../../tag/react.ts')
    const seen: unknown[] = []
    const Banner = () => {
      const { tag, purposes } = useLivetag(options)
      seen.push(purposes)
      return purposes ? null : createElement('button', { type: 'button', onClick: () => tag.grant() }, 'Agree')
    }
    const root = createRoot(document.body.appendChild(document.createElement('div')))
    await act(async () => root.render(createElement(StrictMode, null, createElement(Banner), createElement(Banner))))
    expect(document.querySelectorAll('button')).toHaveLength(2)
    expect(sent).toEqual([])
    await act(async () => document.querySelector('button')?.click())
    expect(document.querySelectorAll('button')).toHaveLength(0)
    await vi.waitFor(() => expect(names()).toEqual(['pageview', 'consent']))
    await act(async () => root.unmount())
    const count = seen.length
    ;(window.livetag as { deny(): void }).deny()
    expect(seen).toHaveLength(count)
  })

  it('a server renders as for somebody who was not asked yet', async () => {
    const { useLivetag } = await import('../../tag/react.ts')
    const Banner = () => createElement('p', null, String(useLivetag(options).purposes))
    vi.stubGlobal('window', undefined)
    expect(renderToString(createElement(Banner))).toBe('<p>undefined</p>')
    expect(sent).toEqual([])
  })
})

describe('in Vue', () => {
  it('the tag starts once, and components follow what the visitor decides', async () => {
    const { useLivetag } = await import('../../tag/vue.ts')
    const Banner = {
      setup() {
        const { tag, purposes } = useLivetag(options)
        return () => (purposes.value ? null : h('button', { onClick: () => tag.grant() }, 'Agree'))
      },
    }
    const place = document.body.appendChild(document.createElement('div'))
    const app = createApp({ render: () => [h(Banner), h(Banner)] })
    app.mount(place)
    expect(place.querySelectorAll('button')).toHaveLength(2)
    expect(sent).toEqual([])
    place.querySelector('button')?.click()
    await nextTick()
    expect(place.querySelectorAll('button')).toHaveLength(0)
    await vi.waitFor(() => expect(names()).toEqual(['pageview', 'consent']))
    app.unmount()
  })
})
