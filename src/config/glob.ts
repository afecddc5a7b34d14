import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** True for a path that nginx's `include` expands, by the same test: one of `*`, `?` or `[`. */
export function isGlob(pattern: string): boolean {
  return /[*?[]/.test(pattern)
}

/**
 * The files that match an absolute pattern, sorted, as glob(3) gives them: a wildcard matches no `/`
 * and no leading dot. A directory that cannot be read has no matches.
 */
export async function glob(pattern: string): Promise<string[]> {
  let found = ['/']
  for (const segment of pattern.split('/').filter((part) => part !== '')) {
    const next: string[] = []
    for (const directory of found) {
      if (!isGlob(segment)) {
        next.push(join(directory, segment))
        continue
      }
      const matches = matcher(segment)
      const names = await namesIn(directory)
      next.push(...names.filter(matches).map((name) => join(directory, name)))
    }
    found = next
  }
  return found.sort()
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch {
    // glob(3) without GLOB_ERR: what cannot be read does not match.
    return []
  }
}

function matcher(segment: string): (name: string) => boolean {
  const source = segment.replace(/\[[!^]?\]?[^\]]*\]|\*|\?|[^*?[]+|\[/g, (part) => {
    if (part === '*') return '[^/]*'
    if (part === '?') return '[^/]'
    if (part.startsWith('[') && part.length > 2) {
      const inner = part.slice(1, -1).replace(/\\/g, '\\\\')
      return /^[!^]/.test(inner) ? `[^${escapeSet(inner.slice(1))}]` : `[${escapeSet(inner)}]`
    }
    return part.replace(/[.+^$(){}|[\]\\]/g, '\\$&')
  })
  const pattern = new RegExp(`^${source}$`, 's')
  return (name) => (segment.startsWith('.') || !name.startsWith('.')) && pattern.test(name)
}

function escapeSet(set: string): string {
  return set.replace(/[\]^]/g, '\\$&')
}
