/**
 * The peers' trackers as they are published. None of their code is kept here: it comes from npm into a temporary folder,
 * in exact versions, and only under a license that allows it.
 */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { rollup } from 'rollup'
import { minify } from 'terser'

const run = promisify(execFile)
const LICENSES = ['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause']
/** A registry that does not answer must not hold the bench up; ms */
const PATIENCE = 120_000

/**
 * Umami's tracker: its source lies in the package of the whole product and is minified here as Umami's own build does.
 * `UMAMI_TRACKER=<path>` takes another version instead: `src/tracker/index.js` of a checkout, or the built `script.js`.
 */
export const umami = () =>
  tried('Umami', 'set UMAMI_TRACKER=<path> to a tracker of your own', async folder => {
    const own = process.env.UMAMI_TRACKER
    const source = own
      ? { text: await readFile(own, 'utf8'), version: 'UMAMI_TRACKER' }
      : await fromNpm('umami', '2.10.0', 'src/tracker/index.js', folder)
    // What the build of newer versions fills in; the address itself is given to the script element.
    const filled = source.text
      .replaceAll('__COLLECT_API_HOST__', '')
      .replaceAll('__COLLECT_API_ENDPOINT__', '/api/send')
    const { code } = await minify(filled, { compress: { evaluate: false } })
    return { version: source.version, code }
  })

/** Plausible's tracker is an ES module: it is bundled and minified together with its start, as a page's build would. */
export const plausible = () =>
  tried('Plausible', 'it needs access to an npm registry', async folder => {
    const { path, version } = await fromNpm('@plausible-analytics/tracker', '0.4.6', 'plausible.js', folder)
    const start = `import { init } from ${JSON.stringify(path)}
      init({ domain: 'shop.example', endpoint: document.currentScript.dataset.url })`
    const entry = {
      name: 'entry',
      resolveId: id => (id === 'start' ? '\0start' : null),
      load: id => (id === '\0start' ? start : null),
    }
    const bundle = await rollup({ input: 'start', plugins: [entry] })
    const { output } = await bundle.generate({ format: 'iife' })
    await bundle.close()
    return { version, code: (await minify(output[0].code)).code }
  })

/** A peer that can't be had is `undefined`, and it is said why. */
async function tried(name, advice, get) {
  const folder = await mkdtemp(join(tmpdir(), 'livetag-peer-'))
  try {
    return await get(folder)
  } catch (error) {
    // What npm says is in its output, below the command that failed.
    const reason = /^npm error (?!code|errno|syscall).*/m.exec(error.stderr)?.[0] ?? error.message
    console.warn(`SKIPPED: ${name} (${advice}): ${reason}`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** One file of a package in one version. */
async function fromNpm(name, version, file, folder) {
  const packed = join(folder, 'packed')
  await mkdir(packed)
  const args = [
    'pack',
    `${name}@${version}`,
    '--json',
    '--ignore-scripts',
    '--fetch-retries=1',
    '--pack-destination',
    packed,
  ]
  const [{ filename }] = JSON.parse((await run('npm', args, { cwd: folder, timeout: PATIENCE })).stdout)
  const files = [`package/${file}`, 'package/package.json']
  await run('tar', ['-xzf', join(packed, filename), '-C', folder, '--strip-components=1', ...files])
  const { license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  if (!LICENSES.includes(license)) throw new Error(`${name}@${version} has the license ${license}`)
  const path = join(folder, file)
  return { path, text: await readFile(path, 'utf8'), version: `npm ${version}` }
}
