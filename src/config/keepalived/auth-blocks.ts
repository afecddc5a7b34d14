import { newDraft } from './draft.js'
import type { Draft } from './draft.js'
import type { Token } from './lexer.js'
import type { Statement } from './parser.js'
import { numberOf } from './statement-reader.js'
import type { Directive, Directives, StatementReader } from './statement-reader.js'

export const AUTHENTICATION_DIRECTIVES: Directives<Draft> = {
  auth_type: {
    takes: 'value',
    read: (line, draft, reader) => {
      const type = reader.text(line)
      draft.assign('type', 'pass')
      if (type === 'PASS') return
      // keepalived reads any other word than AH and PASS as no authentication, with a warning.
      const why =
        type === 'AH'
          ? ': AH is outside of every RFC since 3768, and of tsha; use PASS or auth_hmac on both directors'
          : '; use PASS'
      const message = `auth_type ${type ?? ''} is not supported${why}`
      reader.problem('TSHA_E_NOT_SUPPORTED', message, line.args[0]?.position ?? line.position)
    }
  },
  auth_pass: {
    takes: 'value',
    read: (line, draft, reader) => {
      if (line.args.length > 1) {
        const message = 'auth_pass has several words; use quotes around a password with blanks'
        reader.problem('TSHA_E_VALUE', message, line.position)
      }
      draft.set('password', line.args[0]?.text, line)
    }
  }
}

/** The block `authentication`. */
export const authentication: Directive<Draft> = {
  takes: 'block',
  read: (line, router, reader) => {
    const draft = newDraft([...router.path, 'authentication'], reader)
    reader.place(draft.path, line)
    reader.block(line, 'authentication', AUTHENTICATION_DIRECTIVES, draft)
    for (const keyword of ['auth_type', 'auth_pass'].filter((key) => !reader.has(line, key))) {
      reader.problem('TSHA_E_REQUIRED', `${keyword} is missing in authentication`, line.position)
    }
    if (Object.keys(draft.value).length === 2) router.value['authentication'] = draft.value
  }
}

interface Key {
  readonly id: Token | undefined
  readonly value: Token | undefined
  readonly line: Statement
}

interface HmacDraft extends Draft {
  readonly keys: Key[]
  active: Statement | null
}

export const HMAC_DIRECTIVES: Directives<HmacDraft> = {
  key: {
    takes: 'value',
    repeats: true,
    read: (line, draft, reader) => {
      const [id, value] = line.args
      if (!value) {
        const message = 'key of auth_hmac needs an id and a value'
        reader.problem('TSHA_E_REQUIRED', message, line.position)
      }
      draft.keys.push({ id, value, line })
    }
  },
  active_key: {
    takes: 'value',
    read: (line, draft) => {
      draft.active = line
    }
  },
  anti_replay: {
    takes: 'value',
    read: (line, draft, reader) => {
      draft.set('anti_replay', reader.text(line), line)
    }
  },
  time_window: {
    takes: 'value',
    read: (line, draft, reader) => {
      draft.set('window', reader.seconds(line), line)
    }
  },
  mode: {
    takes: 'value',
    read: (line, draft, reader) => {
      draft.set('mode', reader.text(line), line)
    }
  }
}

/** The block `auth_hmac`, read after `authentication`, whose place it takes. */
export const hmac: Directive<Draft> = {
  takes: 'block',
  read: (line, router, reader) => {
    const draft: HmacDraft = {
      ...newDraft([...router.path, 'authentication'], reader),
      keys: [],
      active: null
    }
    reader.place(draft.path, line)
    reader.placeEntry([...draft.path, 'keys'], 'key', line.position)
    draft.assign('type', 'hmac')
    reader.block(line, 'auth_hmac', HMAC_DIRECTIVES, draft)
    const keys = inOrder(draft, line, reader)
    for (const [index, { id, value, line: at }] of keys.entries()) {
      const path = [...draft.path, 'keys', index]
      reader.placeEntry(path, 'key', at.position)
      reader.placeEntry([...path, 'id'], 'key', id?.position ?? at.position)
      reader.placeEntry([...path, 'key'], 'key', value?.position ?? at.position)
    }
    draft.value['keys'] = keys
      .filter(({ value }) => value !== undefined)
      .map(({ id, value }) => ({ id: numberOf(id?.text), key: value?.text }))
    router.value['authentication'] = draft.value
  }
}

/** The first key signs: that is the active one. keepalived goes on without HMAC when there is none. */
function inOrder(draft: HmacDraft, line: Statement, reader: StatementReader): Key[] {
  const { active, keys } = draft
  if (!active) {
    const message = 'active_key is missing in auth_hmac; use the id of the key that signs'
    reader.problem('TSHA_E_REQUIRED', message, line.position)
    return keys
  }
  const id = active.args[0]?.text
  const first = keys.find((key) => key.id?.text === id)
  if (!first) {
    const message = `active_key ${id ?? ''} is no key of auth_hmac; use the id of one`
    reader.problem('TSHA_E_REFERENCE', message, active.args[0]?.position ?? active.position)
    return keys
  }
  return [first, ...keys.filter((key) => key !== first)]
}
