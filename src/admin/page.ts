import type { FastifyInstance } from 'fastify'
import { readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'

const DIRECTORY = new URL('page/', import.meta.url)

const TYPES: ReadonlyMap<string, string> = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.svg', 'image/svg+xml']
])

/** Nothing but what this server serves, and nothing that is written into the page itself. */
const POLICY =
  "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"

interface PageFile {
  readonly path: string
  readonly type: string
  readonly content: Buffer
}

/** The dashboard. It holds no data, and so needs no token: its script asks for one. */
export function addPage(app: FastifyInstance): void {
  for (const { path, type, content } of pageFiles()) {
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

/** The files of `page/` as they are written, and the chart library. */
function pageFiles(): readonly PageFile[] {
  const own = readdirSync(DIRECTORY).flatMap((name) => {
    const path = name === 'index.html' ? '/' : `/assets/${name}`
    return fileOf(path, new URL(name, DIRECTORY))
  })
  const uplot = import.meta.resolve('uplot')
  return [
    ...own,
    ...fileOf('/assets/uplot.js', new URL('uPlot.iife.min.js', uplot)),
    ...fileOf('/assets/uplot.css', new URL('uPlot.min.css', uplot))
  ]
}

function fileOf(path: string, url: URL): readonly PageFile[] {
  const type = TYPES.get(extname(url.pathname))
  return type === undefined ? [] : [{ path, type, content: readFileSync(url) }]
}
