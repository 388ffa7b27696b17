/** How far videos and sounds are played. */
import { on } from './safely.ts'
import { track } from './track.ts'

export const media = () => {
  /** how far each was played, per cent, by its URL */
  const told: Record<string, number> = {}
  // Events of media don't bubble. This one comes four times a second while something plays, and at its end.
  on('timeupdate', event => {
    const media = event.target as HTMLMediaElement
    const source = media.currentSrc
    // One that was only moved, while it stood still, was not played. A live stream has no end and stays at 0.
    const percent = media.ended ? 100 : media.paused ? -1 : Math.floor((media.currentTime / media.duration) * 4) * 25
    if (percent > (told[source] ?? -1)) {
      told[source] = percent
      track('media', { kind: media.localName, percent, url: /^http[^?]*/.exec(source)?.[0] })
    }
  })
}
