import { readFileSync } from 'node:fs'
import typescript from '@rollup/plugin-typescript'
import { dashboardConfigs } from './scripts/dashboard-build.mjs'
import { tagConfigs } from './scripts/tag-build.mjs'

const { dependencies, optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
const packages = Object.keys({ ...dependencies, ...optionalDependencies })

/** What runs in Node: dependencies stay imports. */
const node = {
  input: { 'collector/index': 'collector/index.ts', 'cli/index': 'collector/cli/index.ts' },
  external: id => id.startsWith('node:') || packages.some(name => id === name || id.startsWith(`${name}/`)),
  plugins: [
    typescript({
      noEmit: false,
      outDir: 'dist',
      declaration: true,
      declarationDir: 'dist/types',
      include: ['collector/**/*.ts', 'tag/**/*.ts'],
      exclude: ['collector/dashboard/**'],
    }),
  ],
  output: { dir: 'dist', format: 'es', chunkFileNames: 'collector/chunk-[hash].js', sourcemap: true },
}

export default [...tagConfigs, ...dashboardConfigs, node]
