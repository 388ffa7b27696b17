/** A sleep that can be ended. No abort signals: making one for each batch costs more than the sleep. */
export interface Sleeper {
  /** @param lightly whether {@link wake} ends it */
  sleep(ms: number, lightly?: boolean): Promise<void>
  wake(): void
}

export function createSleeper(): Sleeper {
  let end: (() => void) | undefined
  return {
    sleep: (ms, lightly = false) =>
      new Promise(resolve => {
        const done = () => {
          clearTimeout(timer)
          end = undefined
          resolve()
        }
        const timer = setTimeout(done, Math.max(0, ms))
        if (lightly) end = done
      }),
    wake: () => end?.(),
  }
}
