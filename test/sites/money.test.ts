import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isCurrency, MOST_MONEY, moneyText, toMajor, toMinor } from '../../collector/sites/index.ts'

test.each<[unknown, string, number]>([
  [49, 'EUR', 4_900],
  [49.9, 'EUR', 4_990],
  ['49.90', 'EUR', 4_990],
  ['0049.9', 'EUR', 4_990],
  // None of these is a float64.
  [1.1, 'USD', 110],
  [8.29, 'USD', 829],
  [1.005, 'USD', 101],
  [0.1 + 0.2, 'EUR', 30],
  [-0.005, 'EUR', -1],
  [-0.004, 'EUR', 0],
  ['1234', 'JPY', 1_234],
  ['1234.5', 'JPY', 1_235],
  ['1.2345', 'KWD', 1_235],
  ['1.2345', 'CLF', 12_345],
  [1e10, 'EUR', MOST_MONEY],
])('%j %s is %i minor units', (amount, currency, minor) => {
  expect(Object.is(toMinor(amount, currency), minor)).toBe(true)
})

test.each<[unknown, unknown]>([
  ['', 'EUR'],
  ['1,50', 'EUR'],
  ['1.', 'EUR'],
  ['.5', 'EUR'],
  [' 1', 'EUR'],
  ['1e3', 'EUR'],
  [1e-7, 'EUR'],
  [1e21, 'EUR'],
  [Number.NaN, 'EUR'],
  [Number.POSITIVE_INFINITY, 'EUR'],
  [1e10 + 1, 'EUR'],
  [true, 'EUR'],
  [null, 'EUR'],
  [[5], 'EUR'],
  [5, 'eur'],
  [5, 'XXX'],
  [5, 'DEM'],
  [5, ''],
  [5, undefined],
  [5, ['EUR']],
])('%j %j is no money', (amount, currency) => {
  expect(toMinor(amount, currency)).toBeUndefined()
})

test('what is written with as many decimals as a currency has comes back exactly', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -MOST_MONEY, max: MOST_MONEY }),
      fc.constantFrom('EUR', 'JPY', 'KWD'),
      (n, currency) => {
        const digits = { EUR: 2, JPY: 0, KWD: 3 }[currency] ?? 2
        const text = String(Math.abs(n)).padStart(digits + 1, '0')
        const whole = text.slice(0, text.length - digits)
        const amount = `${n < 0 ? '-' : ''}${whole}${digits ? `.${text.slice(-digits)}` : ''}`
        expect(toMinor(amount, currency)).toBe(n)
        expect(toMinor(toMajor({ value: n, currency }), currency)).toBe(n)
      },
    ),
  )
})

test('currencies are those of ISO 4217, and shown with its decimals where ICU has others', () => {
  expect(['EUR', 'JPY', 'IQD', 'CHW'].every(isCurrency)).toBe(true)
  expect(['EURO', 'eur', '', 5, null].some(isCurrency)).toBe(false)
  expect(moneyText({ value: 129_000, currency: 'EUR' })).toBe('€1,290.00')
  expect(moneyText({ value: 129_000, currency: 'EUR' }, true)).toBe('€1.3K')
  expect(moneyText({ value: 1_290, currency: 'JPY' })).toBe('¥1,290')
  expect(moneyText({ value: 1_500, currency: 'ISK' }).replace(/\s/gu, ' ')).toBe('ISK 1,500')
  expect(moneyText({ value: 1_500, currency: 'IQD' }).replace(/\s/gu, ' ')).toBe('IQD 1.500')
})
