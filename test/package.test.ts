import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const consumer = mkdtempSync(join(tmpdir(), 'livetag-consumer-'))
const modules = join(consumer, 'node_modules')
const run = (command: string, ...args: string[]) => execFileSync(command, args, { cwd: consumer, encoding: 'utf8' })

/** A project that has installed the packed tarball; what livetag depends on is taken from this checkout. */
beforeAll(() => {
  mkdirSync(join(modules, 'livetag'), { recursive: true })
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', consumer], {
      cwd: root,
      encoding: 'utf8',
    }),
  ) as [{ filename: string }]
  run('tar', '-xzf', packed.filename, '-C', join(modules, 'livetag'), '--strip-components=1')
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!name.startsWith('.')) symlinkSync(join(root, 'node_modules', name), join(modules, name))
  }
  writeFileSync(join(consumer, 'package.json'), '{"type":"module"}')
})
afterAll(() => rmSync(consumer, { recursive: true, force: true }))

it('gives its types to a project that has installed it', () => {
  const options = {
    strict: true,
    noEmit: true,
    module: 'nodenext',
    moduleResolution: 'nodenext',
    target: 'es2022',
    skipLibCheck: false,
    types: ['node'],
  }
  writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['use.ts'] }))
  writeFileSync(
    join(consumer, 'use.ts'),
    `import { createTag, type Global } from 'livetag'
     import { useLivetag } from 'livetag/react'
     import { useLivetag as useInVue } from 'livetag/vue'
     import { createCollector, type Options } from 'livetag/collector'
     import { fill, instrument } from 'livetag/email'
     const tag = createTag({ site: 'shop', url: 'https://stats.example.com/e' })
     tag.track('signup', { plan: 'pro' })
     // @ts-expect-error a name is a text
     tag.track(1)
     declare module 'livetag' {
       interface EventMap { signup: { plan: string } }
     }
     declare const livetag: Global
     livetag('track', 'signup', { plan: 'pro' })
     for (const use of [useLivetag, useInVue]) use({ site: 'shop', url: '/e' }).tag.track('signup', { plan: 'pro' })
     // @ts-expect-error no such event
     useLivetag({ site: 'shop', url: '/e' }).tag.track('login')
     // @ts-expect-error a plan is a text
     livetag('track', 'signup', { plan: 1 })
     const options: Options = { port: 0 }
     export const mail = fill(instrument('<p>').template, { pixel: null, links: [] }, 'https://stats.example.com')
     export const start = () => createCollector(options).then(collector => collector.handler)`,
  )
  expect(() => run(join(root, 'node_modules/.bin/tsc'), '-p', '.')).not.toThrow()
}, 120_000)

it('can be imported, in a server that renders too, and has its command', () => {
  const code = `import { createTag } from 'livetag'
    import { createCollector } from 'livetag/collector'
    import { fill, instrument } from 'livetag/email'
    if (fill(instrument('<p>a').template, { pixel: null, links: [] }, 'https://a.example') !== '<p>a') throw new Error('email')
    createTag({ site: 's', url: 'u' }).track('nothing happens on a server')
    console.log(typeof createCollector)`
  expect(run('node', '--input-type=module', '-e', code).trim()).toBe('function')
  expect(run('node', join(modules, 'livetag/collector/cli/livetag.mjs'), '--help')).toContain('doctor')
}, 120_000)
