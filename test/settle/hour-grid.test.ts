import { expect, test } from 'vitest'
import { hourOf } from '../../collector/settle/index.ts'

const hour = (at: string, zone: string): string[] => {
  const found = hourOf(Date.parse(at), zone)
  return [found.at, found.end].map(ms => new Date(ms).toISOString().slice(0, 16))
}

test.each([
  ['in UTC', 'UTC', '2026-03-01T10:59:59.999Z', '2026-03-01T10:00', '2026-03-01T11:00'],
  ['in a zone of whole hours, as in UTC', 'Europe/Berlin', '2026-03-01T10:00Z', '2026-03-01T10:00', '2026-03-01T11:00'],
  ['where a clock goes on by an hour', 'Europe/Berlin', '2026-03-29T01:00Z', '2026-03-29T01:00', '2026-03-29T02:00'],
  ['at half past', 'Asia/Kolkata', '2026-03-01T10:29Z', '2026-03-01T09:30', '2026-03-01T10:30'],
  ['at half past, west of Greenwich', 'Pacific/Marquesas', '2026-03-01T10:31Z', '2026-03-01T10:30', '2026-03-01T11:30'],
  ['at a quarter', 'Asia/Kathmandu', '2026-03-01T10:14Z', '2026-03-01T09:15', '2026-03-01T10:15'],
  ['of an offset', '+05:30', '2026-03-01T10:29Z', '2026-03-01T09:30', '2026-03-01T10:30'],
  // Its clocks go back by half an hour: from 2:00 to 1:30.
  ['before half an hour', 'Australia/Lord_Howe', '2026-04-04T14:59Z', '2026-04-04T14:00', '2026-04-04T15:00'],
  ['cut to half an hour', 'Australia/Lord_Howe', '2026-04-04T15:00Z', '2026-04-04T15:00', '2026-04-04T15:30'],
  ['after half an hour', 'Australia/Lord_Howe', '2026-04-04T15:30Z', '2026-04-04T15:30', '2026-04-04T16:30'],
  ['of a zone that nobody knows, as in UTC', 'Moon/Base', '2026-03-01T10:29Z', '2026-03-01T10:00', '2026-03-01T11:00'],
])('an hour %s', (_name, zone, at, from, to) => {
  expect(hour(at, zone)).toEqual([from, to])
})
