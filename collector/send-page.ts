/** Pages as they were built, with what only the request knows put in. */
import { readFile } from 'node:fs/promises'
import type { Request, Response } from 'express'

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const inert = (text: string): string => text.replace(/[&<>"']/g, letter => ENTITIES[letter] ?? '')

/**
 * Paths in a page are written for the root: mounted elsewhere, they lie below that. Of the errors that stand in it the one is
 * shown that the address names (`?error=`): so nobody puts words of his own on it by a link.
 * @param words what stands in it as `{{name}}`
 */
export async function sendPage(
  { baseUrl, query }: Pick<Request, 'baseUrl' | 'query'>,
  response: Response,
  file: string,
  words: Readonly<Record<string, string>> = {},
): Promise<void> {
  const html = (await readFile(file, 'utf8'))
    .replaceAll('="/', `="${inert(baseUrl)}/`)
    .replace(`id="${query.error}" role="alert" hidden`, 'role="alert"')
  response
    .set('cache-control', 'no-store')
    .type('html')
    .send(html.replace(/\{\{(\w+)\}\}/g, (_, name: string) => inert(words[name] ?? '')))
}
