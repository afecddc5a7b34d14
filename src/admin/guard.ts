import { isIP } from 'node:net'

/*
 * What protects administrators from pages of other sites that their browser shows. A page may send
 * requests to any address, the loopback too, and a name server of its own may call that address by
 * the page's name (DNS rebinding).
 */

/** Headers of a request that tell where it comes from. */
export interface Origins {
  readonly host: string | undefined
  readonly origin: string | undefined
  readonly secFetchSite: string | undefined
}

/** The host of `name`, `name:port`, `1.2.3.4:port` or `[::1]:port`, in lower case; null for anything else. */
export function hostOf(authority: string): string | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]@/\s]+))(?::\d{1,5})?$/.exec(authority)
  return (match?.[1] ?? match?.[2])?.toLowerCase().replace(/\.$/, '') ?? null
}

/**
 * Whether a request calls us by an address or by one of our names: a page of another site would call
 * us by the name of that site.
 */
export function isOurName(host: string | undefined, names: ReadonlySet<string>): boolean {
  if (host === undefined) return false
  const name = hostOf(host)
  return name !== null && (isIP(name) !== 0 || names.has(name))
}

/** Whether a browser says that a page of another site sent this request. */
export function isCrossSite({ host, origin, secFetchSite }: Origins): boolean {
  if (secFetchSite !== undefined) return secFetchSite !== 'same-origin' && secFetchSite !== 'none'
  if (origin === undefined) return false
  const authority = /^https?:\/\/([^/]+)$/.exec(origin)?.[1]
  return authority === undefined || authority.toLowerCase() !== host?.toLowerCase()
}
