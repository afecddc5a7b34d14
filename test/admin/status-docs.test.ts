import { readFileSync } from 'node:fs'
import t from 'tap'

const root = new URL('../../../', import.meta.url)

function read(path: string): string {
  return readFileSync(new URL(path, root), 'utf8')
}

t.test('docs/status.md explains every field of the status and of an event', (t) => {
  const model = read('src/admin/model.ts').split('/** What an administrator can tell')[0] ?? ''
  const fields = [...model.matchAll(/readonly (\w+)\??:/g)].map(([, name]) => name ?? '')
  t.ok(fields.length > 80, 'the fields are found')
  const docs = read('docs/status.md')
  const missing = [...new Set(fields)].filter((name) => !docs.includes(`\`${name}\``))
  t.same(missing, [])
  t.end()
})
