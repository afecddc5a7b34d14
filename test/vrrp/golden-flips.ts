/**
 * What becomes of each golden packet when a single bit of it is flipped: `byte verdict` or
 * `from-to verdict`, with one verdict for all bits of the byte, or eight, the highest bit first.
 *
 * IPv4: 0 version and IHL, 1 TOS, 2 total length, 4 identification and fragment, 8 TTL, 9 protocol, 10
 * header checksum (the kernel checks it), 12 source, 16 destination, 20 the message. IPv6: 0 version,
 * traffic class, flow label, 4 payload length, 6 next header, 7 hop limit, 8 source, 24 destination, 40
 * the message. Message: +0 version and type, +1 VRID, +2 priority, +3 count, +4 authentication type and
 * interval, +6 checksum, +8 addresses, then VRRPv2's authentication data and HMAC's trailer.
 */
export const FLIPS: Readonly<Record<string, string>> = {
  'advertisement-100': `
    0 ip-header ip-header ip-version ip-header ip-header ip-header vrid ip-header
    1 accepted
    2-3 ip-length
    4-7 accepted
    8 ttl
    9 protocol
    10-14 accepted
    15 accepted accepted accepted accepted accepted own-address accepted accepted
    16-19 destination
    20 length length length length type type type type
    21 vrid
    22 checksum
    23 length
    24 auth-type-unknown auth-type-unknown auth-type-unknown auth-type-unknown auth-type-unknown auth-type-unknown auth-type-unknown auth-type
    25 interval
    26-31 checksum
    32-39 auth-data
  `,
  'v2-none': `
    0 ip-header ip-header ip-version ip-header ip-header ip-header vrid ip-header
    1 accepted
    2-3 ip-length
    4-7 accepted
    8 ttl
    9 protocol
    10-14 accepted
    15 accepted accepted accepted accepted accepted own-address accepted accepted
    16-19 destination
    20 length length length length type type type type
    21 vrid
    22 checksum
    23 length
    24 auth-type-unknown auth-type-unknown auth-type-unknown auth-type-unknown auth-type-unknown auth-type-unknown auth-type auth-type
    25 interval
    26-39 checksum
  `,
  'v2-pass-three-addresses': `
    0 ip-header ip-header ip-version ip-header ip-header ip-header vrid ip-header
    1 accepted
    2-3 ip-length
    4-7 accepted
    8 ttl
    9 protocol
    10-14 accepted
    15 accepted accepted accepted accepted accepted own-address accepted accepted
    16-19 destination
    20 length length length length type type type type
    21 vrid
    22 checksum
    23 length
    24 auth-type-unknown auth-type-unknown auth-type-unknown auth-type-unknown auth-type-unknown auth-type-unknown auth-type-unknown auth-type
    25 interval
    26-39 checksum
    40-47 auth-data
  `,
  'v2-unicast': `
    0 ip-header ip-header ip-version ip-header ip-header ip-header vrid ip-header
    1 accepted
    2-3 ip-length
    4-8 accepted
    9 protocol
    10-11 accepted
    12-14 unicast-source
    15 unicast-source unicast-source unicast-source unicast-source unicast-source own-address unicast-source unicast-source
    16-19 destination
    20 length length length length type type type type
    21 vrid
    22 checksum
    23 length
    24 auth-type-unknown auth-type-unknown auth-type-unknown auth-type-unknown auth-type-unknown auth-type-unknown auth-type-unknown auth-type
    25 interval
    26-31 checksum
    32-39 auth-data
  `,
  'v2-hmac': `
    0 ip-header ip-header ip-version ip-header vrid ip-header vrid ip-header
    1 accepted
    2-3 ip-length
    4-7 accepted
    8 ttl
    9 protocol
    10-11 accepted
    12-14 hmac-invalid
    15 hmac-invalid hmac-invalid hmac-invalid hmac-invalid hmac-invalid own-address hmac-invalid hmac-invalid
    16-19 destination
    20 length length length length hmac-invalid hmac-invalid hmac-invalid hmac-invalid
    21 vrid
    22 hmac-invalid
    23 length
    24-25 hmac-invalid
    26-27 checksum
    28-39 hmac-invalid
    40 hmac-malformed
    41 hmac-unknown-key
    42-43 hmac-malformed
    44-46 hmac-stale
    47 hmac-stale hmac-stale hmac-stale hmac-stale hmac-stale hmac-invalid hmac-invalid hmac-invalid
    48-67 hmac-invalid
  `,
  'v3-ipv4': `
    0 ip-header ip-header ip-version ip-header ip-header ip-header short ip-header
    1 accepted
    2-3 ip-length
    4-7 accepted
    8 ttl
    9 protocol
    10-11 accepted
    12-14 checksum
    15 checksum checksum checksum checksum checksum own-address checksum checksum
    16-19 checksum
    20 version version version length type type type type
    21 vrid
    22 checksum
    23 length
    24-31 checksum
  `,
  'v3-ipv4-plain-checksum': `
    0 ip-header ip-header ip-version ip-header ip-header ip-header short ip-header
    1 accepted
    2-3 ip-length
    4-7 accepted
    8 ttl
    9 protocol
    10-14 accepted
    15 accepted accepted accepted accepted accepted own-address accepted accepted
    16-19 destination
    20 version version version length type type type type
    21 vrid
    22 checksum
    23 length
    24-31 checksum
  `,
  'v3-ipv4-resigns': `
    0 ip-header ip-header ip-version ip-header ip-header ip-header vrid ip-header
    1 accepted
    2-3 ip-length
    4-7 accepted
    8 ttl
    9 protocol
    10-11 accepted
    12-14 checksum
    15 checksum checksum checksum checksum checksum own-address checksum checksum
    16-19 checksum
    20 version version version length type type type type
    21 vrid
    22 checksum
    23 length
    24-39 checksum
  `,
  'v3-ipv4-unicast': `
    0 ip-header ip-header ip-version ip-header ip-header ip-header short ip-header
    1 accepted
    2-3 ip-length
    4-8 accepted
    9 protocol
    10-11 accepted
    12-14 checksum
    15 checksum checksum checksum checksum checksum own-address checksum checksum
    16-19 checksum
    20 version version version length type type type type
    21 vrid
    22 checksum
    23 length
    24-31 checksum
  `,
  'v3-ipv4-hmac': `
    0 ip-header ip-header ip-version ip-header vrid ip-header vrid ip-header
    1 accepted
    2-3 ip-length
    4-7 accepted
    8 ttl
    9 protocol
    10-11 accepted
    12-14 hmac-invalid
    15 hmac-invalid hmac-invalid hmac-invalid hmac-invalid hmac-invalid own-address hmac-invalid hmac-invalid
    16-19 checksum
    20 version version version length hmac-invalid hmac-invalid hmac-invalid hmac-invalid
    21 vrid
    22 hmac-invalid
    23 length
    24-25 hmac-invalid
    26-27 checksum
    28-39 hmac-invalid
    40 hmac-malformed
    41 hmac-unknown-key
    42-43 hmac-malformed
    44-46 hmac-stale
    47 hmac-stale hmac-stale hmac-stale hmac-stale hmac-stale hmac-invalid hmac-invalid hmac-invalid
    48-67 hmac-invalid
  `,
  'v3-unicast-hmac': `
    0 ip-header ip-header ip-version ip-header vrid ip-header vrid ip-header
    1 accepted
    2-3 ip-length
    4-8 accepted
    9 protocol
    10-11 accepted
    12-14 unicast-source
    15 unicast-source unicast-source unicast-source unicast-source unicast-source own-address unicast-source unicast-source
    16-19 checksum
    20 version version version length hmac-invalid hmac-invalid hmac-invalid hmac-invalid
    21 vrid
    22 hmac-invalid
    23 length
    24-25 hmac-invalid
    26-27 checksum
    28-31 hmac-invalid
    32 hmac-malformed
    33 hmac-unknown-key
    34-35 hmac-malformed
    36-38 hmac-stale
    39 hmac-stale hmac-stale hmac-stale hmac-stale hmac-stale hmac-invalid hmac-invalid hmac-invalid
    40-59 hmac-invalid
  `,
  'v3-ipv6': `
    0 ip-header ip-header ip-version ip-header accepted accepted accepted accepted
    1-3 accepted
    4 ip-length
    5 ip-length ip-length length ip-length length ip-length ip-length ip-length
    6 protocol
    7 ttl
    8-39 checksum
    40 version version version version type type type type
    41 vrid
    42 checksum
    43 length
    44-79 checksum
  `,
  'v3-ipv6-unicast': `
    0 ip-header ip-header ip-version ip-header accepted accepted accepted accepted
    1-3 accepted
    4 ip-length
    5 ip-length ip-length length ip-length length ip-length ip-length ip-length
    6 protocol
    7 accepted
    8-39 checksum
    40 version version version version type type type type
    41 vrid
    42 checksum
    43 length
    44-79 checksum
  `,
  'v3-ipv6-hmac': `
    0 ip-header ip-header ip-version ip-header accepted accepted accepted accepted
    1-3 accepted
    4 ip-length
    5 ip-length length ip-length ip-length ip-length length ip-length ip-length
    6 protocol
    7 ttl
    8-23 hmac-invalid
    24-39 checksum
    40 version version version version hmac-invalid hmac-invalid hmac-invalid hmac-invalid
    41 vrid
    42 hmac-invalid
    43 length
    44-45 hmac-invalid
    46-47 checksum
    48-79 hmac-invalid
    80 hmac-malformed
    81 hmac-unknown-key
    82-83 hmac-malformed
    84-86 hmac-stale
    87 hmac-stale hmac-stale hmac-stale hmac-stale hmac-stale hmac-invalid hmac-invalid hmac-invalid
    88-107 hmac-invalid
  `
}
