/**
 * `node scripts/letters.mjs <core|consent|standard|full|chunks> [seconds]`: looks for names of variables (`names.json`) by which
 * a program compresses best, by giving a variable the name of another one, and keeping what is not worse; `chunks`: the program
 * `standard`, composed of them. Prints the bytes of each that is better, and keeps the best.
 */
import { brotli, compose } from './budget.mjs'
import { keepTable, named, namesBy, numbered, tableOf } from './names.mjs'
import { cut, hintOf, unnamedChunks, unnamedProgram } from './tag-build.mjs'

const program = process.argv[2]
const seconds = Number(process.argv[3] ?? 300)
const open = await numbered(program === 'chunks' ? await unnamedChunks() : await unnamedProgram(program))
const { variables } = open
const codeBy = names => (program === 'chunks' ? compose(cut(named(open, names))) : hintOf(program) + named(open, names))
const sizeOf = names => brotli(codeBy(names)).length
const oneOf = list => list[Math.floor(Math.random() * list.length)]

/** Those that are in what is measured: `standard` has not all chunks. */
const marked = codeBy(variables.map((_, number) => `ʬ${number}ʬ`))
const measured = [...variables.keys()].filter(number => marked.includes(`ʬ${number}ʬ`))

/** Gives a variable another name. What may not have the same one then gets the old one in its place, and so on. */
function rename(names, variable, name) {
  const old = names[variable]
  const renamed = new Set([variable])
  for (const one of renamed)
    for (const other of variables[one].others)
      if (names[other] === (names[one] === old ? name : old)) renamed.add(other)
  for (const one of renamed) names[one] = names[one] === old ? name : old
}

/** How willingly it goes on from what is worse by a byte: now and then, so as to come out of where it is stuck. */
const RISK = Math.exp(-1 / 0.3)
let names = namesBy(open, tableOf(program))
let bytes = sizeOf(names)
let least = bytes
console.log(`${least}`)
for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
  const tried = [...names]
  do rename(tried, oneOf(measured), tried[oneOf(measured)])
  while (Math.random() < 0.25)
  const now = sizeOf(tried)
  if (now > bytes && Math.random() > RISK ** (now - bytes)) continue
  names = tried
  bytes = now
  if (bytes >= least) continue
  least = bytes
  keepTable(program, Object.fromEntries(variables.map(({ id }, number) => [id, names[number]])))
  console.log(`${least}`)
}
