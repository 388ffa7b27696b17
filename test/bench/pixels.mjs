/** Pixel requests a second: raw Node http and bare Express answer from memory, livetag when the event is on disk. */
import { load, requestText } from './client.mjs'
import { startServer } from './servers.mjs'

const CONNECTIONS = 64
const SECONDS = 4
const ROUNDS = 3
const PATH = '/p.gif?site=demo&event=pageview&consent=g&campaign_id=123'

export async function measurePixels(livetag) {
  const raw = await startServer('raw')
  const express = await startServer('express')
  try {
    const servers = { raw, express, livetag }
    const rates = { raw: [], express: [], livetag: [] }
    for (const { url } of Object.values(servers)) await requestsPerSecond(url, 1)
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, { url }] of Object.entries(servers)) rates[name].push(await requestsPerSecond(url, SECONDS))
    }
    const medians = Object.fromEntries(
      Object.entries(rates).map(([name, list]) => [name, list.sort((a, b) => a - b)[ROUNDS >> 1]]),
    )
    return {
      ...medians,
      timesExpress: medians.livetag / medians.express,
      timesRaw: medians.livetag / medians.raw,
      rates,
    }
  } finally {
    await raw.stop()
    await express.stop()
  }
}

async function requestsPerSecond(url, seconds) {
  const text = requestText(url, 'GET', PATH)
  return (await load({ url, connections: CONNECTIONS, ms: seconds * 1000, request: () => text })).perSecond
}
