import { LineCounter, isAlias, isMap, isPair, isScalar, isSeq, parseDocument } from 'yaml'
import type { Document, Node } from 'yaml'
import type { Problem } from '../errors.js'
import { messageOf } from '../errors.js'
import { Places, TextPositions, isRecord } from './source.js'
import type { Path, Source } from './source.js'

/** Deepest nesting that is followed; the schema needs seven levels. */
const MAX_DEPTH = 32

/** Reads the text of a `tsha.yaml`. YAML 1.2; every syntax problem carries its line and column. */
export function readYaml(file: string, text: string): Source {
  const places = new Places(file)
  const positions = new TextPositions(file, text)
  const document = parseDocument(text, { lineCounter: new LineCounter(), prettyErrors: false })
  const problems: Problem[] = [...document.errors, ...document.warnings].map((error) => ({
    code: error.code === 'DUPLICATE_KEY' ? 'TSHA_E_DUPLICATE' : 'TSHA_E_SYNTAX',
    message: lowerFirst(error.message),
    position: positions.at(error.pos[0])
  }))
  const source = { places, ignored: [], notes: [], isStrict: true }
  if (problems.length > 0) return { ...source, value: {}, problems }

  let value: unknown
  try {
    // The limit on aliases keeps a small file from growing without bound.
    value = document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    const position = positions.at(0)
    problems.push({ code: 'TSHA_E_SYNTAX', message: lowerFirst(messageOf(error)), position })
    return { ...source, value: {}, problems }
  }
  // Only now: following the aliases of a file that toJS has refused would not end.
  notePlaces(document, document.contents, [], { places, positions })
  if (isRecord(value)) return { ...source, value, problems }
  const found =
    value === null || value === undefined ? 'the file is empty' : 'the file is no mapping'
  const message = `${found}; use keys such as virtual_routers and listeners`
  problems.push({ code: 'TSHA_E_SYNTAX', message, position: positions.at(0) })
  return { ...source, value: {}, problems }
}

interface Notebook {
  readonly places: Places
  readonly positions: TextPositions
}

function notePlaces(
  document: Document,
  node: Node | null | undefined,
  path: Path,
  notebook: Notebook
): void {
  if (path.length > MAX_DEPTH) return
  if (isAlias(node)) {
    notePlaces(document, node.resolve(document), path, notebook)
  } else if (isMap(node)) {
    for (const item of node.items) {
      if (!isPair(item) || !isScalar(item.key)) continue
      const key = String(item.key.value)
      const value = item.value as Node | null
      note([...path, key], key, item.key, value, notebook)
      notePlaces(document, value, [...path, key], notebook)
    }
  } else if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) {
      const value = item as Node | null
      const label = String(path.at(-1) ?? '')
      note([...path, index], label, value, value, notebook)
      notePlaces(document, value, [...path, index], notebook)
    }
  }
}

function note(
  path: Path,
  label: string,
  key: Node | null,
  value: Node | null,
  { places, positions }: Notebook
): void {
  const keyOffset = key?.range?.[0] ?? value?.range?.[0] ?? 0
  const keyPosition = positions.at(keyOffset)
  places.set(path, {
    position: positions.at(value?.range?.[0] ?? keyOffset),
    keyPosition,
    label
  })
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
