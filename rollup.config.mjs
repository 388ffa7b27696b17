import { readFileSync, rmSync } from 'node:fs'
import typescript from '@rollup/plugin-typescript'
import { dashboardConfigs } from './scripts/dashboard-build.mjs'
import { tagConfigs } from './scripts/tag-build.mjs'

const { dependencies, optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
const packages = Object.keys({ ...dependencies, ...optionalDependencies })

/** Chunks carry a hash in their names: without this, old ones would stay and be published. */
const emptyFirst = {
  name: 'empty-first',
  buildStart() {
    for (const folder of ['collector', 'cli', 'email', 'types'])
      rmSync(`dist/${folder}`, { recursive: true, force: true })
  },
}

/** What runs in Node: dependencies stay imports. */
const node = {
  input: {
    'collector/index': 'collector/index.ts',
    'cli/index': 'collector/cli/index.ts',
    'email/index': 'collector/email/sending.ts',
    'collector/scanning': 'collector/query/threads/thread.ts',
  },
  external: id => id.startsWith('node:') || packages.some(name => id === name || id.startsWith(`${name}/`)),
  plugins: [
    emptyFirst,
    typescript({
      noEmit: false,
      outDir: 'dist',
      declaration: true,
      declarationDir: 'dist/types',
      include: ['collector/**/*.ts', 'tag/**/*.ts', 'consent/**/*.ts'],
      exclude: ['collector/dashboard/**'],
    }),
  ],
  output: { dir: 'dist', format: 'es', chunkFileNames: 'collector/chunk-[hash].js', sourcemap: true },
}

export default [...tagConfigs, ...dashboardConfigs, node]
