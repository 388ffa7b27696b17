import { expect, test } from 'vitest'
import { cleanBuiltIn } from '../../collector/intake/built-in.ts'

const HASH = 'd41d8cd98f00b204e9800998ecf8427e'

test.each([
  ['Uncaught TypeError: no card', 'Uncaught TypeError: no card'],
  [
    "Cannot read properties of undefined (reading 'getBoundingClientRect')",
    "Cannot read properties of undefined (reading 'getBoundingClientRect')",
  ],
  ['Unexpected token \'j\', "jane said" is not valid JSON', "Unexpected token 'j', * is not valid JSON"],
  ['Unexpected token in "cut of', 'Unexpected token in *'],
  ['no user jane@mail.example here', 'no user * here'],
  ['Failed to fetch https://shop.example/pay?card=4711', 'Failed to fetch https://shop.example/pay'],
  [`session ${HASH} is over`, 'session * is over'],
  ['what? nothing', 'what? nothing'],
  ['', ''],
])('the message of an error: %s', (message, cleaned) => {
  expect(cleanBuiltIn('error', { message, place: '3:7' })).toEqual({ message: cleaned, place: '3:7' })
})

test('URLs of errors and media lose queries and secrets; a message of another event is its own', () => {
  const url = `https://shop.example/reset/${HASH}?key=1`
  for (const name of ['error', 'media'])
    expect(cleanBuiltIn(name, { url })).toEqual({ url: 'https://shop.example/reset/*' })
  for (const name of ['form', 'chat'])
    expect(cleanBuiltIn(name, { url, message: '"x"' })).toEqual({ url, message: '"x"' })
})

test('what is no text stays what it is, and what there is not is not made', () => {
  expect(cleanBuiltIn('error', { message: 7, url: null })).toEqual({ message: 7, url: null })
  expect(cleanBuiltIn('error', {})).toEqual({})
  expect(cleanBuiltIn('error', undefined)).toBeUndefined()
})
