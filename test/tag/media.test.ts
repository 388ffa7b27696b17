/** Videos and sounds: how far they are played. */
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { browserOrSkip } from '../fixtures/browser.ts'
import { type Visit, visit } from './visiting.ts'

const browser = await browserOrSkip()
let at: Visit
afterEach(() => at?.close())
afterAll(() => browser?.close())

const RATE = 8_000
/** Silence: RIFF, PCM, one channel, a byte a sample (http://soundfile.sapp.org/doc/WaveFormat/). */
function silence(seconds: number): Buffer {
  const data = Buffer.alloc(seconds * RATE, 128)
  const head = Buffer.alloc(44)
  head.write('RIFF', 0)
  head.writeUInt32LE(36 + data.length, 4)
  head.write('WAVEfmt ', 8)
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(RATE, 24)
  head.writeUInt32LE(RATE, 28)
  head.writeUInt16LE(1, 32)
  head.writeUInt16LE(8, 34)
  head.write('data', 36)
  head.writeUInt32LE(data.length, 40)
  return Buffer.concat([head, data])
}
const begin = async (body: string) => {
  at = await visit(browser, { body, with: ['media'], files: { '/sound.wav': { type: 'audio/wav', body: silence(3) } } })
  await at.arrived('pageview')
}
/** Plays to the end, and again. */
const play = (times = 1) =>
  at.page.evaluate(async times => {
    const media = document.querySelector('audio,video') as HTMLMediaElement
    for (let time = 0; time < times; time++) {
      await media.play()
      await new Promise(resolve => media.addEventListener('ended', resolve, { once: true }))
    }
  }, times)

describe.skipIf(!browser)('a sound or a video', () => {
  it('is told when it is played, at each quarter and at its end, once; without the query of its URL', async () => {
    await begin('<audio muted src="/sound.wav?signature=secret"></audio>')
    await play(2)
    await at.leave()
    const url = `${at.shop.url}/sound.wav`
    expect(at.props('media')).toEqual([0, 25, 50, 75, 100].map(percent => ({ kind: 'audio', percent, url })))
    expect(JSON.stringify(at.shop.posts)).not.toContain('secret')
  })

  it('that was moved only is not told, though it was moved to its end', async () => {
    await begin('<video muted preload=auto src="/sound.wav"></video>')
    await at.page.evaluate(async () => {
      const media = document.querySelector('video') as HTMLVideoElement
      const once = (type: string) => new Promise(resolve => media.addEventListener(type, resolve, { once: true }))
      if (media.readyState < 4) await once('canplaythrough')
      for (const to of [1.5, 2.9, media.duration]) {
        const moved = Promise.all([once('seeked'), once('timeupdate')])
        media.currentTime = to
        await moved
      }
    })
    await at.leave()
    expect(at.props('media')).toEqual([])
  })

  it('that has no address, as its data are in the page, is told without one', async () => {
    await begin(`<audio muted src="data:audio/wav;base64,${silence(1).toString('base64')}"></audio>`)
    await play()
    await at.leave()
    expect(at.props('media')).toContainEqual({ kind: 'audio', percent: 100 })
    for (const event of at.props('media')) expect(event).not.toHaveProperty('url')
    expect(at.errors).toEqual([])
  })
})
