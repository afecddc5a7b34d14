import { readFileSync } from 'node:fs'
import t from 'tap'
import { parseScripts } from './script-runner.js'

const root = new URL('../../../', import.meta.url)
const docs = new URL('docs/', root)
const page = readFileSync(new URL('rfc-conformance.md', docs), 'utf8')

interface Sentence {
  readonly section: string
  readonly number: number
  readonly links: readonly { readonly file: string; readonly anchor: string }[]
}

const sentences: readonly Sentence[] = page.split('\n').flatMap((line) => {
  const [, section = '', number] = /^\| ([\w.-]+)-(\d+) \|/.exec(line) ?? []
  if (number === undefined) return []
  const links = [...line.matchAll(/\]\(([^)#]+)#([^)]+)\)/g)].map(([, file = '', anchor = '']) => ({
    file,
    anchor
  }))
  return [{ section, number: Number(number), links }]
})

/** How many scripts there are under each heading of a script file, by its anchor. */
const scriptsUnder = (file: string): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  const text = readFileSync(new URL(file, docs), 'utf8')
  for (const { heading, lines } of parseScripts(file, text)) {
    const anchor = heading
      .toLowerCase()
      .replace(/[^a-z0-9_ -]/g, '')
      .replaceAll(' ', '-')
    if (lines.length > 0) counts.set(anchor, (counts.get(anchor) ?? 0) + 1)
  }
  return counts
}

t.test('every sentence of the RFCs is there, numbered without a gap', (t) => {
  const counts = new Map<string, number>()
  for (const { section, number } of sentences) {
    t.equal(number, (counts.get(section) ?? 0) + 1, `${section}-${number}`)
    counts.set(section, number)
  }
  t.same(Object.fromEntries(counts), {
    '3768-6.4.1': 7,
    '3768-6.4.2': 12,
    '3768-6.4.3': 15,
    '9568-6.4.1': 9,
    '9568-6.4.2': 18,
    '9568-6.4.3': 21,
    keepalived: 19
  })
  t.end()
})

t.test('every sentence has a script that does and one that does not', (t) => {
  for (const { section, number, links } of sentences) {
    t.ok(links.length > 0, `${section}-${number} has a script`)
    for (const { file, anchor } of links) {
      const found = scriptsUnder(file).get(anchor) ?? 0
      t.ok(found >= 2, `${section}-${number}: ${file}#${anchor} has ${found} scripts`)
    }
  }
  t.end()
})

t.test('no script of a rule is left out', (t) => {
  const linked = new Set(sentences.flatMap(({ links }) => links.map(({ anchor }) => anchor)))
  for (const name of ['rfc-initialize', 'rfc-backup', 'rfc-master', 'keepalived']) {
    for (const anchor of scriptsUnder(`../test/vrrp/scripts/${name}.md`).keys()) {
      t.ok(linked.has(anchor), `${name}.md#${anchor}`)
    }
  }
  t.end()
})
