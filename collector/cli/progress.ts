/** How far something is, on stderr: again and again in one line of a terminal, else a line now and then. */

export interface Progress {
  tell(done: number): void
  end(): void
}

/** How often it says something, ms. */
const EVERY = { terminal: 500, file: 10_000 } as const

/** @param all how many events there will be */
export function startProgress(all: number, to: NodeJS.WriteStream = process.stderr): Progress {
  const began = performance.now()
  const every = to.isTTY ? EVERY.terminal : EVERY.file
  let said = began
  let told = false
  return {
    tell(done) {
      const now = performance.now()
      if (now - said < every) return
      said = now
      told = true
      const rate = (done / (now - began)) * 1000
      const left = Math.round((all - done) / rate)
      const line = `${count(done)} of ${count(all)} events, ${count(Math.round(rate))}/s, ${time(left)} left`
      to.write(to.isTTY ? `\r\u001b[K${line}` : `${line}\n`)
    },
    end() {
      if (told && to.isTTY) to.write('\n')
    },
  }
}

const count = (n: number): string => n.toLocaleString('en')

const time = (s: number): string => (s < 120 ? `${s} s` : `${Math.round(s / 60)} min`)
