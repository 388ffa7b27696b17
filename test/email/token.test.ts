import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { isExpired, mintToken, pseudonym, readToken, type SigningKey, sign } from '../../collector/email/token.ts'

const NOW = Date.UTC(2026, 4, 1)
const DAY = 86_400_000
const keyNumbered = (number: number, from = NOW): SigningKey => ({
  number,
  secret: createSecretKey(randomBytes(32)),
  from,
  until: from + 30 * DAY,
})
const key = keyNumbered(7)
const keyOf = (number: number) => (number === key.number ? key : undefined)
const secret = createSecretKey(randomBytes(32))
const minted = NOW / 1000 + 60
const token = (link = 0, reference = 'anna@example.org') =>
  mintToken(key, { link, mailing: 0xfedcba98, minted, recipient: pseudonym(secret, 'shop', reference) })

test('a token says what it was minted of, and its paths have at most 60 characters', () => {
  const text = token(513)
  expect(readToken(text, keyOf)).toEqual({
    key: 7,
    link: 513,
    mailing: 0xfedcba98,
    minted,
    recipient: pseudonym(secret, 'shop', 'anna@example.org'),
  })
  expect(encodeURIComponent(text)).toBe(text)
  expect(`/p/${text}.gif`.length).toBeLessThanOrEqual(60)
})

test('the signature is the HMAC-SHA-256 of Node itself, for keys of any length', () => {
  for (const length of [1, 31, 32, 63, 64, 65, 200]) {
    const own = createSecretKey(randomBytes(length))
    for (let i = 0; i < 20; i++) {
      const bytes = randomBytes(23)
      const whole = createHmac('sha256', own).update(bytes).digest()
      expect(sign(own, bytes)).toEqual(whole.subarray(0, 16))
    }
  }
})

test('one flipped bit anywhere is rejected: of its bytes, and of its characters', () => {
  const text = token(3)
  const flips = (bytes: Buffer) =>
    Array.from({ length: bytes.length * 8 }, (_, bit) => {
      const copy = Buffer.from(bytes)
      copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      return copy
    })
  const ofBytes = flips(Buffer.from(text, 'base64url')).map(bytes => bytes.toString('base64url'))
  const ofCharacters = flips(Buffer.from(text, 'latin1')).map(bytes => bytes.toString('latin1'))
  expect([ofBytes.length, ofCharacters.length]).toEqual([312, 416])
  for (const flipped of [...ofBytes, ...ofCharacters]) expect(readToken(flipped, () => key)).toBeUndefined()
  // Each other key's signature is as wrong as none.
  expect(readToken(text, () => keyNumbered(7))).toBeUndefined()
  for (const wrong of [
    '',
    text.slice(1),
    `${text}A`,
    `${text}=`,
    text.replaceAll(/[-_]/g, '+'),
    `${text.slice(0, 51)}\n`,
  ])
    if (wrong !== text) expect(readToken(wrong, keyOf)).toBeUndefined()
})

test('a key signs nothing that says it was minted outside of its days', () => {
  const recipient = pseudonym(secret, 'shop', 'a')
  const at = (ms: number) =>
    readToken(mintToken(key, { link: 0, mailing: 1, minted: Math.floor(ms / 1000), recipient }), keyOf)
  expect(at(NOW)).toBeDefined()
  expect(at(key.until - 1000)).toBeDefined()
  expect(at(NOW - 1000)).toBeUndefined()
  expect(at(key.until)).toBeUndefined()
})

test('a token counts for 13 months', () => {
  expect(isExpired({ minted }, minted * 1000 + 13 * 31 * DAY)).toBe(false)
  expect(isExpired({ minted }, minted * 1000 + 13 * 31 * DAY + 1)).toBe(true)
})

test('what is in it tells no reference without the secret', () => {
  const reference = 'anna.schmidt@example.org'
  const text = token(0, reference)
  const decoded = Buffer.from(text, 'base64url')
  for (const form of ['latin1', 'utf8', 'hex', 'base64'] as const) expect(decoded.toString(form)).not.toContain('anna')
  // The field of the recipient is no plain digest of the reference that somebody could try out.
  const field = decoded.subarray(12, 23)
  for (const other of [randomBytes(32), Buffer.alloc(32), Buffer.from('shop')])
    expect(pseudonym(createSecretKey(other), 'shop', reference)).not.toEqual(field)
  // Of the same person at another site it is another one, and with the secret it is found again.
  expect(pseudonym(secret, 'blog', reference)).not.toEqual(field)
  expect(pseudonym(secret, 'shop', reference)).toEqual(field)
})

test('a million recipients have a million tokens', { timeout: 300_000 }, () => {
  const N = 1_000_000
  // 8 bytes of each pseudonym, as whole tokens differ by their signatures, too: these are what must not be the same.
  const seen = new BigUint64Array(N)
  const minting = process.cpuUsage()
  for (let i = 0; i < N; i++) {
    const recipient = pseudonym(secret, 'shop', `customer-${i}`)
    seen[i] = recipient.readBigUInt64BE(0)
    mintToken(key, { link: 0, mailing: 1, minted, recipient })
  }
  const perToken = microseconds(minting) / N
  const one = token()
  const reading = process.cpuUsage()
  for (let i = 0; i < 100_000; i++) readToken(one, keyOf)
  const perRead = microseconds(reading) / 100_000
  process.stdout.write(`minted in ${perToken.toFixed(1)} µs with its pseudonym, verified in ${perRead.toFixed(1)} µs\n`)
  seen.sort()
  let collisions = 0
  for (let i = 1; i < N; i++) if (seen[i] === seen[i - 1]) collisions++
  expect(collisions).toBe(0)
})

/** Of the processor, as other tests have it, too. */
function microseconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since)
  return user + system
}
