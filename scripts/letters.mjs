/**
 * `node scripts/letters.mjs [seconds] [core|consent|full]`: looks for an order of letters (`LETTERS` in tag-build.mjs) in which the
 * tag compresses best, by swapping letters and keeping what is not worse. Prints each that is better, and the bytes: of that
 * program; or, where none is named, of `standard`, also composed of chunks.
 */
import { BUDGETS, brotli, compose, MARGIN } from './budget.mjs'
import { cut, EAGER, inOrder, LETTERS, mangle, unnamedChunks, unnamedProgram } from './tag-build.mjs'

const seconds = Number(process.argv[2] ?? 120)
/** `core`, `consent`, `full`, or none: then it is about all else. */
const one = process.argv[3]

/** What stands around the number of a name until it is known which letters it is: it is in no text of the tag. */
const MARK = 'ʬ'
/** A program of which only the letters are open: texts, and between them the numbers of names. */
const numbered = async code => (await mangle(code, { get: n => MARK + n + MARK })).split(MARK)
const lettered = (parts, letters) => {
  const names = inOrder(letters)
  return parts.map((part, i) => (i % 2 ? names.get(Number(part)) : part)).join('')
}

const programs = await Promise.all(
  [one ?? 'standard'].map(async name => [name, await numbered(await unnamedProgram(name))]),
)
const chunks = one ? undefined : await numbered(await unnamedChunks())

const sizesWith = letters => ({
  ...Object.fromEntries(programs.map(([name, parts]) => [name, brotli(EAGER + lettered(parts, letters)).length])),
  ...(chunks && { composed: brotli(compose(cut(lettered(chunks, letters)))).length }),
})

/** Bytes, and many more for each that is over a budget. */
function costOf({ composed = 0, ...rest }) {
  const over = Object.entries(rest).map(([name, bytes]) => bytes - BUDGETS[name])
  if (composed) over.push(composed - rest.standard * MARGIN)
  const bytes = Object.values(rest).reduce((sum, bytes) => sum + bytes, composed)
  return bytes + over.reduce((sum, more) => sum + 10 * Math.max(0, more), 0)
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
  const sizes = sizesWith(tried.join(''))
  const cost = costOf(sizes)
  if (cost > least) continue
  if (cost < least) console.log(Object.values(sizes).join(' '), tried.join(''))
  best = tried
  least = cost
}
