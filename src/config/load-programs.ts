import { readFile } from 'node:fs/promises'
import { splitCommand } from './command.js'
import type { Findings } from './findings.js'
import { decodeKey, keyFileOf } from './hmac-key.js'
import type { Machine } from './machine.js'
import { findProgram } from './programs.js'
import { elementsOf, entriesOf, isRecord, memberOf } from './source.js'
import type { Path } from './source.js'

/** A key file holds what stands for a key in the configuration; longer ones are something else. */
const MAX_KEY_FILE_BYTES = 1024

/** A program somewhere in a configuration that is not validated yet. */
interface WrittenProgram {
  readonly words: readonly string[]
  readonly path: Path
  readonly user: unknown
  readonly group: unknown
  /** Checks may be found by name in the usual directories; keepalived wants paths of the others. */
  readonly mayBeName: boolean
}

/**
 * Finds every program of the configuration. keepalived disables a script that it cannot run and goes
 * on unprotected; tsha refuses it.
 * @returns absolute paths by the word in the configuration
 */
export async function findPrograms(
  value: unknown,
  machine: Machine,
  findings: Findings
): Promise<Map<string, string>> {
  const programs = new Map<string, string>()
  for (const { words, path, mayBeName, ...account } of programsIn(value)) {
    const [word = ''] = words
    if (word === '') continue
    await checkAccount(account, path, machine, findings)
    const program =
      mayBeName || word.startsWith('/')
        ? await findProgram(word)
        : { ok: false as const, reason: 'is not an absolute path; use one' }
    if (program.ok) programs.set(word, program.path)
    else findings.problem('TSHA_E_FILE', `script ${word} ${program.reason}`, path)
  }
  await checkAccount(
    { user: memberOf(value, 'script_user'), group: memberOf(value, 'script_group') },
    ['script_user'],
    machine,
    findings
  )
  const fifo = memberOf(value, 'notify_fifo')
  await checkAccount(
    { user: memberOf(fifo, 'user'), group: memberOf(fifo, 'group') },
    ['notify_fifo', 'user'],
    machine,
    findings,
    'the notify FIFO'
  )
  return programs
}

function programsIn(value: unknown): WrittenProgram[] {
  const checks = entriesOf(memberOf(value, 'checks')).flatMap(([name, check]) =>
    programOf(check, ['checks', name], true)
  )
  const owners = ['virtual_routers', 'sync_groups'].flatMap((key) =>
    entriesOf(memberOf(value, key)).flatMap(([name, owner]) =>
      entriesOf(memberOf(owner, 'notify')).flatMap(([event, program]) =>
        programOf(program, [key, name, 'notify', event], false)
      )
    )
  )
  const reader = memberOf(memberOf(value, 'notify_fifo'), 'reader')
  return [...checks, ...owners, ...programOf(reader, ['notify_fifo', 'reader'], false)]
}

function programOf(program: unknown, path: Path, mayBeName: boolean): WrittenProgram[] {
  const command = isRecord(program) ? program['command'] : program
  if (typeof command !== 'string' && !isTextList(command)) return []
  const place = isRecord(program) ? [...path, 'command'] : path
  const user = memberOf(program, 'user')
  return [
    {
      words: splitCommand(command),
      path: place,
      user,
      group: memberOf(program, 'group'),
      mayBeName
    }
  ]
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((word) => typeof word === 'string')
}

async function checkAccount(
  { user, group }: { user: unknown; group: unknown },
  path: Path,
  machine: Machine,
  findings: Findings,
  owner = 'a script'
): Promise<void> {
  if (!machine.isRoot) {
    if (typeof user !== 'string') return
    findings.note(
      'users of scripts are ignored: only root can run programs as another user, so they run as the user of this process'
    )
    return
  }
  if (typeof user === 'string' && !(await machine.hasUser(user))) {
    const message = `user "${user}" of ${owner} does not exist on this machine; use one from /etc/passwd`
    findings.problem('TSHA_E_USER', message, path)
  }
  if (typeof group === 'string' && !(await machine.hasGroup(group))) {
    const message = `group "${group}" of ${owner} does not exist on this machine; use one from /etc/group`
    findings.problem('TSHA_E_USER', message, path)
  }
}

/** Reads the HMAC keys that are in files. @returns their texts by path; none of them is in a message */
export async function readKeyFiles(
  value: unknown,
  findings: Findings
): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  for (const [name, router] of entriesOf(memberOf(value, 'virtual_routers'))) {
    const keys = elementsOf(memberOf(memberOf(router, 'authentication'), 'keys'))
    for (const [index, entry] of keys.entries()) {
      const key = memberOf(entry, 'key')
      const file = typeof key === 'string' ? keyFileOf(key) : null
      if (file === null) continue
      const path = ['virtual_routers', name, 'authentication', 'keys', index, 'key']
      const text = await readKeyFile(file)
      const decoded = text === null ? null : decodeKey(text)
      if (text !== null && decoded?.ok === true) files.set(file, text)
      else {
        const reason =
          decoded?.ok === false ? decoded.reason : 'cannot be read, or is no key; use one line'
        findings.problem('TSHA_E_FILE', `key file ${file} ${reason}`, path)
      }
    }
  }
  return files
}

async function readKeyFile(file: string): Promise<string | null> {
  try {
    const text = await readFile(file, 'utf8')
    return text.length > MAX_KEY_FILE_BYTES ? null : text.replace(/[\r\n]+$/, '')
  } catch {
    // Whatever the reason, the problem names the file.
    return null
  }
}
