/**
 * The tag's part of the build. Into `dist/tag/` go
 * - `core.js`, `consent.js`, `standard.js`, `full.js`: whole programs for a script element, minified together
 * - `chunks/<name>.js`: a capability each, as one JavaScript expression, and `core.js`, a program with two holes: the collector
 *   puts the site's options where `OPTIONS` stands, and its capabilities, with commas, where `CAPABILITIES` does
 * - `vitals.js`: the second file, with the library `web-vitals` in it, which the chunk `vitals` loads
 * - `index.js`, `react.js`, `vue.js`: the ES modules of the npm package, left readable for the bundler of the page
 */
import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import resolveNode from '@rollup/plugin-node-resolve'
import { rollup } from 'rollup'
import { minify } from 'terser'
import ts from 'typescript'
import { mangle } from './names.mjs'

/** The adapters of consent platforms: a file of `consent/cmp/` each, with the export of its name. */
const CMPS = readdirSync('consent/cmp').map(file => file.replace('.ts', ''))
/** Its constants are inlined in each chunk; what else is the core's is there once. */
const CONSTANTS = resolve('consent/ranks.ts')
/** The standards of consent, in `consent/`. */
const STANDARDS = ['gpc', 'gcm', 'tcf', 'gpp']

/** What each chunk evaluates to: the name of an export. All are capabilities but the last, which watches the tag start. */
const CHUNKS = {
  gpc: 'gpc',
  gcm: 'gcm',
  tcf: 'tcf',
  gpp: 'gpp',
  ...Object.fromEntries(CMPS.map(name => [name, name])),
  optout: 'optOut',
  urls: 'urls',
  offline: 'offline',
  tabs: 'tabs',
  rules: 'rules',
  engagement: 'engagement',
  forms: 'forms',
  media: 'media',
  errors: 'errors',
  vitals: 'vitals',
  link: 'link',
  sample: 'sample',
  debug: 'debug',
}
/**
 * Has V8 compile all functions while the script loads, not each when it is first called: most are called at once, and
 * starting takes half the time (45 ms down to 23, Chromium 147 slowed down fourfold).
 * https://v8.dev/blog/explicit-compile-hints
 */
export const EAGER = '//# allFunctionsCalledOnLoad\n'
const PROGRAMS = ['core', 'consent', 'standard', 'full']
/** The two smallest have to be smaller rather than faster. */
export const hintOf = program => (program === 'core' || program === 'consent' ? '' : EAGER)
/** Safari 14, Chrome 85, Firefox 79: all have `fetch` */
const ECMA = 2021

/** Erases the types. They are checked by `npm run check`; a check here would cost seconds for each bundle. */
const eraseTypes = {
  name: 'erase-types',
  transform: (code, id) =>
    id.endsWith('.ts') && {
      code: ts.transpileModule(code, {
        compilerOptions: {
          target: ts.ScriptTarget[`ES${ECMA}`],
          module: ts.ModuleKind.ESNext,
          verbatimModuleSyntax: true,
        },
      }).outputText,
      map: null,
    },
}

const golf = {
  ecma: ECMA,
  toplevel: true,
  compress: {
    // true is 1: where it goes to the browser, that is as good
    booleans_as_integers: true,
    // what the next two rewrite is shorter, but repeats itself less, and compresses worse
    lhs_constants: false,
    negate_iife: false,
    passes: 4,
    keep_fargs: false,
    pure_getters: true,
    unsafe: true,
    unsafe_arrows: true,
    unsafe_math: true,
    unsafe_methods: true,
  },
  format: { comments: false },
  mangle: false,
}

/**
 * With one kind of declaration the minifier can join neighbors, and two equal signs do where both sides are of one type,
 * as they are everywhere in the tag. None of its texts has these in it.
 */
const shorten = code => code.replace(/\bconst\b/g, 'let').replace(/([!=]=)=/g, '$1')
export const compress = async code => (await minify(shorten(code), structuredClone(golf))).code
const folderOf = file => (CMPS.includes(file) ? 'consent/cmp' : STANDARDS.includes(file) ? 'consent' : 'tag')

