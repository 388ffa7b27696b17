/** What a `User-Agent` tells: browser, system, kind of device, and whether a bot says that it is one. */
import Bowser from 'bowser'
import { isbot, isbotMatch } from 'isbot'

export interface Agent {
  browser: string
  /** its version up to the first point: `147` */
  version?: string
  os: string
  /** `desktop`, `mobile`, `tablet`, `tv`, or empty when unknown */
  device: string
  /** the part of the agent that gave it away */
  bot?: string
}

const CACHED = 2_000
const cache = new Map<string, Agent>()

/** Parsed once an agent; the newest 2,000 agents are held. */
export function readAgent(userAgent: string): Agent {
  const text = userAgent.slice(0, 512)
  const held = cache.get(text)
  if (held) return held
  const agent = parse(text)
  const [oldest] = cache.keys()
  if (cache.size >= CACHED && oldest !== undefined) cache.delete(oldest)
  cache.set(text, agent)
  return agent
}

function parse(text: string): Agent {
  if (text === '') return { browser: '', os: '', device: '', bot: 'no-agent' }
  const { browser, os, platform } = Bowser.parse(text)
  const agent: Agent = { browser: browser.name ?? '', os: os.name ?? '', device: platform.type ?? '' }
  const [version] = /^\d{1,9}/.exec(browser.version ?? '') ?? []
  if (version !== undefined) agent.version = version
  if (isbot(text)) agent.bot = (isbotMatch(text) ?? 'isbot').slice(0, 64)
  return agent
}
