/** What builders have left when all is over. */
import type { Db } from 'mongodb'
import { columns, countColumns, type ManifestDocument, manifests } from '../../collector/columns/documents.ts'
import { createBlockBuilder } from '../../collector/columns/index.ts'
import { CLOSING } from './collectors.ts'

export interface Left {
  /** days that are kept as blocks */
  days: number
  /** versions that no manifest has */
  orphans: number
  /** manifests of which columns are missing */
  damaged: number
}

export interface BlocksLeft extends Left {
  /** versions that no manifest had before the last look */
  swept: number
}

export async function countLeft(db: Db): Promise<Left> {
  const left = { orphans: 0, damaged: 0, days: 0 }
  const sites = new Set([...(await columns(db).distinct('site')), ...(await manifests(db).distinct('site'))])
  for (const site of sites) {
    const versions = await countColumns(db, site, {})
    const held = new Map<string, ManifestDocument>()
    for await (const manifest of manifests(db).find({ site })) held.set(String(manifest.version), manifest)
    left.days += held.size
    left.orphans += [...versions.keys()].filter(version => !held.has(version)).length
    left.damaged += [...held].filter(([version, { columns }]) => versions.get(version) !== columns).length
  }
  return left
}

/** When nobody builds any more: what a last look leaves. */
export async function sweepBlocks(db: Db): Promise<BlocksLeft> {
  const { orphans: swept, damaged } = await countLeft(db)
  await createBlockBuilder({ db, now: () => Date.now() + CLOSING.ahead, pace: CLOSING.pace }, 0)()
  const left = await countLeft(db)
  return { ...left, swept, damaged: damaged + left.damaged }
}
