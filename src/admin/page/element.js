/**
 * What is to be shown, as plain values: made by pure functions, put into the document by dom.js. Texts
 * stay texts: there is no way to write markup.
 *
 * @typedef {{
 *   readonly tag: string,
 *   readonly key: string | null,
 *   readonly attributes: Readonly<Record<string, string>>,
 *   readonly children: readonly Content[]
 * }} Shown
 * @typedef {Shown | string} Content
 * @typedef {Readonly<Record<string, string | number | boolean | null>>} Attributes
 */

/**
 * One element. `key` among the attributes tells it from its siblings, so that it stays the same one
 * when others come and go; true is an attribute without a value, null and false leave it out.
 *
 * @param {string} tag
 * @param {Attributes} attributes
 * @param {readonly (Content | null)[]} children
 * @returns {Shown}
 */
export function el(tag, attributes, ...children) {
  const { key = null, ...others } = attributes
  /** @type {Record<string, string>} */
  const said = {}
  for (const [name, value] of Object.entries(others)) {
    if (value !== null && value !== false) said[name] = value === true ? '' : String(value)
  }
  return {
    tag,
    key: key === null ? null : String(key),
    attributes: said,
    children: children.filter((child) => child !== null).filter((child) => child !== '')
  }
}

/**
 * All text in it, one space between the pieces.
 *
 * @param {Content} content
 * @returns {string}
 */
export function textOf(content) {
  if (typeof content === 'string') return content
  return content.children.map(textOf).join(' ').replace(/\s+/g, ' ').trim()
}
