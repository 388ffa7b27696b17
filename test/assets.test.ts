import { readFileSync } from 'node:fs'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { builtFolder } from '../collector/assets.ts'
import { startCollector, type TestCollector } from './fixtures/collector.ts'

const names: Record<string, string> = JSON.parse(readFileSync(`${builtFolder()}dashboard/manifest.json`, 'utf8'))
let it: TestCollector

beforeAll(async () => {
  it = await startCollector()
})
afterAll(() => it.close())

/** Without `fetch` taking them apart: it hides how they were sent. */
const ask = async (path: string, encoding: string) => {
  const { request } = await import('node:http')
  return await new Promise<{ status?: number; headers: NodeJS.Dict<string | string[]>; body: Buffer }>(
    (resolve, reject) => {
      const asked = request(it.url + path, { headers: { 'accept-encoding': encoding } }, async answer => {
        const { statusCode: status, headers } = answer
        const body = Buffer.concat(await answer.toArray())
        resolve({ headers, body, ...(status !== undefined && { status }) })
      })
      asked.on('error', reject).end()
    },
  )
}

test.each(['/assets/app.js', '/assets/app.css'])('%s is sent as who asks can read it, for ever', async name => {
  const path = names[name] ?? ''
  const plain = readFileSync(`${builtFolder()}dashboard${path}`)
  for (const [asked, encoding, unpack] of [
    ['gzip, deflate, br', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
    ['identity', undefined, (body: Buffer) => body],
  ] as const) {
    const { status, headers, body } = await ask(path, asked)
    expect([status, headers['content-encoding']]).toEqual([200, encoding])
    expect(unpack(body).equals(plain)).toBe(true)
    expect(headers['content-type']).toContain(name.endsWith('js') ? 'javascript' : 'text/css')
    expect(headers['cache-control']).toContain('immutable')
    expect(String(headers.vary).toLowerCase()).toContain('accept-encoding')
    expect(headers['content-security-policy']).not.toContain('unsafe')
  }
})

test('what is not there is not there, and no way leads out of the folder', async () => {
  for (const path of ['/assets/none.js', '/assets/', '/assets/..%2fapp.html', '/assets/%2e%2e/manifest.json']) {
    const { status, headers } = await ask(path, 'br')
    expect([status, headers['cache-control']?.includes('immutable') ?? false]).toEqual([404, false])
  }
})
