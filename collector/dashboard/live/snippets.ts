/**
 * The lines that an owner pastes, for one collector and one site.
 * @param origin with the path under which the collector is mounted, without a slash at its end
 * @param consent the site's mode
 */
export function snippets(origin: string, site: string, consent = 'required') {
  const key = encodeURIComponent(site)
  const { origin: host } = new URL(origin)
  return {
    tag: `<script defer src="${origin}/t/${key}.js"></script>`,
    event: `livetag('track', 'signup')`,
    consent: `livetag('grant')   // or: livetag('deny')`,
    pixel: `<noscript><img src="${origin}/p.gif?site=${key}&event=pageview" alt="" width="1" height="1"></noscript>`,
    stub: `<script>window.livetag = window.livetag || function () { (livetag.q = livetag.q || []).push([Date.now(), ...arguments]) }</script>`,
    npm: `import { createTag, offline, rules, urls } from 'livetag'

const tag = createTag(
  { site: '${site}', url: '${origin}/e', mode: '${consent}' },
  [rules, urls, offline],
)
tag.track('signup')`,
    csp: `script-src ${host}; connect-src ${host}; img-src ${host}`,
  }
}
