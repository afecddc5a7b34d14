import type { Discard } from '../../vrrp/discards.js'

/** What a discarded advertisement means to the reader of the log. */
export const DISCARD_TEXTS: Readonly<Record<Discard, string>> = {
  'ip-header': 'its IP header is cut short',
  'ip-version': 'it is of the other version of IP',
  protocol: 'it is not VRRP',
  short: 'its VRRP header is cut short',
  vrid: 'it is for another virtual router',
  'own-address': 'it carries our own address: another machine uses it',
  'ah-header': 'it has an IPsec Authentication Header, which tsha does not support',
  length: 'its length does not fit its address count',
  ttl: 'its TTL is not 255: it came through a router',
  version: 'it is of another version of VRRP',
  'hmac-missing': 'it has no HMAC authentication',
  'hmac-malformed': 'its HMAC authentication is of an unknown kind',
  'hmac-stale': 'its clock is too far from ours for HMAC authentication',
  'hmac-unknown-key': 'it is signed with a key that we do not have',
  'hmac-invalid': 'its HMAC is wrong: another key, or it was changed on its way',
  'hmac-replay': 'it was heard before, or is older than what was heard before',
  'auth-type-unknown': 'its authentication type does not exist',
  'auth-type': 'its authentication type differs from ours',
  'auth-data': 'its password differs from ours',
  interval: 'its advertisement interval differs from ours, or is 0',
  type: 'it is not an advertisement',
  'ip-length': 'its length is not the one in its IP header',
  checksum: 'its checksum is wrong',
  destination: 'it was not sent to our group or our address',
  'unicast-source': 'its sender is not one of our unicast peers',
  'ttl-range': 'its TTL is out of the bounds of its sender',
  'owner-ignores':
    'we own the addresses and owner_ignore_adverts is on: another director is master too'
}
