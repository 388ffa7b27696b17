import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The oldest server whose time-series collections and transactions the collector was tried on. */
const OLDEST = 6

/** Which format of files a line of servers accepts beside its own, as MongoDB's upgrade path says. */
const READS_ALSO: Record<string, string> = { '5.0': '4.4', '6.0': '5.0', '7.0': '6.0', '8.0': '7.0' }

/**
 * Asks a binary for its version. It is also the proof that it can start here: libraries that are missing, another
 * processor or a file that is no program show now, before any data is touched.
 *
 * @returns as `6.0.5`
 * @throws Error with what the system or the program said, within 10 s
 */
export async function binaryVersion(binary: string): Promise<string> {
  let output: string
  try {
    output = (await run(binary, ['--version'], { timeout: 10_000, killSignal: 'SIGKILL' })).stdout
  } catch (error) {
    const { code, signal, stderr } = error as NodeJS.ErrnoException & { signal?: string; stderr?: string }
    const said = stderr?.trim() || (signal ? `ended by ${signal}` : `code ${code}`)
    throw new Error(`${binary} cannot start here: ${said}`)
  }
  const version = /db version v(\d+\.\d+\.\d+)/.exec(output)?.[1]
  if (version === undefined) throw new Error(`${binary} does not say "db version v…": it is no mongod`)
  if (Number.parseInt(version, 10) < OLDEST) {
    throw new Error(`${binary} is MongoDB ${version}; ${OLDEST}.0 or newer is needed`)
  }
  return version
}

/** The line of a version: `6.0` of `6.0.5`. */
export const lineOf = (version: string): string => version.split('.', 2).join('.')

/**
 * Whether a binary opens files of a format: its own line's, or the one before (8.0 reads 7.0 but not 6.0). For lines
 * not known here it says yes: mongod refuses by itself, before it changes anything.
 */
export function canRead(version: string, format: string): boolean {
  const line = lineOf(version)
  if (line === format || READS_ALSO[line] === format) return true
  const known = (name: string): boolean => name in READS_ALSO || Object.values(READS_ALSO).includes(name)
  return !known(line) || !known(format)
}

/** Says why a binary is refused for these files, and how to move. */
export function cannotRead(version: string, format: string, data: string): string {
  return (
    `MongoDB ${version} cannot read the files in ${data}, which have the format of ${format}. ` +
    `Point LIVETAG_MONGOD at a mongod ${format} to go on with them; or move: run mongodump with mongod ${format}, ` +
    `move ${data} away together with the data.json beside it, start again and run mongorestore`
  )
}
