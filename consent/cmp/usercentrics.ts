/**
 * Usercentrics, version 3: https://usercentrics.com/docs/web/ (events `UC_UI_INITIALIZED`, `UC_UI_CMP_EVENT`, `UC_CONSENT`;
 * `__ucCmp.getConsentDetails()`)
 *
 * A consent that is not `EXPLICIT` is one that nobody gave.
 */
import { decide } from '../../tag/decide.ts'
import { options } from '../../tag/options.ts'
import { on } from '../../tag/safely.ts'
import { CMP } from '../ranks.ts'
import { AGREED } from '../state.ts'

interface Details {
  consent: { type: string }
  services: Record<string, { name: string; consent: { given: boolean } }>
  categories: Record<string, { state: string }>
}

/** The service is the one named `livetag`, unless the site's `category` says otherwise: a service's name or a category. */
export const usercentrics = () => {
  const read = async () => {
    // Nobody hears of it where it fails.
    try {
      const page = window as unknown as { __ucCmp: { getConsentDetails(): Promise<Details> } }
      const { consent, services, categories } = await page.__ucCmp.getConsentDetails()
      const wanted = options.category ?? 'livetag'
      const service = Object.values(services).find(({ name }) => name === wanted)
      const category = categories[wanted]
      decide(
        CMP,
        consent.type === 'EXPLICIT' &&
          (service || category) &&
          ((service ? service.consent.given : category?.state === 'ALL_ACCEPTED') ? AGREED : []),
        'usercentrics',
      )
    } catch {}
  }
  for (const type of ['UC_UI_INITIALIZED', 'UC_UI_CMP_EVENT', 'UC_CONSENT']) on(type, read)
  read()
}
