import type { FastifyInstance } from 'fastify'
import { readFileSync } from 'node:fs'

/** The files of the page: where they are served, beside this program in `page/`, and what they are. */
const FILES: readonly (readonly [path: string, file: string, type: string])[] = [
  ['/', 'index.html', 'text/html; charset=utf-8']
]

const POLICY =
  "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"

/** The dashboard. It holds no data, and so needs no token: its script asks for one. */
export function addPage(app: FastifyInstance): void {
  for (const [path, file, type] of FILES) {
    const content = readFileSync(new URL(`page/${file}`, import.meta.url))
    app.get(path, { config: { isOpen: true }, schema: { hide: true } }, async (_request, reply) =>
      reply
        .type(type)
        .header('Content-Security-Policy', POLICY)
        .header('Referrer-Policy', 'no-referrer')
        .header('Cache-Control', path === '/' ? 'no-store' : 'no-cache')
        .send(content)
    )
  }
}
