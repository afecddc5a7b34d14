import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { anchorsOf, fromRoot, readPages, ROOT, withoutFences } from './pages.js'

const pages = readPages()
const byPath = new Map(pages.map((page) => [page.path, page]))

t.test('every relative link of every page leads somewhere, and so does its anchor', (t) => {
  const broken: string[] = []
  for (const page of pages) {
    const links = withoutFences(page.text).matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)
    for (const [, link = ''] of links) {
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? page.path : fromRoot(join(dirname(page.path), path))
      const found = byPath.get(target)
      const exists = existsSync(join(ROOT, target))
      const leads = anchor === undefined || found === undefined || anchorsOf(found).has(anchor)
      if (!exists || !leads) broken.push(`${page.path}: ${link}`)
    }
  }
  t.same(broken, [])
  t.end()
})

t.test('README.md leads to every page of docs', (t) => {
  const readme = byPath.get('README.md')?.text ?? ''
  const missing = pages
    .map(({ path }) => path)
    .filter((path) => /^docs\/[^/]+\.md$/.test(path) && !readme.includes(`(${path})`))
  t.same(missing, [])
  t.end()
})
