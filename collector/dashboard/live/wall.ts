/** A big screen that nobody touches: full screen where the browser lets it, and awake where it can be kept so. */
import { useEffect } from 'preact/hooks'

/** Call it from a click or a key: browsers ask for one. */
export async function fillScreen(): Promise<void> {
  // Refused in frames and by some browsers: the page is large nevertheless.
  await document.documentElement.requestFullscreen?.().catch(() => {})
}

export async function leaveScreen(): Promise<void> {
  if (document.fullscreenElement) await document.exitFullscreen().catch(() => {})
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
