/**
 * `node scripts/letters.mjs [seconds] [core|consent]`: looks for an order of letters (`LETTERS` in tag-build.mjs) in which the
 * tag compresses best, by swapping letters and keeping what is not worse. Prints each that is better, and the bytes: of that
 * program; or, where none is named, of `standard`, and of `standard` composed of chunks.
 */
import { rollup } from 'rollup'
import { BUDGETS, brotli, compose, MARGIN } from './budget.mjs'
import { assigned, bare, compress, EAGER, LETTERS, mangle, tagConfigs } from './tag-build.mjs'

const seconds = Number(process.argv[2] ?? 120)
/** `core`, `consent`, or none: then it is about all else. */
const one = process.argv[3]

/** Compressed, but for its names. */
async function unnamed(file, wrap) {
  const { input, plugins, output } = tagConfigs.find(config => config.output.file === `dist/tag/${file}.js`)
  const bundle = await rollup({ input, plugins })
  const { code } = (await bundle.generate({ ...output, plugins: [] })).output[0]
  await bundle.close()
  return await compress(wrap(code))
}
const program = code => `(()=>{${code}})()`
const whole = await unnamed(one ?? 'standard', program)
const chunks = new Map()
if (!one) await compose(async name => void chunks.set(name, await unnamed(`chunks/${name}`, assigned)))

async function sizesWith(letters) {
  const named = code => mangle(code, letters)
  const code = await named(whole)
  return {
    [one ?? 'standard']: brotli(one ? code : EAGER + code).length,
    ...(!one && { composed: brotli(await compose(async name => bare(await named(chunks.get(name))))).length }),
  }
}

/** Bytes, and many more for each that is over a budget. */
function costOf({ composed = 0, ...rest }) {
  const [[name, bytes]] = Object.entries(rest)
  const over = [bytes - BUDGETS[name], composed && composed - bytes * MARGIN]
  return bytes + composed + over.reduce((sum, more) => sum + 10 * Math.max(0, more), 0)
}

/** Only the first letters are used often enough to matter. */
const place = () => Math.floor(Math.random() * 40)
let best = [...LETTERS[one ?? 'rest']]
let least = Number.POSITIVE_INFINITY
for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
  const tried = [...best]
  if (least < Number.POSITIVE_INFINITY)
    for (let swaps = 1 + (place() % 3); swaps--; ) {
      const [a, b] = [place(), place()]
      ;[tried[a], tried[b]] = [tried[b], tried[a]]
    }
  const sizes = await sizesWith(tried.join(''))
  const cost = costOf(sizes)
  if (cost > least) continue
  if (cost < least) console.log(Object.values(sizes).join(' '), tried.join(''))
  best = tried
  least = cost
}
