/** A big screen that nobody touches: full screen where the browser lets it, and awake where it can be kept so. */
import { useEffect } from 'preact/hooks'

/** Browsers enter and leave the full screen a moment after they are asked to: what is asked meanwhile waits for its turn. */
let turn: Promise<unknown> = Promise.resolve()
/** Whether we have it: not yet when it is asked for, and no longer when it is given back. */
let isFilled = false

/** Call it from a click or a key: browsers ask for one. */
export async function fillScreen(): Promise<void> {
  await take(async () => {
    await document.documentElement.requestFullscreen?.()
    isFilled = document.fullscreenElement !== null
  })
}

export async function leaveScreen(): Promise<void> {
  await take(async () => {
    isFilled = false
    if (document.fullscreenElement) await document.exitFullscreen()
  })
}

/** Refused in frames and by some browsers: the page is large nevertheless. */
const take = (step: () => Promise<void>) => (turn = turn.then(step).catch(() => {}))

/** Tells when the full screen is ended by somebody else, as browsers do by Escape without telling of the key. */
export function onScreenLeft(run: () => void): () => void {
  const changed = () => {
    if (!isFilled || document.fullscreenElement) return
    isFilled = false
    run()
  }
  document.addEventListener('fullscreenchange', changed)
  return () => document.removeEventListener('fullscreenchange', changed)
}

/** Keeps the screen awake while it is used. The lock ends when the page is hidden, so it is asked for again after that. */
export function useAwake(): void {
  useEffect(() => {
    let lock: WakeLockSentinel | undefined
    let isOver = false
    const ask = async (): Promise<void> => {
      if (document.hidden || !('wakeLock' in navigator)) return
      try {
        const asked = await navigator.wakeLock.request('screen')
        if (isOver) await asked.release()
        else lock = asked
      } catch {
        // Refused, as with little battery: then it sleeps as it always does.
      }
    }
    void ask()
    document.addEventListener('visibilitychange', ask)
    return () => {
      isOver = true
      document.removeEventListener('visibilitychange', ask)
      void lock?.release().catch(() => {})
    }
  }, [])
}
