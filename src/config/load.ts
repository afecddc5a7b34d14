import { ConfigError, formatProblem } from '../errors.js'
import type { Problem } from '../errors.js'
import { flagProblem, withAdminFlags } from './admin-flags.js'
import type { AdminFlags } from './admin-flags.js'
import { checkAdmin } from './admin-rules.js'
import { Findings } from './findings.js'
import { joinSources } from './join.js'
import { readKeepalivedConf } from './keepalived/keepalived-conf.js'
import type { KeepalivedSource } from './keepalived/keepalived-conf.js'
import { thisMachine } from './machine.js'
import type { Machine } from './machine.js'
import type { LoadedConfig, Role } from './model.js'
import { findPrograms, readKeyFiles } from './load-programs.js'
import { readNginxConf } from './nginx/nginx-conf.js'
import { checkProxy } from './proxy-rules.js'
import { readText } from './read-text.js'
import { DEFAULT_USER, resolve } from './resolve.js'
import { checkRouters } from './router-rules.js'
import { elementsOf, entriesOf, memberOf } from './source.js'
import type { Source } from './source.js'
import { validate } from './validate.js'
import { readYaml } from './yaml.js'

/** Which files to load: `config`, or one or both of the old ones. All are paths. */
export interface LoadOptions {
  /** What `--role` says; null when it was not given. */
  readonly role: Role | null
  /** A `tsha.yaml`. */
  readonly config?: string
  /** A `keepalived.conf`; alone it makes a VRRP speaker. */
  readonly keepalivedConf?: string
  /** A `nginx.conf`; alone it makes a reverse proxy. */
  readonly nginxConf?: string
  /** Flags that say how administrators reach it, whatever the files say. */
  readonly admin?: AdminFlags
}

/**
 * Loads and checks a configuration.
 * @param machine what the configuration may depend on; another one is given by tests
 * @throws {ConfigError} with every problem that was found, in the order of the files
 */
export async function loadConfig(
  options: LoadOptions,
  machine: Machine = thisMachine()
): Promise<LoadedConfig> {
  const { source: written, role } = await readSource(options, machine)
  const source = withAdminFlags(written, options.admin ?? {})
  const findings = new Findings(source)
  checkRole(source, role, findings)
  checkRouters(source.value, role, findings)
  checkProxy(source.value, findings)
  checkAdmin(source.value, findings)
  await checkSocketGroup(source.value, machine, findings)
  const user = await checkUser(source, machine, findings)
  const programs = await findPrograms(source.value, machine, findings)
  const keyFiles = await readKeyFiles(source.value, findings)
  const validation = validate(source)
  const problems = [
    ...source.problems,
    ...(validation.ok ? [] : validation.problems),
    ...findings.problems
  ].map(flagProblem)
  // After a syntax error there is no value to judge.
  const isUnread = source.problems.length > 0 && Object.keys(source.value).length === 0
  if (isUnread) throw new ConfigError(sortProblems(source.problems))
  if (!validation.ok || problems.length > 0) throw new ConfigError(sortProblems(problems))
  return {
    files: filesOf(options, source),
    config: resolve(validation.config, { role, machine, programs, keyFiles }),
    ignored: [...new Set([...source.ignored, ...user.ignored])],
    notes: [...new Set([...source.notes, ...findings.notes, ...user.notes])]
  }
}

async function readSource(
  options: LoadOptions,
  machine: Machine
): Promise<{ source: Source; role: Role | null }> {
  const { role, config, keepalivedConf, nginxConf } = options
  if (config !== undefined) {
    if (keepalivedConf !== undefined || nginxConf !== undefined) {
      throw flagError(
        '--config cannot be used with --keepalived-conf or --nginx-conf; use one kind'
      )
    }
    return { source: readYaml(config, await readText(config)), role }
  }
  const texts = await Promise.allSettled([
    keepalivedConf === undefined ? undefined : readText(keepalivedConf),
    nginxConf === undefined ? undefined : readText(nginxConf)
  ])
  const unread = texts.flatMap((text): Problem[] => {
    if (text.status === 'fulfilled') return []
    if (text.reason instanceof ConfigError) return [...text.reason.problems]
    throw text.reason
  })
  if (unread.length > 0) throw new ConfigError(unread)
  const [keepalivedText, nginxText] = texts.map((text) =>
    text.status === 'fulfilled' ? text.value : undefined
  )
  const keepalived =
    keepalivedConf === undefined || keepalivedText === undefined
      ? null
      : await readKeepalivedConf(keepalivedConf, keepalivedText, {
          role,
          configId: machine.hostname.replace(/\..*$/, ''),
          environment: process.env
        })
  const nginx =
    nginxConf === undefined || nginxText === undefined
      ? null
      : await readNginxConf(nginxConf, nginxText, machine)
  return { source: await joinOld(keepalived, nginx), role: role ?? keepalived?.role ?? null }
}

