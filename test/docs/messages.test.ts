import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ROOT } from './pages.js'

const SYMPTOMS = 20

/** Everything that the program may say: its source, with strings that go on in the next line in one piece. */
function readSource(): string {
  const files = readdirSync(join(ROOT, 'src'), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.ts'))
  return files
    .map((name) => readFileSync(join(ROOT, 'src', name), 'utf8'))
    .join('\n')
    .replaceAll(/['`] \+\s*['`]/g, '')
}

interface Symptom {
  readonly name: string
  readonly says: string
  readonly text: string
}

function readSymptoms(): readonly Symptom[] {
  const page = readFileSync(join(ROOT, 'docs/troubleshooting.md'), 'utf8')
  return page
    .split(/^### /m)
    .slice(1)
    .map((text) => ({
      name: text.split('\n')[0] ?? '',
      says: /^- \*\*tsha says:\*\*([^]*?)^- /m.exec(text)?.[1] ?? '',
      text
    }))
}

t.test(
  `docs/troubleshooting.md has ${SYMPTOMS} symptoms or more, each with cause and cure`,
  (t) => {
    const symptoms = readSymptoms()
    t.ok(symptoms.length >= SYMPTOMS)
    for (const { name, says, text } of symptoms) {
      t.not(says.trim(), '', `${name}: what tsha says`)
      t.match(text, /^- \*\*Cause:\*\* .+/m, name)
      t.match(text, /^- \*\*Cure:\*\* .+/m, name)
    }
    t.end()
  }
)

t.test('what tsha is quoted to say, it says', (t) => {
  const source = readSource()
  const missing: string[] = []
  for (const { name, says } of readSymptoms()) {
    for (const [, quote = ''] of says.matchAll(/`([^`]+)`/g)) {
      if (/^(?:tsha \w+|[a-z_]+)$/.test(quote)) continue
      if (!isSaid(quote, source)) missing.push(`${name}: ${quote}`)
    }
  }
  t.same(missing, [])
  t.end()
})

/** What the program puts together is looked for in its parts; `…` stands for what it puts in. */
function isSaid(quote: string, source: string): boolean {
  const said = quote.replace(/^advertisement discarded: /, '')
  return said
    .split(/…|, | \(/)
    .map((piece) => piece.replaceAll(/^[\s,:;.]+|[\s,:;.)]+$/g, ''))
    .filter((piece) => piece.includes(' '))
    .every((piece) => source.includes(piece))
}
