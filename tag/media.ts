/** How far videos and sounds are played. */
import { on } from './safely.ts'
import { track } from './track.ts'

export const media = () => {
  /** how far each was played, per cent, by its URL */
  const told: Record<string, number> = {}
  // Events of media don't bubble. This one comes four times a second while something plays, and at its end.
  on(
    window,
    'timeupdate',
    ({ target }) => {
      const { currentSrc, currentTime, duration, ended, paused, localName } = target as HTMLMediaElement
      // One that was only moved, while it stood still, was not played. A live stream has no end and stays at 0.
      const percent = ended ? 100 : paused ? -1 : Math.floor((currentTime / duration) * 4) * 25
      if (percent > (told[currentSrc] ?? -1)) {
        told[currentSrc] = percent
        track('media', { kind: localName, percent, url: /^http[^?]*/.exec(currentSrc)?.[0] })
      }
    },
    true,
  )
}
