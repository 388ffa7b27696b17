/**
 * The tag's part of the build. Into `dist/tag/` go
 * - `core.js`, `consent.js`, `standard.js`, `full.js`: whole programs for a script element, minified together
 * - `chunks/<name>.js`: one JavaScript expression each, which the collector puts together per site:
 *   `(<core>)(<options as JSON>,[<capability>,…])`
 * - `vitals.js`: the second file, with the library `web-vitals` in it, which the chunk `vitals` loads
 * - `index.js`, `react.js`, `vue.js`: the ES modules of the npm package, left readable for the bundler of the page
 */
import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import resolveNode from '@rollup/plugin-node-resolve'
import { minify } from 'terser'
import ts from 'typescript'

/** The adapters of consent platforms: a file of `consent/cmp/` each, with the export of its name. */
const CMPS = readdirSync('consent/cmp').map(file => file.replace('.ts', ''))
/** The standards of consent, in `consent/`. */
const STANDARDS = ['gpc', 'gcm', 'tcf', 'gpp']

/** What each chunk evaluates to: the name of an export. The first is the core, the last watches it start, the others are capabilities. */
const CHUNKS = {
  core: 'start',
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

/**
 * In which order letters become names: in the two smallest programs, and in all else. Brotli finds more repetitions in some
 * orders than in others, for no reason that could be told beforehand: these were found by trying (`node scripts/letters.mjs`),
 * and save 20 to 30 bytes of each program.
 */
export const LETTERS = {
  core: 'edtfumhlkizTsqAraCUwDgHvcLoOMxNbSypPIRnEJWjBV_FYGKQXZ$',
  consent: 'nutclpCaozrskhNmgMfDPxIEULATHdevwqSRyObiJWjBV_FYGKQXZ$',
  rest: 'espctaDlxrgnoUhCbiwAIkNufzmHPOEqRTydMLvSJWjBV_FYGKQXZ$',
}

/** The n-th name from 0: one letter, then two … */
const inOrder = letters => ({
  get(n) {
    let name = ''
    for (let rest = n + 1; rest > 0; rest = Math.floor(rest / letters.length)) name += letters[--rest % letters.length]
    return name
  },
})

const golf = {
  ecma: ECMA,
  toplevel: true,
  compress: {
    // what the next three rewrite is shorter, but repeats itself less, and compresses worse
    conditionals: false,
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
/** Names come last, so that they can be looked for without compressing again. */
export const mangle = async (code, letters = LETTERS.rest) => {
  const options = { ecma: ECMA, toplevel: true, compress: false, mangle: { nth_identifier: inOrder(letters) } }
  return (await minify(code, { ...options, format: golf.format })).code
}
const small = async (code, letters) => mangle(await compress(code), letters)

const minified = letters => ({
  name: 'minified',
  // by hand, as an arrow is shorter than what the format `iife` wraps it in
  renderChunk: async code => ({ code: await small(`(()=>{${code}})()`, letters), map: null }),
})

/** Assigned to a property, so that the minifier neither drops the value nor inlines it. */
export const assigned = code => code.replace(/^var _ ?= ?/, '_._=')
export const bare = code => code.replace(/^_\._=/, '').replace(/;$/, '')

/** A chunk's program is `var _ = <expression>`; what is written is the expression, minified. */
const asExpression = {
  name: 'as-expression',
  async renderChunk(code) {
    const expression = bare(await small(assigned(code)))
    new Function(`return ${expression}`)
    return { code: expression, map: null }
  },
}

const folderOf = file => (CMPS.includes(file) ? 'consent/cmp' : STANDARDS.includes(file) ? 'consent' : 'tag')

/** An entry that is not on the disk: the one export of a room's file that a chunk is about. */
const entryOf = (file, name) => ({
  name: 'entry-of',
  resolveId: id => (id === file ? `\0${file}` : null),
  load: id =>
    id === `\0${file}` ? `export { ${name} as default } from '${resolve(`${folderOf(file)}/${file}.ts`)}'` : null,
})

const chunk = ([file, name]) => ({
  input: file,
  plugins: [entryOf(file, name), eraseTypes],
  output: {
    file: `dist/tag/chunks/${file}.js`,
    format: 'iife',
    name: '_',
    strict: false,
    compact: true,
    plugins: [asExpression],
  },
})

const program = name => ({
  input: `tag/${name}.browser.ts`,
  plugins: [eraseTypes],
  output: {
    file: `dist/tag/${name}.js`,
    format: 'es',
    compact: true,
    // These have to be smaller rather than faster.
    plugins: [
      minified(LETTERS[name]),
      {
        name: 'hinted',
        renderChunk: code => (name === 'core' || name === 'consent' ? null : { code: EAGER + code, map: null }),
      },
    ],
  },
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

export const tagConfigs = [...Object.entries(CHUNKS).map(chunk), ...PROGRAMS.map(program), vitals, npm]
