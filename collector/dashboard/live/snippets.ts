/** The lines that an owner pastes, for one collector and one site. */
export function snippets(origin: string, site: string) {
  const key = encodeURIComponent(site)
  return {
    tag: `<script defer src="${origin}/t/${key}.js"></script>`,
    event: `livetag('track', 'signup')`,
    consent: `livetag('grant')   // or: livetag('deny')`,
    pixel: `<noscript><img src="${origin}/p.gif?site=${key}&event=pageview" alt="" width="1" height="1"></noscript>`,
  }
}
