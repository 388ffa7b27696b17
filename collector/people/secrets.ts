/** Random texts that open something: 192 bits, so that nobody finds one by trying; only their hashes are kept. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

const BYTES = 24

/** 32 letters, digits, `-` and `_`. */
export const newSecret = (): string => randomBytes(BYTES).toString('base64url')

/** Whether a text has the form of one: what is anything else is not looked for. */
export const isSecret = (text: unknown): text is string => typeof text === 'string' && /^[\w-]{32}$/.test(text)

/**
 * Under which it is kept.
 * @param key where what is kept is worth nothing without this, either
 */
export const hashOf = (secret: string, key?: string): string =>
  (key === undefined ? createHash('sha256') : createHmac('sha256', key)).update(secret).digest('base64url')

/** In constant time for texts of one length. */
export function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
