/**
 * `npm run size`: how large the tag is, and whether that is within its budget and what the README says; how much larger
 * the same is when it is composed of chunks, as a collector does: 1 % at most; and how large all of the dashboard is.
 *
 * Prints a table, or JSON with `--json`. Exits with 1 over a budget, and where README.md has no number or another one.
 * The README carries each as `<!-- size:core -->1,742 B<!-- /size -->`: bytes, brotli 11.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { BUDGETS, brotli, compose, DASHBOARD, MARGIN } from './budget.mjs'

const read = path => readFileSync(new URL(`../${path}`, import.meta.url))
const sizes = Object.fromEntries(
  Object.entries(BUDGETS).map(([name, budget]) => {
    const code = read(`dist/tag/${name}.js`)
    const gzip = gzipSync(code, { level: 9 }).length
    return [name, { bytes: code.length, gzip, brotli: brotli(code).length, budget }]
  }),
)

const composed = () => {
  const folder = new URL('../dist/tag/chunks/', import.meta.url)
  const chunks = readdirSync(folder).map(file => [
    file.replace('.js', ''),
    readFileSync(new URL(file, folder)).toString(),
  ])
  const code = compose(Object.fromEntries(chunks))
  const gzip = gzipSync(code, { level: 9 }).length
  return { bytes: code.length, gzip, brotli: brotli(code).length, budget: Math.floor(sizes.standard.brotli * MARGIN) }
}

/** Every script, style sheet and picture of it. */
const dashboard = () => {
  const folder = new URL('../dist/dashboard/assets/', import.meta.url)
  const files = readdirSync(folder)
    .filter(name => /\.(js|css|svg)$/.test(name))
    .map(file => readFileSync(new URL(file, folder)))
  const sum = pack => files.reduce((bytes, code) => bytes + pack(code).length, 0)
  return {
    bytes: sum(code => code),
    gzip: sum(code => gzipSync(code, { level: 9 })),
    brotli: sum(brotli),
    budget: DASHBOARD,
  }
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
sizes.dashboard = dashboard()
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

if (sizes.dashboard.brotli > DASHBOARD)
  wrong.push(`dashboard has ${number(sizes.dashboard.brotli)} B, its budget is ${number(DASHBOARD)} B`)

if (process.argv.includes('--json')) console.log(JSON.stringify(sizes))
else console.table(sizes)
for (const line of wrong) console.error(`size: ${line}`)
if (wrong.length > 0) process.exitCode = 1
