/**
 * Passwords, kept as what scrypt makes of them. One takes 128 MB and most of a second of a processor: few are computed at
 * once and few wait, so that a flood of sign-ins takes neither the memory nor the threads that files and the network need.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'

/** OWASP, Password Storage Cheat Sheet: N = 2^17, r = 8, p = 1. */
const COST = { ln: 17, r: 8, p: 1 } as const
const SALT_BYTES = 16
const HASH_BYTES = 32
/** Computed at once; Node has four threads for all that would block. */
const AT_ONCE = 2
/** Waiting for their turn: the last of them for about ten seconds. */
const MOST_WAITING = 24

/** Characters (code points, after NFKC). */
export const PASSWORD_LENGTH = { least: 10, most: 200 } as const

/** Thrown when too many are computed and waiting: try again in some seconds. */
export class PasswordsBusy extends Error {
  override name = 'PasswordsBusy'
}

let computing = 0
const waiting: (() => void)[] = []

/** One text however it was typed: NIST SP 800-63B §3.1.1.2 asks for NFKC or NFKD. */
const normal = (password: string): string => password.normalize('NFKC')

/** Whether a text may be a password. */
export function isPassword(text: unknown): text is string {
  // Before it is taken apart: nobody makes us look through a megabyte.
  if (typeof text !== 'string' || text.length > 4 * PASSWORD_LENGTH.most || !text.isWellFormed()) return false
  const { length } = [...normal(text)]
  return length >= PASSWORD_LENGTH.least && length <= PASSWORD_LENGTH.most
}

/** What is kept: `$scrypt$ln=17,r=8,p=1$<salt>$<hash>`, as PHC strings are. @throws PasswordsBusy */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const hash = await compute(password, salt, COST)
  const { ln, r, p } = COST
  return `$scrypt$ln=${ln},r=${r},p=${p}$${salt.toString('base64url')}$${hash.toString('base64url')}`
}

const KEPT = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([\w-]+)\$([\w-]+)$/
/** Of nobody: what is compared with it takes as long and is never right. */
const NOBODY = `$scrypt$ln=${COST.ln},r=${COST.r},p=${COST.p}$${'A'.repeat(22)}$${'A'.repeat(43)}`

/**
 * Whether a password is the one that is kept. It takes as long where there is none.
 * @throws PasswordsBusy
 */
export async function isRight(password: string, kept: string | undefined): Promise<boolean> {
  const [, ln, r, p, salt = '', hash = ''] = KEPT.exec(kept ?? NOBODY) ?? []
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) }
  const computed = await compute(password, Buffer.from(salt, 'base64url'), cost)
  const expected = Buffer.from(hash, 'base64url')
  return expected.length === computed.length && timingSafeEqual(expected, computed) && kept !== undefined
}

async function compute(
  password: string,
  salt: Buffer,
  { ln, r, p }: Record<keyof typeof COST, number>,
): Promise<Buffer> {
  if (computing < AT_ONCE) computing++
  else if (waiting.length >= MOST_WAITING) throw new PasswordsBusy()
  else await new Promise<void>(resolve => waiting.push(resolve))
  try {
    const N = 2 ** ln
    return await new Promise((resolve, reject) =>
      scrypt(normal(password), salt, HASH_BYTES, { N, r, p, maxmem: 256 * N * r }, (error, hash) =>
        error ? reject(error) : resolve(hash),
      ),
    )
  } finally {
    // The place is handed on, so that nobody who comes later is first.
    const next = waiting.shift()
    if (next) next()
    else computing--
  }
}
