import t from 'tap'
import { readServerAddress } from '../../src/config/server-address.js'

t.test('an IP address or a host name, with or without a port', (t) => {
  const rows: [text: string, host: string, port: number][] = [
    ['192.0.2.1', '192.0.2.1', 80],
    ['192.0.2.1:8080', '192.0.2.1', 8080],
    ['[2001:DB8::1]:80', '2001:db8::1', 80],
    ['web1.example.org:8080', 'web1.example.org', 8080],
    ['Web1', 'web1', 80],
    ['3com.example', '3com.example', 80],
    ['web-1.example.org.', 'web-1.example.org.', 80],
    ['xn--bcher-kva.example:65535', 'xn--bcher-kva.example', 65535],
    [`${'a'.repeat(63)}.example`, `${'a'.repeat(63)}.example`, 80]
  ]
  for (const [text, host, port] of rows) {
    t.same(readServerAddress(text), { ok: true, endpoint: { host, port } }, text)
  }
  t.end()
})

t.test('what is neither is refused with what to do', (t) => {
  const rows: [text: string, problem: string][] = [
    [
      '192.0.2.300',
      'is not an IP address; use one such as 192.0.2.1:80, [2001:db8::1]:80 or web1.example.org:8080'
    ],
    [
      '8080',
      'is not an IP address; use one such as 192.0.2.1:80, [2001:db8::1]:80 or web1.example.org:8080'
    ],
    ['web_1.example.org', 'is no host name because of "_"; use letters, digits, hyphens and dots'],
    ['bücher.example', 'is no host name because of "ü"; use letters, digits, hyphens and dots'],
    ['-web1.example.org', 'has a hyphen at an end of "-web1"; use letters or digits there'],
    ['web1-', 'has a hyphen at an end of "web1-"; use letters or digits there'],
    [
      'web1..example.org',
      'has two dots in a row or one in front; use a name such as web1.example.org'
    ],
    [`${'a'.repeat(64)}.example`, 'has a part longer than 63 characters; use a shorter one'],
    ['web1.example.org:0', 'has a port out of range; use 1 to 65535'],
    ['web1.example.org:70000', 'has a port out of range; use 1 to 65535'],
    ['http://web1.example.org', 'is a URL; use only its host and port'],
    ['2001:db8::1', 'is not valid; use an IPv6 address in brackets, such as [2001:db8::1]:80'],
    [
      'web1:http',
      'is not valid; use an IP address or a host name with an optional port, such as 192.0.2.1:80, ' +
        '[2001:db8::1]:80 or web1.example.org:8080'
    ]
  ]
  for (const [text, problem] of rows) {
    t.same(readServerAddress(text), { ok: false, problem }, text)
  }
  const long = `${'a.'.repeat(126)}example`
  t.same(readServerAddress(long), {
    ok: false,
    problem: 'is longer than 253 characters; use a shorter host name'
  })
  t.end()
})
