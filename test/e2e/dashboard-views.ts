/** Every view of the dashboard, for what has to hold in each of them. */
import type { Page } from 'playwright-core'

export interface View {
  name: string
  /** below the collector's URL */
  path: string
  /** what has to be done until it is shown */
  open?(page: Page): Promise<void>
}

const settings = ['general', 'goals', 'properties', 'keys', 'people', 'shares', 'account']

/** @param share token of a shared link with a password, @param mailing id of one with opens and clicks */
export const views = (share: string, mailing: string): View[] => [
  { name: 'overview', path: 'overview?site=shop&range=30d' },
  { name: 'overview-today', path: 'overview?site=shop&range=day' },
  { name: 'overview-never', path: 'overview?site=new' },
  { name: 'live', path: 'live?site=shop' },
  { name: 'live-wall', path: 'live?site=shop&wall=1' },
  { name: 'live-never', path: 'live?site=new' },
  { name: 'mails', path: 'mails?site=shop' },
  { name: 'mails-none', path: 'mails?site=new' },
  { name: 'mails-report', path: `mails?site=shop&mailing=${mailing}` },
  { name: 'mails-unknown', path: 'mails?site=shop&mailing=nothing' },
  { name: 'sites', path: 'sites?site=shop' },
  ...settings.map(tab => ({ name: `settings-${tab}`, path: `settings?site=shop&tab=${tab}` })),
  {
    name: 'palette',
    path: 'overview?site=shop&range=30d',
    async open(page) {
      await page.keyboard.press('?')
      await page.getByRole('dialog').waitFor()
    },
  },
  { name: 'share-password', path: `share/${share}` },
]

/** Waits until a view has what it shows. */
export async function shown(page: Page): Promise<void> {
  await page.locator('#main').waitFor()
  await page.waitForFunction(() => !document.querySelector('#main[aria-busy="true"], #main [aria-busy="true"], .ghost'))
}
