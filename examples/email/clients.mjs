/** Five kinds of clients, as a pixel and links see them. */
import { parse } from 'parse5'

const CHROME = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36'
const OFFICE = 'Mozilla/4.0 (compatible; ms-office; MSOffice 16)'

/** Agent that loads the image, if any, and what is done with links: agent, method, and numbers of the links. */
export const CLIENTS = {
  browser: { opens: CHROME, clicks: [[CHROME, 'GET', [1]]] },
  apple: { opens: 'Mozilla/5.0', clicks: [] },
  gmail: {
    opens: 'Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)',
    clicks: [],
  },
  // Looks at all links before anybody reads the mail, first by their heads.
  scanner: {
    opens: undefined,
    clicks: [
      [CHROME, 'HEAD', [1, 2, 3]],
      [CHROME, 'GET', [1, 2, 3]],
    ],
  },
  // Office asks itself before it gives a link to the browser.
  outlook: {
    opens: OFFICE,
    clicks: [
      [OFFICE, 'GET', [2]],
      [CHROME, 'GET', [2]],
    ],
  },
}

/** Opens a mail and follows its links. @returns a line for each request: what came of it */
export async function act({ opens, clicks }, html, url) {
  const { images, links } = read(html, url)
  const ask = async (address, method, agent) => {
    const response = await fetch(address, { method, redirect: 'manual', headers: { 'user-agent': agent } })
    await response.arrayBuffer()
    const to = response.headers.get('location') ?? response.headers.get('content-type')
    const why = response.headers.get('x-livetag')
    return `${method} ${new URL(address).pathname.slice(0, 3)}… ${response.status} ${to}${why ? ` (not counted: ${why})` : ''}`
  }
  const lines = []
  if (opens !== undefined) for (const image of images) lines.push(await ask(image, 'GET', opens))
  for (const [agent, method, numbers] of clicks)
    for (const number of numbers) lines.push(await ask(links[number - 1], method, agent))
  return lines
}

/** Addresses below the collector's, in their order. */
function read(html, url) {
  const found = { images: [], links: [] }
  const walk = ({ tagName, attrs = [], childNodes = [] }) => {
    const value = attrs.find(({ name }) => name === (tagName === 'img' ? 'src' : 'href'))?.value
    if (value?.startsWith(`${url}/`)) (tagName === 'img' ? found.images : found.links).push(value)
    for (const child of childNodes) walk(child)
  }
  walk(parse(html))
  return found
}
