/** Several writes on their way at the same time, and no more. */
export interface Flight {
  /** Begins a write once there is room for it. @throws what an earlier one failed with */
  send(write: () => Promise<unknown>): Promise<void>
  /** Resolves when all are done. @throws what one of them failed with */
  landed(): Promise<void>
}

export function startFlight(most: number): Flight {
  const inFlight = new Set<Promise<void>>()
  let failure: { error: unknown } | undefined
  const check = (): void => {
    if (failure) throw failure.error
  }
  return {
    async send(write) {
      while (inFlight.size >= most) await Promise.race(inFlight)
      check()
      const one: Promise<void> = write()
        .then(
          () => {},
          error => {
            failure ??= { error }
          },
        )
        .finally(() => inFlight.delete(one))
      inFlight.add(one)
    },
    async landed() {
      await Promise.all(inFlight)
      check()
    },
  }
}
