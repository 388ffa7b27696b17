import type { IncomingMessage } from 'node:http'
import { isIPv4 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readConfig } from '../../collector/config.ts'
import { truncate, truncatedAddress } from '../../collector/intake/address.ts'

describe('an address is cut to its network', () => {
  test.each([
    ['203.0.113.77', '203.0.113.0'],
    ['203.0.113.77:4711', '203.0.113.0'],
    ['::ffff:203.0.113.77', '203.0.113.0'],
    ['::FFFF:203.0.113.77', '203.0.113.0'],
    ['[::ffff:203.0.113.77]:80', '203.0.113.0'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::'],
    ['2001:0DB8:0001::6', '2001:db8:1::'],
    ['[2001:db8:1::6]:443', '2001:db8:1::'],
    ['2001:db8::6', '2001:db8::'],
    ['2001:db8:0:7::', '2001:db8::'],
    ['::1', '::'],
    ['::', '::'],
    ['fe80::1:2:3:4%eth0', 'fe80::'],
    ['64:ff9b::203.0.113.77', '64:ff9b::'],
    ['::203.0.113.77', '::'],
    ['0:0:0:0:0:ffff:cb00:714d', '::'],
    // 6to4 has the IPv4 address in its first 48 bits
    ['2002:cb00:714d::1', '2002:cb00:7100::'],
    ['2002:cb00:4d::1', '2002:cb00::'],
    ['unknown', ''],
    ['', ''],
    ['203.0.113', ''],
    ['203.0.113.777', ''],
    ['shop.example', ''],
  ])('%s → %s', (address, network) => {
    expect(truncate(address)).toBe(network)
  })

  test('never more than 24 bits of IPv4 nor 48 of IPv6 are left', () => {
    fc.assert(
      fc.property(fc.ipV4(), address => {
        expect(truncate(address)).toMatch(/^\d+\.\d+\.\d+\.0$/)
        expect(truncate(truncate(address))).toBe(truncate(address))
      }),
    )
    fc.assert(
      fc.property(fc.ipV6(), address => {
        const network = truncate(address)
        expect(isIPv4(network) ? network.endsWith('.0') : /^([0-9a-f]{1,4}:){0,3}:$|^::$/.test(network)).toBe(true)
        expect(truncate(network)).toBe(network)
      }),
    )
  })

  test('what is no address becomes nothing, whatever it is', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), text => void expect(truncate(`x${text}`)).toBe('')))
  })
})

describe('whose address it is', () => {
  const { trustProxy } = readConfig({ trustProxy: ['10.0.0.0/8', '2001:db8:99::/48', '192.0.2.9'] })
  const ask = (remoteAddress: string | undefined, forwarded?: string): string =>
    truncatedAddress(
      { headers: { 'x-forwarded-for': forwarded } } as unknown as IncomingMessage,
      remoteAddress,
      trustProxy,
    )

  test.each<[string, string | undefined, string | undefined, string]>([
    ['without a proxy it is the socket’s', '203.0.113.77', undefined, '203.0.113.0'],
    ['who is not trusted can not say another', '203.0.113.77', '198.51.100.5', '203.0.113.0'],
    ['a trusted proxy says it', '10.1.2.3', '198.51.100.5', '198.51.100.0'],
    ['only the right-most untrusted hop counts', '10.1.2.3', '6.6.6.6, 198.51.100.5', '198.51.100.0'],
    ['behind several trusted proxies, too', '10.1.2.3', '6.6.6.6, 198.51.100.5, 192.0.2.9, 10.9.9.9', '198.51.100.0'],
    ['IPv6 proxies and visitors', '2001:db8:99::1', '2001:db8:1:2::3', '2001:db8:1::'],
    ['a proxy on a dual-stack socket', '::ffff:10.1.2.3', '198.51.100.5', '198.51.100.0'],
    ['with a port', '10.1.2.3', '[2001:db8:1:2::3]:443', '2001:db8:1::'],
    ['link-local with a zone', '10.1.2.3', 'fe80::1%eth0', 'fe80::'],
    ['a socket with a zone', 'fe80::1%eth0', undefined, 'fe80::'],
    ['what is no address ends the search at the proxy', '10.1.2.3', '198.51.100.5, unknown', '10.1.2.0'],
    ['nothing but trusted hops', '10.1.2.3', '10.0.0.1', '10.1.2.0'],
    ['an empty header', '10.1.2.3', '', '10.1.2.0'],
    ['a socket that is gone', undefined, '198.51.100.5', ''],
  ])('%s', (_name, socket, forwarded, network) => {
    expect(ask(socket, forwarded)).toBe(network)
  })

  test('no header makes it throw or say more than a network', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), header => {
        expect(ask('10.1.2.3', header)).toMatch(/^(\d+\.\d+\.\d+\.0|[0-9a-f:]*::)$/)
      }),
    )
  })
})
