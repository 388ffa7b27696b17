/** How long something has lasted, all its times together. */
export interface Stopwatch {
  start(): void
  stop(): void
  /** until now */
  readonly ms: number
}

export function createStopwatch(): Stopwatch {
  let before = 0
  let begun: number | undefined
  const running = () => (begun === undefined ? 0 : performance.now() - begun)
  return {
    start() {
      begun ??= performance.now()
    },
    stop() {
      before += running()
      begun = undefined
    },
    get ms() {
      return before + running()
    },
  }
}
