/**
 * Builds the dashboard and the demo: `dist/dashboard/` and `dist/demo/`.
 *
 * Scripts and styles carry a hash of their content in their names, so that they can be served as immutable; the pages
 * in `collector/dashboard/*.html` name them plainly (`/assets/app.js`) and get the real names here, as does
 * `manifest.json`. The configs build in their order: the last one writes the pages, when every name is known.
 */
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { nodeResolve } from '@rollup/plugin-node-resolve'
import { minify } from 'terser'
import ts from 'typescript'
import { brotli } from './budget.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const source = `${root}collector/dashboard/`
const demo = `${root}collector/demo/`
const require = createRequire(import.meta.url)

/** A folder's own style sheets, in the order of their names. */
function sheets(folder) {
  const files = readdirSync(source + folder).filter(name => name.endsWith('.css'))
  return files.filter(name => !['base.css', 'screens.css'].includes(name)).map(name => `${source}${folder}/${name}`)
}

/** Style sheets, each put together from these files. */
const styles = {
  'app.css': [
    `${source}shell/base.css`,
    // `screens` last: it changes what the others say.
    ...['shell', 'ui', 'live', 'overview', 'manage', 'mails'].flatMap(sheets),
    `${source}shell/screens.css`,
  ],
  'plain.css': [`${source}shell/base.css`, `${source}plain/plain.css`],
}

/** Plain name → name with the hash. */
const names = new Map()

/** Types are checked by `npm run check`; here each file only loses them. */
const stripTypes = {
  name: 'strip-types',
  resolveId(id, importer) {
    return id.startsWith('.') && importer?.startsWith(source) ? fileURLToPath(new URL(id, `file://${importer}`)) : null
  },
  transform(code, id) {
    if (!/\.tsx?$/.test(id)) return null
    const { outputText, sourceMapText } = ts.transpileModule(code, {
      fileName: id,
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ESNext,
        jsx: ts.JsxEmit.ReactJSX,
        jsxImportSource: 'preact',
        verbatimModuleSyntax: true,
        sourceMap: true,
      },
    })
    return { code: outputText.replace(/\n\/\/# sourceMappingURL=.*$/, ''), map: sourceMapText }
  },
}

const shorten = {
  name: 'shorten',
  async renderChunk(code) {
    const { code: short } = await minify(code, { module: true, compress: { passes: 3, ecma: 2020 }, ecma: 2020 })
    return { code: short ?? code, map: null }
  },
}

const rememberNames = {
  name: 'remember-names',
  generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type === 'chunk' && chunk.isEntry) names.set(`/assets/${chunk.name}.js`, `/${chunk.fileName}`)
    }
  },
}

/** Writes style sheets, icon, pages and the manifest beside the scripts, and copies the demo. */
const pages = {
  name: 'pages',
  buildStart() {
    for (const file of readdirSync(source, { recursive: true }))
      if (/\.(css|html|svg)$/.test(file)) this.addWatchFile(source + file)
  },
  generateBundle() {
    const asset = (name, text) => {
      const hash = createHash('sha256').update(text).digest('hex').slice(0, 8)
      const [base, extension] = name.split('.')
      const fileName = `assets/${base}-${hash}.${extension}`
      this.emitFile({ type: 'asset', fileName, source: text })
      names.set(`/assets/${name}`, `/${fileName}`)
    }
    for (const [name, files] of Object.entries(styles)) {
      asset(name, files.map(file => shortCss(readFileSync(file, 'utf8'))).join('\n'))
    }
    asset('icon.svg', readFileSync(`${source}icon.svg`, 'utf8'))
    for (const file of readdirSync(source).filter(name => name.endsWith('.html'))) {
      const html = readFileSync(source + file, 'utf8').replace(/"(\/assets\/[^"]+)"/g, (_, plain) => {
        const hashed = names.get(plain)
        if (!hashed) throw new Error(`${file} names ${plain}, which no build makes`)
        return `"${hashed}"`
      })
      this.emitFile({ type: 'asset', fileName: file, source: html })
    }
    const manifest = `${JSON.stringify(Object.fromEntries([...names].sort()), null, 2)}\n`
    this.emitFile({ type: 'asset', fileName: 'manifest.json', source: manifest })
  },
  writeBundle() {
    pack()
    copyDemo()
  },
}

/** Comments and the white space at line ends are most of what can go without a parser; the rest compresses well. */
const shortCss = css =>
  css
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\s*\n\s*/g, '\n')
    .replace(/ \{\n/g, '{')
    .replace(/;\n\}/g, '}')
    .replace(/([;{}])\n/g, '$1')
    .trim()

/** Beside each script and style sheet, what browsers ask for instead of it. */
function pack() {
  const folder = `${root}dist/dashboard/assets/`
  for (const file of readdirSync(folder).filter(name => /\.(js|css|svg)$/.test(name))) {
    const code = readFileSync(folder + file)
    writeFileSync(`${folder}${file}.br`, brotli(code))
    writeFileSync(`${folder}${file}.gz`, gzipSync(code, { level: 9 }))
  }
}

/** The demo is static; its consent banner is copied from the npm package, so the page asks no other host for it. */
function copyDemo() {
  const target = `${root}dist/demo/`
  rmSync(target, { recursive: true, force: true })
  mkdirSync(target, { recursive: true })
  cpSync(demo, target, { recursive: true })
  const banner = fileURLToPath(new URL('.', `file://${require.resolve('vanilla-cookieconsent')}`))
  for (const file of ['cookieconsent.umd.js', 'cookieconsent.css']) cpSync(banner + file, target + file)
}

const script = (input, plugins) => ({
  input,
  output: {
    dir: 'dist/dashboard',
    format: 'es',
    entryFileNames: 'assets/[name]-[hash].js',
    chunkFileNames: 'assets/[name]-[hash].js',
  },
  plugins: [stripTypes, nodeResolve({ browser: true }), shorten, rememberNames, ...plugins],
})

/** Each script by itself, so that none loads a part of another. */
export const dashboardConfigs = [
  script({ theme: 'collector/dashboard/shell/theme.ts' }, [
    {
      name: 'empty-first',
      buildStart: () => rmSync(`${root}dist/dashboard`, { recursive: true, force: true }),
    },
  ]),
  script({ worker: 'collector/dashboard/live/worker.ts' }, []),
  script({ app: 'collector/dashboard/app.tsx' }, [pages]),
]
