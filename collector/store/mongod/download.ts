import { type ChildProcess, spawn } from 'node:child_process'
import { readdir, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'

/** Nothing arrived for this long at the beginning: there is no way to the server, ms. */
const NO_CONNECTION = 10_000
/** Nothing arrived for this long later on, ms. */
const STALL = 30_000
/** What a download writes before anything has arrived (its own lock, empty files) is less than this, bytes. */
const SOMETHING = 64 * 1024
/** No download may take longer, ms. */
const LIMIT = 15 * 60_000

/** The release of MongoDB's 8.0 line that a machine with internet gets. */
export const RELEASE = '8.0.17'

export interface Download {
  command: string
  args: string[]
  env: NodeJS.ProcessEnv
  /** where it puts what it loads; its growth is the sign of life */
  folder: string
  onProgress: (text: string) => void
}

/**
 * Runs a program that downloads something, tells of progress, and ends it (with its children) when nothing arrives.
 *
 * @returns its standard output
 * @throws Error with the last things it said
 */
export async function runDownload({ command, args, env, folder, onProgress }: Download): Promise<string> {
  const child = spawn(command, args, { cwd: folder, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const endAtExit = (): void => endGroup(child)
  process.once('exit', endAtExit)
  let [out, err, size, since] = ['', '', 0, Date.now()]
  const began = since
  child.stdout.on('data', chunk => {
    out += chunk
  })
  child.stderr.on('data', chunk => {
    err += chunk
  })
  let stopped: string | undefined
  const timer = setInterval(async () => {
    const now = await sizeOf(folder)
    if (now > Math.max(size, SOMETHING)) {
      ;[size, since] = [now, Date.now()]
      onProgress(`${(now / 1024 ** 2).toFixed(0)} MB`)
    }
    const quiet = Date.now() - since
    if (quiet > (size === 0 ? NO_CONNECTION : STALL)) stopped = `nothing arrived for ${Math.round(quiet / 1000)} s`
    else if (Date.now() - began > LIMIT) stopped = `it was not done after ${LIMIT / 60_000} minutes`
    if (stopped !== undefined) endGroup(child)
  }, 500)
  try {
    const code = await new Promise<number | string | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (exit, signal) => resolve(exit ?? signal))
    })
    if (code === 0) return out
    throw new Error(stopped ?? (lastWords(err) || lastWords(out) || `${command} ended with ${code}`))
  } finally {
    clearInterval(timer)
    process.off('exit', endAtExit)
    endGroup(child)
  }
}

/**
 * Lets `mongodb-memory-server-core` download MongoDB's own release for this system. It runs in a process of its own:
 * it prints to stdout, retries for long and cannot be stopped, which a child can.
 *
 * @returns the path of the mongod
 */
export async function downloadRelease(
  folder: string,
  env: NodeJS.ProcessEnv,
  onProgress: (text: string) => void,
): Promise<string> {
  const library = findLibrary()
  const script = `
    const [library, version, downloadDir] = process.argv.slice(1)
    require(library).MongoBinary.getPath({ version, downloadDir }).then(
      path => console.log('\\n' + JSON.stringify({ path })),
      error => { console.error(error.message.replace(/\\s+/g, ' ')); process.exitCode = 1 },
    )`
  const out = await runDownload({
    command: process.execPath,
    args: ['-e', script, library, RELEASE, folder],
    // Its default is not to check certificates, and the checksum comes from the same server.
    env: { ...env, npm_config_strict_ssl: 'true', MONGOMS_MAX_RETRIES: '1', MONGOMS_MD5_CHECK: 'true' },
    folder,
    onProgress: text => onProgress(`MongoDB ${RELEASE}: ${text}`),
  })
  return (JSON.parse(lastLine(out)) as { path: string }).path
}

function findLibrary(): string {
  try {
    return createRequire(import.meta.url).resolve('mongodb-memory-server-core')
  } catch {
    throw new Error('mongodb-memory-server-core, an optional dependency, is not installed')
  }
}

const lastWords = (text: string): string => text.trim().split('\n').slice(-3).join(' ').slice(0, 600)
const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1)?.trim() ?? ''

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // The whole group has ended.
  }
}

async function sizeOf(folder: string): Promise<number> {
  let sum = 0
  for (const entry of await readdir(folder, { recursive: true }).catch((): string[] => [])) {
    const found = await stat(join(folder, entry)).catch(() => undefined)
    if (found?.isFile()) sum += found.size
  }
  return sum
}
