/** The page on which an invited person chooses a password: it says whose, so that the browser keeps both together. */
import { readFile } from 'node:fs/promises'
import type { Response } from 'express'

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** @param root folder of the built pages */
export async function sendJoinPage(response: Response, root: string, email: string): Promise<void> {
  const html = await readFile(`${root}/join.html`, 'utf8')
  const text = email.replace(/[&<>"']/g, letter => ENTITIES[letter] ?? '')
  response
    .set('cache-control', 'no-store')
    .type('html')
    .send(html.replaceAll('{{email}}', () => text))
}
