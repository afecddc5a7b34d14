import type { Client } from './downstream/client.js'
import { errorPage, phraseOf } from './http1/write.js'

/** Own answers after which a connection is not used again. */
const REFUSALS: ReadonlySet<number> = new Set([400, 405, 408, 413])

/** Answers a request by ourselves: the status in words, or nothing for 204. */
export function answerOurselves(client: Client, method: string, status: number): void {
  // What is refused may not mean what it seems: nothing behind it is believed either.
  if (REFUSALS.has(status)) client.closeAfterwards()
  if (status === 204) {
    client.start(status, phraseOf(status), [], 'none')
  } else {
    const page = Buffer.from(errorPage(status), 'latin1')
    const fields = ['Content-Type', 'text/html']
    if (status === 405) fields.push('Allow', 'GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS')
    client.start(status, phraseOf(status), fields, page.length)
    if (method !== 'HEAD') client.write(page)
  }
  client.end()
}
