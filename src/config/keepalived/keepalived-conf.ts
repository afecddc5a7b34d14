import type { Problem } from '../../errors.js'
import type { Role } from '../model.js'
import { Places } from '../source.js'
import type { Source } from '../source.js'
import { CHECK_BLOCK_NAMES, readCheck } from './check-blocks.js'
import type { OwnWeights } from './check-blocks.js'
import { expand } from './expand.js'
import type { ExpandContext } from './expand.js'
import { GLOBAL_DIRECTIVES, newGlobalDraft, readGarpGroup } from './global-directives.js'
import { readGroup } from './group-directives.js'
import type { MemberDefaults } from './group-directives.js'
import { LINK_DELAYS, readLinkDelays } from './link-delay-block.js'
import { RouterReader } from './router-reader.js'
import { StatementReader } from './statement-reader.js'

/** A `keepalived.conf` in the shape of `tsha.yaml`, and the role that its `state` lines give. */
export interface KeepalivedSource extends Source {
  /** Null when there is no `state`, or `state` differs between virtual routers. */
  readonly role: Role | null
}

/** What reading depends on besides the text. */
export interface KeepalivedContext extends ExpandContext {
  /** The role that the administrator has asked for; a `state` that contradicts is a problem. */
  readonly role: Role | null
}

/** The blocks of the top level that are read. */
export const FILE_BLOCKS = [
  'global_defs',
  ...CHECK_BLOCK_NAMES,
  'vrrp_instance',
  'vrrp_sync_group',
  'garp_group',
  LINK_DELAYS
]

/**
 * Reads the text of a `keepalived.conf` and of what it includes: everything about VRRP. Directives
 * without a meaning are listed as ignored, every other one is a problem. keepalived's defaults are
 * filled in here where they differ from those of `tsha.yaml`, and what it clears with a message is
 * cleared here with a note.
 */
export async function readKeepalivedConf(
  file: string,
  text: string,
  context: KeepalivedContext
): Promise<KeepalivedSource> {
  const { statements, problems: found, notes } = await expand(file, text, context)
  const problems: Problem[] = [...found]
  const places = new Places(file)
  const reader = new StatementReader(problems, places)
  const of = (keyword: string) => statements.filter((each) => each.keyword === keyword)

  const globals = newGlobalDraft(reader)
  for (const block of of('global_defs')) {
    reader.block(block, 'global_defs', GLOBAL_DIRECTIVES, globals)
  }
  const checks: Record<string, unknown> = {}
  const weights: OwnWeights = new Map()
  for (const block of CHECK_BLOCK_NAMES.flatMap(of)) readCheck(block, reader, checks, weights)
  const groups: Record<string, unknown> = {}
  const members: MemberDefaults = new Map()
  for (const block of of('vrrp_sync_group')) readGroup(block, reader, groups, weights, members)
  const routers = new RouterReader(reader, { globals: globals.defaults, members }, weights)
  const virtualRouters: Record<string, unknown> = {}
  for (const block of of('vrrp_instance')) routers.read(block, virtualRouters)
  routers.checkRole(context.role)
  for (const block of of('garp_group')) readGarpGroup(block, reader, virtualRouters)
  for (const statement of statements) {
    if (!FILE_BLOCKS.includes(statement.keyword)) reader.notRead(statement, 'file', FILE_BLOCKS)
  }
  if (routers.count === 0) {
    const position = { file, line: 1, column: 1 }
    reader.problem('TSHA_E_REQUIRED', 'vrrp_instance is missing; use at least one', position)
  }
  const value = {
    ...globals.value,
    checks,
    virtual_routers: virtualRouters,
    ...(of(LINK_DELAYS).length === 0
      ? {}
      : { link_delays: readLinkDelays(of(LINK_DELAYS), reader) }),
    ...(Object.keys(groups).length === 0 ? {} : { sync_groups: groups })
  }
  return {
    value,
    places,
    problems,
    ignored: [...new Set(reader.ignored)],
    notes: [...notes, ...reader.notes],
    isStrict: false,
    role: routers.role
  }
}
