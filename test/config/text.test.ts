import fc from 'fast-check'
import t from 'tap'
import { splitCommand } from '../../src/config/command.js'
import { readKeepalivedConf } from '../../src/config/keepalived/keepalived-conf.js'
import { nearest } from '../../src/config/nearest.js'
import { readNginxConf } from '../../src/config/nginx/nginx-conf.js'
import { TextPositions } from '../../src/config/source.js'
import {
  formatDuration,
  parseDuration,
  parseEndpoint,
  parseListen,
  parseSize
} from '../../src/config/units.js'
import { validate } from '../../src/config/validate.js'
import { variablesIn } from '../../src/config/variables.js'
import { readYaml } from '../../src/config/yaml.js'

t.test('durations carry their unit and are whole milliseconds', (t) => {
  const rows: [string, number | undefined][] = [
    ['1s', 1000],
    ['250ms', 250],
    ['5m', 300000],
    ['1.5s', 1500],
    ['1m30s', 90000],
    ['0s', 0],
    ['0.0001s', undefined],
    ['1', undefined],
    ['s', undefined],
    ['-1s', undefined],
    ['30d', undefined]
  ]
  for (const [text, expected] of rows) t.equal(parseDuration(text), expected, text)
  t.equal(formatDuration(90000), '90s')
  t.equal(formatDuration(250), '250ms')
  t.equal(formatDuration(300000), '5m')
  t.equal(formatDuration(0), '0s')
  t.end()
})

t.test('sizes are bytes, k, m or g', (t) => {
  t.equal(parseSize('512'), 512)
  t.equal(parseSize('8k'), 8192)
  t.equal(parseSize('1M'), 1048576)
  t.equal(parseSize('2g'), 2147483648)
  t.equal(parseSize('1.5m'), undefined)
  t.end()
})

t.test('addresses are IP addresses with ports from 1 to 65535', (t) => {
  t.strictSame(parseEndpoint('192.0.2.1', 80), { host: '192.0.2.1', port: 80 })
  t.strictSame(parseEndpoint('[2001:DB8::1]:8080', 80), { host: '2001:db8::1', port: 8080 })
  for (const text of [
    '',
    'www',
    '192.0.2.256',
    '192.0.2.1:0',
    '192.0.2.1:65536',
    '2001:db8::1',
    '[192.0.2.1]'
  ]) {
    t.equal(parseEndpoint(text, 80), undefined, text)
  }
  t.strictSame(parseListen(':80'), { host: '0.0.0.0', port: 80 })
  t.strictSame(parseListen('[::]:81'), { host: '::', port: 81 })
  t.equal(parseListen('192.0.2.1'), undefined)
  t.equal(parseListen('80'), undefined)
  t.end()
})

t.test('a command splits at blanks, quotes hold together', (t) => {
  t.strictSame(splitCommand('/bin/sh -c "exit \\"1\\"" \'a b\' c\\ d'), [
    '/bin/sh',
    '-c',
    'exit "1"',
    'a b',
    'c d'
  ])
  t.strictSame(splitCommand(['/a b', 'c d']), ['/a b', 'c d'])
  t.end()
})

t.test('variables are found with and without braces', (t) => {
  t.strictSame(variablesIn('a$host-${uri}x$ $1'), ['host', 'uri', '', '1'])
  t.end()
})

t.test('the nearest word is suggested only when it is near', (t) => {
  t.equal(nearest('adresses', ['addresses', 'interface']), 'addresses')
  t.equal(nearest('gzip', ['addresses', 'interface']), undefined)
  t.end()
})

t.test('columns count characters', (t) => {
  const positions = new TextPositions('f', 'a\n\u{1F600}\u8D1Fb')
  t.strictSame(positions.at(0), { file: 'f', line: 1, column: 1 })
  t.strictSame(positions.at(5), { file: 'f', line: 2, column: 3 })
  t.end()
})

/** Texts of the pieces that the grammars are made of, so that random ones get past the lexers. */
const text = fc
  .array(
    fc.oneof(
      fc.string(),
      fc.constantFrom(
        '{',
        '}',
        ';',
        '"',
        "'",
        '\n',
        '#',
        '!',
        '\\',
        '$',
        ' ',
        ': ',
        '- ',
        '&a',
        '*a',
        '['
      ),
      fc.constantFrom(
        'vrrp_instance',
        'vrrp_script',
        'virtual_ipaddress',
        'track_script',
        'weight',
        'authentication'
      ),
      fc.constantFrom(
        'http',
        'server',
        'location',
        'upstream',
        'listen',
        'events',
        'proxy_pass',
        'http://a',
        '__proto__'
      ),
      fc.constantFrom('virtual_routers', 'listeners', 'routes', 'track', 'vrid', '192.0.2.1', '5')
    )
  )
  .map((pieces) => pieces.join(' '))

t.test('no text makes a reader throw', async (t) => {
  await fc.assert(
    fc.asyncProperty(text, async (text) => {
      // An include would read whatever file a random text names.
      const harmless = text.replaceAll('include', '')
      const machine = { isRoot: true }
      const context = { role: null, configId: 'director1', environment: {} }
      validate(readYaml('f', text))
      validate(await readKeepalivedConf('f', harmless, context))
      validate(await readNginxConf('/nonexistent/f', harmless, machine))
    }),
    { numRuns: 500 }
  )
  t.pass('500 texts')
})
