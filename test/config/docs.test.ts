import { readFile } from 'node:fs/promises'
import t from 'tap'
import { parse } from 'yaml'
import {
  AUTHENTICATION_DIRECTIVES,
  HMAC_DIRECTIVES
} from '../../src/config/keepalived/auth-blocks.js'
import {
  FILE_DIRECTIVES,
  PROCESS_DIRECTIVES,
  SCRIPT_DIRECTIVES
} from '../../src/config/keepalived/check-blocks.js'
import {
  GARP_GROUP_DIRECTIVES,
  GLOBAL_DIRECTIVES
} from '../../src/config/keepalived/global-directives.js'
import { GROUP_DIRECTIVES } from '../../src/config/keepalived/group-directives.js'
import { FILE_BLOCKS } from '../../src/config/keepalived/keepalived-conf.js'
import { IGNORED, REFUSED } from '../../src/config/keepalived/not-read.js'
import type { BlockName } from '../../src/config/keepalived/not-read.js'
import { ROUTER_DIRECTIVES } from '../../src/config/keepalived/router-directives.js'
import { trackDirectives } from '../../src/config/keepalived/track-blocks.js'
import { DIRECTIVES } from '../../src/config/nginx/directives.js'
import { jsonSchema } from '../../src/config/schema.js'
import { VARIABLE_NAMES } from '../../src/proxy/variables.js'

function readDoc(name: string): Promise<string> {
  return readFile(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')
}

interface Node {
  readonly default?: unknown
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Node>>
  readonly additionalProperties?: Node | boolean
  readonly items?: Node
  readonly anyOf?: readonly Node[]
  readonly oneOf?: readonly Node[]
}

interface Key {
  readonly isRequired: boolean
  readonly default: unknown
}

/** What several keys have in common is documented once. */
function shared(path: string): string {
  return path
    .replace(/^sync_groups\.NAME\.(track\[\]|notify)\./, 'virtual_routers.NAME.$1.')
    .replace('excluded_addresses[].', 'addresses[].')
    .replace(/^notify_fifo\.reader\./, 'virtual_routers.NAME.notify.EVENT.')
    .replace(/\.notify\.\w+\.(command|user|group)$/, '.notify.EVENT.$1')
}

/** Every key of the schema, as the documentation writes it. */
function keysOf(node: Node, path = '', keys = new Map<string, Key>()): Map<string, Key> {
  const required = node.required ?? []
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    const childPath = path === '' ? name : `${path}.${name}`
    const other = keys.get(shared(childPath))
    keys.set(shared(childPath), {
      isRequired: required.includes(name) && other?.isRequired !== false,
      default: other?.default ?? child.default
    })
    keysOf(child, childPath, keys)
  }
  if (typeof node.additionalProperties === 'object') {
    keysOf(node.additionalProperties, `${path}.NAME`, keys)
  }
  if (node.items) keysOf(node.items, `${path}[]`, keys)
  for (const choice of [...(node.anyOf ?? []), ...(node.oneOf ?? [])]) keysOf(choice, path, keys)
  return keys
}

interface Row {
  readonly key: string
  readonly default: string
  readonly example: string
}

function rowsOf(text: string): Row[] {
  return Array.from(
    text.matchAll(/^\| `([^`]+)` \| [^|]+ \| ([^|]+) \| `([^`]+)` \| [^|]+ \|$/gm),
    ([, key = '', ...rest]) => ({ key, default: rest[0] ?? '', example: rest[1] ?? '' })
  )
}

t.test(
  'docs/configuration.md has every key of the schema, with its default and an example',
  async (t) => {
    const rows = rowsOf(await readDoc('configuration.md'))
    const keys = keysOf(jsonSchema as Node)
    t.strictSame(rows.map(({ key }) => key).sort(), [...keys.keys()].sort())
    for (const row of rows) {
      const key = keys.get(row.key)
      if (key?.isRequired === true) t.equal(row.default, 'required', row.key)
      else if (key?.default !== undefined) {
        const value = typeof key.default === 'string' ? key.default : JSON.stringify(key.default)
        t.equal(row.default, `\`${value}\``, row.key)
      } else t.not(row.default, 'required', row.key)
      const example: unknown = parse(row.example)
      t.strictSame(Object.keys(example as object), [row.key.replace(/^.*\./, '')], row.key)
    }
  }
)

t.test('docs/configuration.md has every variable', async (t) => {
  const section = (await readDoc('configuration.md')).split('## Variables')[1] ?? ''
  const named = Array.from(section.matchAll(/`\$([a-z0-9_]+)`/g), ([, name]) => name)
  t.strictSame(named.toSorted(), [...VARIABLE_NAMES, 'http_host'].toSorted())
})

t.test('docs/from-nginx.md has every directive that is read', async (t) => {
  const text = await readDoc('from-nginx.md')
  for (const name of Object.keys(DIRECTIVES)) t.match(text, `\`${name}\``, name)
})

const TRACKS = Object.keys(trackDirectives(new Map()))

/** The directives of each block of a `keepalived.conf` that are read. */
const READ: Readonly<Record<BlockName, readonly string[]>> = {
  file: FILE_BLOCKS,
  global_defs: Object.keys(GLOBAL_DIRECTIVES),
  vrrp_instance: [...Object.keys(ROUTER_DIRECTIVES), ...TRACKS],
  authentication: Object.keys(AUTHENTICATION_DIRECTIVES),
  auth_hmac: Object.keys(HMAC_DIRECTIVES),
  vrrp_sync_group: [...Object.keys(GROUP_DIRECTIVES), ...TRACKS],
  vrrp_script: Object.keys(SCRIPT_DIRECTIVES),
  vrrp_track_process: Object.keys(PROCESS_DIRECTIVES),
  vrrp_track_file: Object.keys(FILE_DIRECTIVES),
  garp_group: Object.keys(GARP_GROUP_DIRECTIVES)
}

t.test('docs/from-keepalived.md says what becomes of every directive', async (t) => {
  const text = await readDoc('from-keepalived.md')
  for (const [block, read] of Object.entries(READ) as [BlockName, readonly string[]][]) {
    const table = text.split(`### \`${block}\`\n`)[1]?.split(/^##/m)[0] ?? ''
    const rows = Array.from(
      table.matchAll(/^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$/gm),
      ([, name = '', fate = '', reason = '']) => ({ name, fate, reason })
    )
    const found = (fate: string): Record<string, string> =>
      Object.fromEntries(
        rows.filter((row) => row.fate === fate).map(({ name, reason }) => [name, reason])
      )
    t.strictSame(found('refused'), REFUSED[block], `refused in ${block}`)
    t.strictSame(found('ignored'), IGNORED[block], `ignored in ${block}`)
    const others = rows.filter(({ fate }) => fate !== 'refused' && fate !== 'ignored')
    t.strictSame(others.map(({ name }) => name).sort(), [...read].sort(), `read in ${block}`)
  }
})
