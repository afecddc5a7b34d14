/**
 * Where a request belongs: its host chooses a virtual server, its path a route. Tables are built
 * when the configuration is loaded.
 */

/** Server names of one listen address, in nginx's order of precedence. */
export class HostTable<T> {
  readonly #exact = new Map<string, T>()
  /** `*.example.org`, kept as `.example.org`. */
  readonly #suffixes: [suffix: string, value: T][] = []
  /** `www.example.*`, kept as `www.example.`. */
  readonly #prefixes: [prefix: string, value: T][] = []
  readonly #fallback: T
  /** Whether any name leads to somebody else than the fallback. */
  readonly #hasChoice: boolean

  /** @param fallback who answers if no name matches; @param entries earlier ones win a tie */
  constructor(
    fallback: T,
    entries: readonly { readonly names: readonly string[]; readonly value: T }[]
  ) {
    this.#fallback = fallback
    this.#hasChoice = entries.some(({ value }) => value !== fallback)
    for (const { names, value } of entries) {
      for (const name of names) this.#add(name, value)
    }
    this.#suffixes.sort(([a], [b]) => b.length - a.length)
    this.#prefixes.sort(([a], [b]) => b.length - a.length)
  }

  /** Exact name, then the longest `*.name`, then the longest `name.*`, then the default. */
  find(host: string): T {
    if (!this.#hasChoice) return this.#fallback
    const exact = this.#exact.get(host)
    if (exact !== undefined) return exact
    for (const [suffix, value] of this.#suffixes) if (host.endsWith(suffix)) return value
    for (const [prefix, value] of this.#prefixes) if (host.startsWith(prefix)) return value
    return this.#fallback
  }

  #add(name: string, value: T): void {
    if (name.startsWith('*.')) this.#suffixes.push([name.slice(1), value])
    else if (name.endsWith('.*')) this.#prefixes.push([name.slice(0, -1), value])
    else if (!this.#exact.has(name)) this.#exact.set(name, value)
  }
}

/** Routes of one virtual server: an exact path first, else the longest prefix. */
export class RouteTable<T> {
  readonly #exact = new Map<string, T>()
  readonly #prefixes: [path: string, value: T][] = []

  constructor(
    entries: readonly { readonly path: string; readonly exact: boolean; readonly value: T }[]
  ) {
    for (const { path, exact, value } of entries) {
      if (exact) this.#exact.set(path, value)
      else this.#prefixes.push([path, value])
    }
    this.#prefixes.sort(([a], [b]) => b.length - a.length)
  }

  /** @param path normalised */
  find(path: string): T | null {
    if (this.#exact.size > 0) {
      const exact = this.#exact.get(path)
      if (exact !== undefined) return exact
    }
    for (const [prefix, value] of this.#prefixes) if (path.startsWith(prefix)) return value
    return null
  }
}

/**
 * The path by which a request target is routed, as nginx normalises it: without the query,
 * percent-decoded, slashes merged, dot segments resolved (RFC 3986 §5.2.4). What goes upstream is
 * still the target as it came.
 * @returns null if an encoding is broken, a NUL is encoded, or `..` leaves the root
 */
export function normalisePath(target: string): string | null {
  if (target === '*') return '/'
  const query = target.indexOf('?')
  const raw = query < 0 ? target : target.slice(0, query)
  if (!/%|\/\/|\/\./.test(raw)) return raw
  if (/%(?![0-9A-Fa-f]{2})|%00/.test(raw)) return null
  const decoded = raw.replace(/%([0-9A-Fa-f]{2})/g, (_match, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16))
  )
  const kept: string[] = []
  const segments = decoded.split('/').slice(1)
  for (const [i, segment] of segments.entries()) {
    const isLast = i === segments.length - 1
    if (segment === '..') {
      if (kept.pop() === undefined) return null
      if (isLast) kept.push('')
    } else if (segment === '.' || segment === '') {
      if (isLast) kept.push('')
    } else {
      kept.push(segment)
    }
  }
  return `/${kept.join('/')}`
}
