/** Every word that the dashboard's scripts show. Values come in already formatted for the reader's locale. */
export const strings = {
  title: 'Live',
  product: 'livetag',
  loading: 'Connecting to the collector…',
  site: 'Site',
  consentMode: {
    required: 'Consent required',
    cookieless: 'Cookieless',
    none: 'No consent needed',
  } as Record<string, string>,
  theme: { auto: 'Auto', light: 'Light', dark: 'Dark' } as Record<string, string>,
  themeLabel: 'Color theme',
  signOut: 'Sign out',
  skip: 'Skip to the events',

  link: {
    loading: 'Connecting',
    live: 'Live',
    reconnecting: 'Reconnecting',
    offline: 'Offline',
    'signed-out': 'Signed out',
    'unknown-site': 'Unknown site',
  },
  lastEvent: (ago: string) => `Last event ${ago}`,
  noEvent: 'No event yet',
  delay: (time: string) => `shown ${time} after receipt`,
  stale: (time: string) => `Figures as of ${time}`,

  notice: {
    reconnecting: {
      title: 'The line to the collector is down',
      text: 'What you see is what was known last. It is tried again by itself, and what came meanwhile shows then.',
    },
    offline: {
      title: 'This device is offline',
      text: 'What you see is what was known last. It carries on as soon as there is a network.',
    },
    'signed-out': { title: 'You are signed out', text: 'Sign in again to go on watching.', action: 'Sign in' },
    'unknown-site': {
      title: 'There is no such site here',
      text: (key: string) =>
        `The collector has no site “${key}”, or it is not yours. Choose one above, or make it with `,
      command: (key: string) => `npx livetag site add ${key} --domain shop.example`,
    },
    'no-sites': {
      title: 'There is no site yet',
      text: 'Make the first one, then load this page again: ',
      command: 'npx livetag site add shop --domain shop.example',
    },
  },

  active: 'Active visitors',
  activeNote: 'last 5 minutes',
  perSecond: 'Events per second',
  perSecondNote: 'mean of 10 seconds',
  views: 'Page views',
  events: 'Events',
  windowNote: 'last 30 minutes',

  chart: 'Events per second, last 5 minutes',
  chartSeconds: 'each second',
  chartMean: 'mean of 10 seconds',
  chartAt: (time: string, count: string, mean: string) => `${time} · ${count} · mean ${mean}`,
  chartText: (now: string, most: string) =>
    `Events per second over the last five minutes: ${now} on average now, ${most} in the busiest second.`,

  feed: 'Events as they come',
  feedEmpty: 'Nothing in the last while. The next event appears here by itself.',
  pause: 'Pause',
  resume: 'Resume',
  paused: (count: string) => `Paused · ${count} new`,
  feedList: 'Newest events first',
  from: (source: string) => `from ${source}`,
  bot: (name: string) => `bot: ${name}`,
  details: {
    title: 'Title',
    host: 'Host',
    source: 'Source',
    device: 'Device',
    received: 'Received',
    id: 'Id',
  },

  topPages: 'Top pages',
  byName: 'By event name',
  topEmpty: 'None in the last 30 minutes.',
  page: 'Page',
  name: 'Event',
  count: 'Count',
  share: 'Share',
  left: (count: string) => `and ${count} more`,

  empty: {
    title: (site: string) => `Waiting for the first event of ${site}`,
    lead: 'This turns into the live view by itself as soon as one comes.',
    tagTitle: 'Paste the tag into every page',
    tagText: 'Inside <head>. It counts page views from then on.',
    eventTitle: 'Count what matters to you',
    eventText: 'Anywhere in your own script once the page has loaded, for example after a sign-up:',
    consentTitle: 'Pass on the visitor’s answer',
    consentText:
      'This site requires consent: nothing is sent or stored before it. Call this when your banner has the answer, on every page; deny takes it back.',
    pixelTitle: 'Count pages where no script runs',
    pixelText: 'Optional, inside <body>.',
    pixelConsent: 'Optional, inside <body>. Without consent=g in its address it is answered but not counted here.',
    demo: 'Or try it at once:',
    demoLink: 'click around in the demo shop',
    demoSite: 'It belongs to the site',
  },
  copy: 'Copy',
  copied: 'Copied',
  copyFailed: 'Selected: press Ctrl+C',
} as const
