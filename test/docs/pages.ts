import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '../../..')

/** A page of the documentation. */
export interface Page {
  /** From the root of the repository: `docs/install.md`. */
  readonly path: string
  readonly text: string
}

/** Every page of Markdown that the project has written. */
export function readPages(): readonly Page[] {
  const inDocs = readdirSync(join(ROOT, 'docs'), { recursive: true }).map((name) =>
    join('docs', String(name))
  )
  const atRoot = readdirSync(ROOT)
  return [...atRoot, ...inDocs]
    .filter((path) => path.endsWith('.md'))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
}

/** The text without what stands between fences, which is no Markdown. */
export function withoutFences(text: string): string {
  return text.replaceAll(FENCE, '')
}

/** The lines between fences, each with its number on the page; lines of output among them. */
export function fencedLines(text: string): readonly { line: string; number: number }[] {
  const found: { line: string; number: number }[] = []
  for (const match of text.matchAll(FENCE)) {
    const before = text.slice(0, match.index).split('\n').length
    const lines = match[0].split('\n').slice(1, -1)
    found.push(...lines.map((line, index) => ({ line, number: before + index + 1 })))
  }
  return found
}

/** Fences may be indented, in a list. */
const FENCE = /^ *```[^\n]*\n[^]*?^ *```$/gm

/** The anchor that a heading gets on GitHub. */
export function anchorOf(heading: string): string {
  return heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_\- ]/gu, '')
    .replaceAll(' ', '-')
}

/** Every anchor of a page: of its headings, and those that it names itself. */
export function anchorsOf({ text }: Page): ReadonlySet<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of withoutFences(text).matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const anchor = anchorOf(heading)
    let copy = 0
    let unique = anchor
    while (anchors.has(unique)) unique = `${anchor}-${(copy += 1)}`
    anchors.add(unique)
  }
  for (const [, id = ''] of text.matchAll(/<a id="([^"]+)">/g)) anchors.add(id)
  return anchors
}

/** A path from the root as another page would be named. */
export function fromRoot(path: string): string {
  return relative(ROOT, resolve(ROOT, path))
}
