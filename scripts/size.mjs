/**
 * `npm run size`: how large the tag is, and whether that is within its budget and what the README says; and how much larger
 * the same is when it is composed of chunks, as a collector does: 1 % at most.
 *
 * Prints a table, or JSON with `--json`. Exits with 1 over a budget, and where README.md has no number or another one.
 * The README carries each as `<!-- size:core -->1,742 B<!-- /size -->`: bytes, brotli 11.
 */
import { readFileSync } from 'node:fs'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

/** bytes after brotli 11; only a smaller number replaces a number */
const BUDGETS = { core: 1_800, consent: 2_350, standard: 3_450, full: 3_500 }

const read = path => readFileSync(new URL(`../${path}`, import.meta.url))
const brotli = code =>
  brotliCompressSync(code, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_SIZE_HINT]: code.length,
    },
  })

const sizes = Object.fromEntries(
  Object.entries(BUDGETS).map(([name, budget]) => {
    const code = read(`dist/tag/${name}.js`)
    const gzip = gzipSync(code, { level: 9 }).length
    return [name, { bytes: code.length, gzip, brotli: brotli(code).length, budget }]
  }),
)

/** The chunks of the program `standard`, put together as `/t/<site>.js` is. */
const composed = () => {
  const [core, ...capabilities] = ['core', 'rules', 'optout', 'urls', 'offline', 'tabs'].map(name =>
    read(`dist/tag/chunks/${name}.js`),
  )
  const options = '{"site":"demo",url:new URL("../e",document.currentScript.src).href}'
  const code = Buffer.from(`(${core})(${options},[${capabilities}])`)
  const gzip = gzipSync(code, { level: 9 }).length
  return { bytes: code.length, gzip, brotli: brotli(code).length, budget: Math.floor(sizes.standard.brotli * 1.01) }
}

const readme = () => {
  try {
    return read('README.md').toString()
  } catch {
    return ''
  }
}
const number = value => value.toLocaleString('en')

const text = readme()
const whole = Object.entries(sizes)
sizes['standard, composed'] = composed()
const wrong = whole.flatMap(([name, { brotli, budget }]) => {
  const marker = `<!-- size:${name} -->${number(brotli)} B<!-- /size -->`
  const marked = text.match(new RegExp(`<!-- size:${name} -->.*?<!-- /size -->`, 'g'))
  return [
    brotli > budget && `${name} has ${number(brotli)} B, its budget is ${number(budget)} B`,
    !marked && `README.md does not say how large ${name} is; it should hold ${marker}`,
    marked?.some(found => found !== marker) && `README.md says ${marked.join(', ')}; it should say ${marker}`,
  ].filter(Boolean)
})

const { brotli: apart, budget: most } = sizes['standard, composed']
if (apart > most) wrong.push(`standard, composed, has ${number(apart)} B, more than 1 % over the whole program`)

if (process.argv.includes('--json')) console.log(JSON.stringify(sizes))
else console.table(sizes)
for (const line of wrong) console.error(`size: ${line}`)
if (wrong.length > 0) process.exitCode = 1
