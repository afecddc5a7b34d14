import type { Fields } from './fields.js'
import { listElements } from './syntax.js'

/** What the fields say about the message and its connection. */
export interface Marks {
  hosts: number
  host: string
  lengths: number
  length: string
  /** Transfer codings of all lines in order, null without the field. */
  codings: string[] | null
  keepAlive: boolean
  keepAliveField: string | null
  nominated: string[] | null
  expectsContinue: boolean
  check: string | null
  checks: number
}

function newMarks(minorVersion: 0 | 1): Marks {
  return {
    hosts: 0,
    host: '',
    lengths: 0,
    length: '',
    codings: null,
    keepAlive: minorVersion === 1,
    keepAliveField: null,
    nominated: null,
    expectsContinue: false,
    check: null,
    checks: 0
  }
}

/** Reads the fields of a request. */
export function readRequestFields(fields: Fields, minorVersion: 0 | 1): Marks {
  const marks = newMarks(minorVersion)
  const { keys, values } = fields
  for (let i = 0; i < keys.length; i++) {
    const value = values[i] ?? ''
    switch (keys[i]) {
      case 'host':
        marks.hosts++
        marks.host = value
        break
      case 'expect':
        // Other expectations are left alone, as nginx does; they do not travel.
        marks.expectsContinue ||= listElements(value).includes('100-continue')
        break
      case 'x-tsha-check':
        marks.check = ++marks.checks === 1 ? value : null
        break
      default:
        readSharedField(marks, keys[i] ?? '', value)
    }
  }
  return marks
}

/** Reads the fields of a response. */
export function readResponseFields(fields: Fields, minorVersion: 0 | 1): Marks {
  const marks = newMarks(minorVersion)
  const { keys, values } = fields
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] ?? ''
    const value = values[i] ?? ''
    if (key !== 'keep-alive') readSharedField(marks, key, value)
    else marks.keepAliveField = joined(marks.keepAliveField, value)
  }
  return marks
}

/** Several lines of one list (RFC 9110 §5.3). */
function joined(before: string | null, value: string): string {
  return before === null ? value : `${before}, ${value}`
}

function readSharedField(marks: Marks, key: string, value: string): void {
  switch (key) {
    case 'content-length':
      marks.lengths++
      marks.length = value
      break
    case 'transfer-encoding':
      marks.codings = [...(marks.codings ?? []), ...listElements(value)]
      break
    case 'connection':
      readConnection(marks, value)
      break
  }
}

/** RFC 9112 §9.3: `close` wins, `keep-alive` asks in HTTP/1.0, every other option names a field. */
function readConnection(marks: Marks, value: string): void {
  if (value === 'keep-alive' && marks.nominated === null) {
    marks.keepAlive = true
    return
  }
  for (const option of listElements(value)) {
    if (option === 'close') {
      marks.keepAlive = false
      marks.nominated ??= []
      marks.nominated.push('close')
    } else if (option === 'keep-alive') {
      if (marks.nominated?.includes('close') !== true) marks.keepAlive = true
    } else if (option !== '') {
      marks.nominated ??= []
      marks.nominated.push(option)
    }
  }
}
