/** Where the collector is mounted, with a slash at its end: the page's script lies in `assets/` below it. */
export const BASE = new URL('..', import.meta.url).pathname