/** The code of a bundle without what it imports and exports, and the names that it imports. */
export async function bundled(input, virtual, external) {
  const entry = {
    name: 'entry',
    resolveId: id => (id === input && virtual ? id : null),
    load: id => (id === input && virtual ? virtual : null),
  }
  const bundle = await rollup({ input, external, plugins: [entry, eraseTypes] })
  const { code, importedBindings, moduleIds } = (await bundle.generate({ format: 'es' })).output[0]
  await bundle.close()
  return {
    code: code.replace(/^(import|export) .*$/gm, ''),
    names: Object.values(importedBindings).flat(),
    modules: moduleIds,
  }
}

/**
 * A program for a script element, compressed but for its names. Those come last, so that they can be looked for without
 * compressing again.
 */
export async function unnamedProgram(name) {
  const { code } = await bundled(`tag/${name}.browser.ts`)
  // by hand, as an arrow is shorter than what the format `iife` wraps it in
  return await compress(`(()=>{${code}})()`)
}

/**
 * All chunks as one program, compressed but for its names: so the capabilities name the core's functions and variables as the
 * core does. Each is a statement `_.<name>=<expression>`, at which the program is cut again.
 */
export async function unnamedChunks() {
  const { modules } = await bundled('tag/core.ts')
  const capabilities = await Promise.all(
    Object.entries(CHUNKS).map(async ([file, name]) => {
      const path = resolve(`${folderOf(file)}/${file}.ts`)
      const { code, names } = await bundled(path, undefined, (id, from) => {
        const it = resolve(from ?? '', '..', id)
        return it !== CONSTANTS && modules.includes(it)
      })
      return { names, code: await compress(`_.${file}=(()=>{${code};return ${name}})()`) }
    }),
  )
  const shared = [...new Set(capabilities.flatMap(({ names }) => names))]
  const core = await bundled(
    'core',
    `${modules.map(path => `export * from '${path}'`).join('\n')}
    import { begin } from '${resolve('tag/core.ts')}'
    _.core = begin(OPTIONS, [CAPABILITIES])`,
  )
  const code = (await compress(`${core.code};export{${shared}}`)).replace(/export\{.*?\};?$/, '')
  return [code, ...capabilities.map(({ code }) => code)].join(';\n')
}

/** The program of all chunks, cut into them: their codes, by name. */
export function cut(program) {
  const [core, ...rest] = program.split(/;\s*_\.(?!core=)/)
  const chunks = rest.map(code => /^(\w+)=(.*?);?$/s.exec(code).slice(1))
  return { core: `(()=>{${core.replace('_.core=', 'return ')}})()`, ...Object.fromEntries(chunks) }
}

/** What is made here by itself, in the place of a bundle of nothing. */
const made = (file, make) => ({
  input: file,
  plugins: [
    {
      name: 'made',
      resolveId: id => id,
      load: () => '',
      async generateBundle(_, bundle) {
        for (const name in bundle) delete bundle[name]
        for (const [name, source] of Object.entries(await make()))
          this.emitFile({ type: 'asset', fileName: `${name}.js`, source })
      },
    },
  ],
  output: { dir: 'dist/tag', format: 'es' },
})

const chunks = made('chunks', async () => {
  const codes = cut(await mangle(await unnamedChunks(), 'chunks'))
  for (const name in codes) new Function(`return ${codes[name]}`)
  return Object.fromEntries(Object.entries(codes).map(([name, code]) => [`chunks/${name}`, code]))
})

const program = name =>
  made(name, async () => {
    const code = await mangle(await unnamedProgram(name), name)
    return { [name]: hintOf(name) + code }
  })

/** Google's library is minified as its own, with nothing assumed. */
const vitals = {
  input: 'tag/vitals.browser.ts',
  plugins: [resolveNode(), eraseTypes],
  output: {
    file: 'dist/tag/vitals.js',
    format: 'iife',
    plugins: [
      {
        name: 'plainly-minified',
        renderChunk: async code => ({
          code: (await minify(code, { ecma: ECMA, format: { comments: false } })).code,
          map: null,
        }),
      },
    ],
  },
}

/** The hooks stand on the same tag as `index.js`, which is there once. */
const npm = {
  input: { index: 'tag/index.ts', react: 'tag/react.ts', vue: 'tag/vue.ts' },
  external: ['react', 'vue'],
  plugins: [eraseTypes],
  output: { dir: 'dist/tag', format: 'es', chunkFileNames: 'npm/[name].js' },
}

export const tagConfigs = [chunks, ...PROGRAMS.map(program), vitals, npm]
