import { readdirSync } from 'node:fs'
import t from 'tap'
import { Office } from '../support.js'

const POLICY =
  "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"

const office = await Office.open(t, { listen: {} })

t.test('the page and all that it asks for are served without a token', async (t) => {
  const page = await office.askPort('/')
  t.match(page, { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } })
  t.equal(page.headers['content-security-policy'], POLICY)
  t.notMatch(page.text, /<script>|<style|style="| on\w+="|https?:/, 'nothing inline or foreign')
  const asked = [...page.text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path ?? '')
  t.strictSame(asked, [
    '/assets/icon.svg',
    '/assets/uplot.css',
    '/assets/style.css',
    '/assets/uplot.js',
    '/assets/main.js'
  ])
  const modules = await Promise.all(asked.map((path) => office.askPort(path)))
  for (const { status } of modules) t.equal(status, 200)
  const imported = new Set(['main.js'])
  for (const name of imported) {
    const { status, text, headers } = await office.askPort(`/assets/${name}`)
    t.equal(status, 200, name)
    t.equal(headers['content-type'], 'text/javascript; charset=utf-8')
    t.equal(headers['content-security-policy'], POLICY)
    for (const [, next] of text.matchAll(/^(?:import|\}) .*from '\.\/([^']+)'/gm))
      imported.add(next ?? '')
  }
  const written = readdirSync(new URL('../../../src/admin/page', import.meta.url))
  t.strictSame(
    [...imported].sort(),
    written.filter((name) => name.endsWith('.js')).sort(),
    'and no script is there in vain'
  )
})

t.test('nothing else is served', async (t) => {
  for (const path of ['/assets/', '/assets/../server.js', '/assets/%2e%2e/server.js', '/main.js']) {
    t.equal((await office.askPort(path)).status, 401, path)
  }
})
