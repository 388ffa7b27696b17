/**
 * A MaxMind DB of the owner's own (https://maxmind.github.io/MaxMind-DB/), whole in memory: which country, region and city an
 * address is in.
 */
import { readFile } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import { type CityResponse, Reader } from 'mmdb-lib'
import { tidy } from './tidy.ts'

/** Where somebody is, as far as a database tells. */
export interface Place {
  /** ISO 3166-1: `DE` */
  country?: string | undefined
  /** ISO 3166-2: `DE-BY` */
  region?: string | undefined
  /** its name in English */
  city?: string | undefined
}

export const NOWHERE: Place = {}

export interface Mmdb {
  /** as it names itself: `GeoLite2-City` */
  type: string
  /** when it was made */
  built: Date
  /** @param address whole; it is not kept. What is no address, or in no country, is {@link NOWHERE}. */
  find(address: string): Place
}

/** A file that tells of no countries, with what to do about it. */
export class MmdbError extends Error {
  override name = 'MmdbError'
}

/** Decoding a record takes 50 µs, finding one that was decoded 2. They are held by their place in the file. */
const HELD = 2_000
/** Zero bytes between the tree and the data, by the specification. */
const GAP = 16
const CITY_LENGTH = 100

/** @throws MmdbError */
export async function readMmdb(path: string): Promise<Mmdb> {
  const wrong = (what: string) => new MmdbError(`LIVETAG_GEO: ${path} ${what}`)
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw wrong(error.code === 'ENOENT' ? 'is not there' : `can't be read: ${error.message}`)
  })
  const reader = openReader(bytes)
  if (!reader) throw wrong('is no MaxMind DB, or not a whole one: take an .mmdb file, unpacked')
  const { databaseType: type, buildEpoch: built, ipVersion } = reader.metadata
  // IPinfo's have fields of their own.
  if (!/^(?!ipinfo).*(country|city|enterprise)/i.test(type))
    throw wrong(`is of the kind "${tidy(type, 100)}": take one of countries or cities, such as GeoLite2-City.mmdb`)
  return {
    type,
    built,
    find(address) {
      // Its tree knows nothing of what it would take for the first bits of another address.
      if (ipVersion === 4 && isIPv6(address)) return NOWHERE
      try {
        return placeOf(reader.get(address))
      } catch {
        return NOWHERE
      }
    },
  }
}

function openReader(bytes: Buffer): Reader<CityResponse> | undefined {
  try {
    const reader = new Reader<CityResponse>(bytes, { cache: holdNewest() })
    const { searchTreeSize: tree, databaseType, buildEpoch } = reader.metadata
    const gap = bytes.subarray(tree, tree + GAP)
    const isWhole = gap.length === GAP && gap.every(byte => byte === 0)
    return isWhole && typeof databaseType === 'string' && !Number.isNaN(+buildEpoch) ? reader : undefined
  } catch {
    return undefined
  }
}

/** What a database says may be anything. */
function placeOf(record: CityResponse | null): Place {
  const country = record?.country?.iso_code
  if (typeof country !== 'string' || !/^[A-Z]{2}$/.test(country)) return NOWHERE
  const part = record?.subdivisions?.[0]?.iso_code
  const city = record?.city?.names?.en
  return {
    country,
    region: typeof part === 'string' && /^[A-Z0-9]{1,3}$/.test(part) ? `${country}-${part}` : undefined,
    city: typeof city === 'string' ? tidy(city, CITY_LENGTH) || undefined : undefined,
  }
}

function holdNewest() {
  const held = new Map<string | number, unknown>()
  return {
    get: (key: string | number) => held.get(key),
    set(key: string | number, value: unknown) {
      const [oldest] = held.keys()
      if (held.size >= HELD && oldest !== undefined) held.delete(oldest)
      held.set(key, value)
    },
  }
}
