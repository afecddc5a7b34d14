/** @import { Content, Shown } from './element.js' */

/** What each element was made from. @type {WeakMap<Node, Shown>} */
const sources = new WeakMap()

/**
 * Makes the children of an element those that are wanted, and leaves alone what is there already: the
 * focus, a selection and an opened `details` survive.
 *
 * @param {Element} parent
 * @param {readonly Content[]} wanted
 */
export function show(parent, wanted) {
  const names = new Set(wanted.map(nameOf))
  /** @type {Map<string, Element>} */
  const kept = new Map()
  for (const node of [...parent.childNodes]) {
    const source = sources.get(node)
    if (source === undefined || source.key === null) continue
    const name = nameOf(source)
    if (names.has(name) && node instanceof Element) kept.set(name, node)
    else node.remove()
  }
  let cursor = parent.firstChild
  for (const content of wanted) {
    const node = reuse(content, cursor, kept)
    if (node === cursor) cursor = node.nextSibling
    else parent.insertBefore(node, cursor)
  }
  while (cursor) {
    const next = cursor.nextSibling
    cursor.remove()
    cursor = next
  }
}

/**
 * @param {Content} content
 * @param {ChildNode | null} cursor
 * @param {ReadonlyMap<string, Element>} kept
 * @returns {ChildNode}
 */
function reuse(content, cursor, kept) {
  if (typeof content === 'string') {
    if (!(cursor instanceof Text)) return document.createTextNode(content)
    if (cursor.data !== content) cursor.data = content
    return cursor
  }
  const found = content.key === null ? unkeyed(content, cursor) : kept.get(nameOf(content))
  const element = found ?? document.createElement(content.tag)
  update(element, content)
  return element
}

/**
 * @param {Shown} shown
 * @param {ChildNode | null} cursor
 */
function unkeyed(shown, cursor) {
  const source = cursor ? sources.get(cursor) : undefined
  const isSame = source?.key === null && source.tag === shown.tag
  return isSame && cursor instanceof Element ? cursor : undefined
}

/**
 * @param {Element} element
 * @param {Shown} shown
 */
function update(element, shown) {
  const before = sources.get(element)?.attributes ?? {}
  for (const name of Object.keys(before)) {
    if (!(name in shown.attributes)) element.removeAttribute(name)
  }
  for (const [name, value] of Object.entries(shown.attributes)) {
    if (before[name] !== value) element.setAttribute(name, value)
  }
  sources.set(element, shown)
  show(element, shown.children)
}

/** @param {Content} content */
function nameOf(content) {
  return typeof content === 'string' ? '' : `${content.tag} ${content.key ?? ''}`
}

/**
 * An element of index.html.
 *
 * @template {Element} Type
 * @param {string} id
 * @param {new () => Type} type
 * @returns {Type}
 */
export function byId(id, type) {
  const found = document.getElementById(id)
  if (found instanceof type) return found
  throw new TypeError(`index.html has no ${type.name} #${id}`)
}
