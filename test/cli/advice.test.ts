import { describe, expect, test } from 'vitest'
import { adviceOnDisk, adviceOnFence, adviceOnTransactions } from '../../collector/cli/advice.ts'
import { examine } from '../../collector/cli/examine.ts'
import type { Running } from '../../collector/cli/running.ts'

const GIB = 1024 ** 3

describe('`doctor` warns', () => {
  test('of a server without a fence, and says what holds all the same', () => {
    expect(adviceOnFence(true)).toBeUndefined()
    expect(adviceOnFence(false)).toMatch(/counted once .*livetag verify/)
  })

  test('of little space, with both sizes; not where the server tells none', () => {
    expect(adviceOnDisk({ disk: { free: 5 * GIB, total: 100 * GIB }, transactions: null })).toBeUndefined()
    expect(adviceOnDisk({ disk: { free: 0.5 * GIB, total: 10 * GIB }, transactions: null })).toContain(
      '512 MiB of 10,240 MiB',
    )
    expect(adviceOnDisk({ disk: null, transactions: null })).toBeUndefined()
  })

  test('of transactions that stay open for long, with the command', () => {
    expect(adviceOnTransactions(20)).toBeUndefined()
    expect(adviceOnTransactions(60)).toMatch(/60 s.*transactionLifetimeLimitSeconds: 20/)
  })
})

test('a warning is no failure, and what a collector gives as its reason is said in words', async () => {
  const report = await examine(collectorThatAnswers({ fenced: false, why: 'disk-full' }), 'running')
  expect(report.ok).toBe(false)
  expect(report.steps).toMatchObject({
    ready: { ok: false, error: expect.stringMatching(/disk .*Free some space/) },
    fence: { ok: false, warning: expect.stringContaining('does not refuse') },
    disk: { ok: false, warning: expect.stringContaining('1 MiB of 2 MiB') },
  })
  expect(report.steps).not.toHaveProperty('transactions')
})

/** At `/readyz`; all else is away. */
function collectorThatAnswers(ready: object): Running {
  return {
    url: `data:application/json,${encodeURIComponent(JSON.stringify(ready))}#`,
    key: '',
    async ask(path) {
      if (path === '/api/v2/doctor')
        return Response.json({ disk: { free: 2 ** 20, total: 2 ** 21 }, transactions: null })
      throw new Error('away')
    },
  }
}