/** A file without a value of its own was read all the same. */
function filesOf(options: LoadOptions, { places }: Source): readonly string[] {
  const given = [options.config, options.keepalivedConf, options.nginxConf]
  return [...new Set([...given.filter((file) => file !== undefined), ...places.files()])]
}

async function joinOld(keepalived: KeepalivedSource | null, nginx: Source | null): Promise<Source> {
  if (keepalived && nginx) return joinSources(keepalived, nginx)
  const source = keepalived ?? nginx
  if (!source)
    throw flagError('no configuration given; use --config, --keepalived-conf or --nginx-conf')
  return source
}

function flagError(message: string): ConfigError {
  return new ConfigError([{ code: 'TSHA_E_FLAG', message }])
}

function checkRole(source: Source, role: Role | null, findings: Findings): void {
  if (!source.isStrict) return
  const hasRouters = entriesOf(source.value['virtual_routers']).length > 0
  if (hasRouters && role === null) {
    const message = 'virtual_routers needs a role; use --role master or --role backup'
    findings.keyProblem('TSHA_E_ROLE', message, ['virtual_routers'])
  }
  if (!hasRouters && elementsOf(source.value['listeners']).length === 0) {
    const message = 'nothing to do; use virtual_routers, listeners or both'
    findings.problem('TSHA_E_REQUIRED', message, [])
  }
}

async function checkUser(
  source: Source,
  machine: Machine,
  findings: Findings
): Promise<Pick<LoadedConfig, 'ignored' | 'notes'>> {
  const { user, group } = source.value
  const none = { ignored: [], notes: [] }
  if (!machine.isRoot) {
    if (user === undefined && group === undefined) return none
    const note =
      'user is ignored: only root can give the workers another user, so they run as the user of this process'
    return { ignored: ['user'], notes: [note] }
  }
  const hasProxy = elementsOf(source.value['listeners']).length > 0
  const name = user ?? (hasProxy ? DEFAULT_USER : undefined)
  if (typeof name === 'string' && !(await machine.hasUser(name))) {
    const message = `user "${name}" does not exist on this machine; use one from /etc/passwd`
    findings.problem('TSHA_E_USER', message, ['user'])
  }
  if (typeof group === 'string' && !(await machine.hasGroup(group))) {
    const message = `group "${group}" does not exist on this machine; use one from /etc/group`
    findings.problem('TSHA_E_USER', message, ['group'])
  }
  return none
}

async function checkSocketGroup(
  value: unknown,
  machine: Machine,
  findings: Findings
): Promise<void> {
  const group = memberOf(memberOf(value, 'admin'), 'socket_group')
  if (typeof group !== 'string' || (await machine.hasGroup(group))) return
  const message = `group "${group}" does not exist on this machine; use one from /etc/group`
  findings.problem('TSHA_E_USER', message, ['admin', 'socket_group'])
}

function sortProblems(problems: readonly Problem[]): Problem[] {
  const unique = new Map(problems.map((problem) => [formatProblem(problem), problem]))
  const files = [...new Set(problems.map(({ position }) => position?.file))]
  const key = ({ position }: Problem): [number, number, number] => [
    files.indexOf(position?.file),
    position?.line ?? 0,
    position?.column ?? 0
  ]
  return [...unique.values()].sort((a, b) => {
    const [fileA, lineA, columnA] = key(a)
    const [fileB, lineB, columnB] = key(b)
    return fileA - fileB || lineA - lineB || columnA - columnB
  })
}
