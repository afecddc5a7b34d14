import type { Status } from '../admin/model.js'
import { AdminClient } from './client.js'
import type { LiveNames } from './definition.js'
import { readTarget } from './target.js'

/** Somebody waits at the keyboard. */
const NAMES_MS = 100

/**
 * The names that the running director knows, for the tab key.
 *
 * @param words the command line; its `--socket`, `--url`, `--token-file` and `--ca` count
 * @returns none when no director answers in time: completion tells no errors
 */
export async function liveNames(
  what: LiveNames,
  words: readonly string[]
): Promise<readonly string[]> {
  try {
    const value = (flag: string): string | undefined => valueOf(flag, words)
    const target = await readTarget(
      {
        socket: value('--socket'),
        url: value('--url'),
        'token-file': value('--token-file'),
        ca: value('--ca'),
        timeout: undefined
      },
      process.env
    )
    return namesOf(what, await new AdminClient(target, NAMES_MS).status())
  } catch {
    return []
  }
}

function valueOf(flag: string, words: readonly string[]): string | undefined {
  const joined = words.find((word) => word.startsWith(`${flag}=`))
  if (joined !== undefined) return joined.slice(flag.length + 1)
  const index = words.indexOf(flag)
  return index < 0 ? undefined : words[index + 1]
}

/** Peers that are in several upstreams are named with their upstream. */
export function namesOf(what: LiveNames, { virtual_routers, proxy }: Status): readonly string[] {
  if (what === 'routers') return virtual_routers.map(({ name }) => name)
  const upstreams = proxy?.upstreams ?? []
  const times = new Map<string, number>()
  for (const { name } of upstreams.flatMap(({ peers }) => peers)) {
    times.set(name, (times.get(name) ?? 0) + 1)
  }
  return upstreams.flatMap(({ name: upstream, peers }) =>
    peers.map(({ name }) => ((times.get(name) ?? 0) > 1 ? `${upstream}/${name}` : name))
  )
}
