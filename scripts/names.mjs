/**
 * The names of variables, a tenth of the tag's letters. Which is whose matters: brotli finds more repetitions where
 * things that are used in the same way have the same name. `names.json` says the letters of each variable, for each program and
 * for the chunks; `node scripts/letters.mjs` finds them by trying. A variable that is not in it, or would hide another one, takes
 * the next free name: so the table holds, only not as well, when the source has changed.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseAst } from 'rollup/parseAst'
import { minify } from 'terser'

const FILE = new URL('names.json', import.meta.url)
/** By program, as `{<name>: '<variable> <variable> …'}`. A variable is as in the source, with a number where it is not the first. */
const read = () => JSON.parse(readFileSync(FILE))
/** The name of each variable in a program. */
export const tableOf = program =>
  Object.fromEntries(Object.entries(read()[program]).flatMap(([name, all]) => all.split(' ').map(of => [of, name])))
export function keepTable(program, table) {
  const names = {}
  for (const [variable, name] of Object.entries(table))
    names[name] = names[name] ? `${names[name]} ${variable}` : variable
  writeFileSync(FILE, `${JSON.stringify({ ...read(), [program]: names }, null, 2)}\n`)
}

const LETTERS = [...'eitnasroclhudpmgfvbwyxzkjqESTANOIRLCDPMHUBFGWVYXKZJQ$_']
/** All names, shortest first; no word of the language is as short but these. */
export const NAMES = [...LETTERS, ...LETTERS.flatMap(a => LETTERS.map(b => a + b))].filter(
  name => !/^(do|if|in|of|as)$/.test(name),
)

/** What stands around the number of a variable until it has a name: it is in no text of the tag. */
const MARK = 'ʬ'
const ONE = new RegExp(`^${MARK}(\\d+)${MARK}$`)

/** The identifiers of a program, in order, but for keys; each with the scopes that it is in, outermost first. */
function identifiersOf(code) {
  const found = []
  const visit = (node, scopes, own) => {
    if (node.type === 'Identifier') return void found.push({ name: node.name, scopes })
    const opens = /Function|^For|^Catch/.test(node.type)
    // What a function or a `catch` declares is in one scope with what its body does.
    const inner = opens || (node.type === 'BlockStatement' && !own) ? [...scopes, node] : scopes
    for (const [key, value] of Object.entries(node)) {
      if (!node.computed && (key === 'key' || key === 'property')) continue
      for (const child of Array.isArray(value) ? value : [value])
        if (child?.type)
          visit(child, key === 'id' ? scopes : inner, opens && key === 'body' && !node.type.startsWith('For'))
    }
  }
  visit(parseAst(code), [0], true)
  return found
}

/**
 * A program whose variables have no names yet.
 * @returns {Promise<{ parts: string[], variables: { id: string, others: number[] }[], taken: Set<string> }>}
 * its text, in which every second part is the number of a variable; what each variable is called in the source, and which others
 * may not have its name, as one of them is seen where the other is used; and what is no variable of the program
 */
export async function numbered(code) {
  let count = 0
  const mark = { get: () => MARK + count++ + MARK }
  const options = { ecma: 2021, toplevel: true, compress: false, format: { comments: false } }
  const before = identifiersOf((await minify(code, { ...options, mangle: false })).code)
  const text = (await minify(code, { ...options, mangle: { nth_identifier: mark } })).code
  const taken = new Set()
  /** how many variables have this name in the source */
  const times = new Map()
  /** @type {Map<number, { id: string, places: unknown[][] }>} */
  const all = new Map()
  for (const [i, { name, scopes }] of identifiersOf(text).entries()) {
    const number = ONE.exec(name)?.[1]
    if (!number) taken.add(name)
    else if (all.has(+number)) all.get(+number).places.push(scopes)
    else {
      const source = before[i].name.replace(/\$\d+$/, '')
      times.set(source, (times.get(source) ?? 0) + 1)
      all.set(+number, { id: times.get(source) > 1 ? source + times.get(source) : source, places: [scopes] })
    }
  }
  /** From where a variable is declared to where it is used. */
  const reach = ({ places }) => {
    let depth = 0
    while (places.every(scopes => scopes[depth + 1] && scopes[depth + 1] === places[0][depth + 1])) depth++
    return new Set(places.flatMap(scopes => scopes.slice(depth)))
  }
  const reaches = new Map([...all].map(([number, variable]) => [number, reach(variable)]))
  const variables = []
  for (const [number, { id }] of all) {
    const others = [...all.keys()].filter(
      other => other !== number && [...reaches.get(number)].some(scope => reaches.get(other).has(scope)),
    )
    variables[number] = { id, others }
  }
  return { parts: text.split(MARK), variables, taken }
}

/** A name for each variable, by a table like those of {@link tableOf}. */
export function namesBy({ variables, taken }, table) {
  const names = []
  variables.forEach(({ id, others }, number) => {
    const free = name => name && !taken.has(name) && others.every(other => names[other] !== name)
    names[number] = free(table[id]) ? table[id] : NAMES.find(free)
  })
  return names
}

/** The program with these names. */
export const named = ({ parts }, names) =>
  parts
    .map((part, i) => {
      if (i % 2) return names[part]
      // `{d:d}` is `{d}`
      const key = /[{,](\w+):$/.exec(part)?.[1]
      return key && key === names[parts[i + 1]] && /^[,}=]/.test(parts[i + 2]) ? part.slice(0, -key.length - 1) : part
    })
    .join('')

/** A program, compressed but for its names, with those of the table. Throws where one would hide another. */
export async function mangle(code, program) {
  const open = await numbered(code)
  const mangled = named(open, namesBy(open, tableOf(program)))
  // Numbered again, it has to be what it was: each name is still that of the same variable.
  if (String((await numbered(mangled)).parts) !== String(open.parts)) throw new Error(`names in ${program} hide others`)
  return mangled
}
