import t from 'tap'
import { configurationHash } from '../../src/config/hash.js'
import type { Authentication, Config } from '../../src/config/model.js'
import { ROUTER } from '../director/elections/router-config.js'

function hashOf(authentication: Authentication | null, routerId = 'director1'): string {
  const router = { ...ROUTER, authentication }
  return configurationHash({ routerId, virtualRouters: [router] } as unknown as Config)
}

t.test('a hash names a configuration: the same twice, another one after any change', (t) => {
  const key = (last: number): Authentication => ({
    type: 'hmac',
    keys: [{ id: 1, secret: Buffer.from([...Array.from({ length: 31 }, () => 7), last]) }],
    mode: 'enforce',
    antiReplay: 'time',
    windowMs: 5000
  })
  const all = [
    hashOf(null),
    hashOf(null, 'director2'),
    hashOf({ type: 'pass', password: '123456' }),
    hashOf({ type: 'pass', password: '123457' }),
    hashOf(key(1)),
    hashOf(key(2))
  ]
  for (const hash of all) t.match(hash, /^[0-9a-f]{12}$/)
  t.equal(new Set(all).size, 6)
  t.equal(hashOf(key(1)), all[4])
  t.end()
})

t.test('who tries passwords against a hash needs time for each', (t) => {
  const begun = process.cpuUsage()
  for (let i = 0; i < 5; i += 1) hashOf({ type: 'pass', password: `${i}` })
  t.ok(process.cpuUsage(begun).user / 1000 / 5 > 5, 'milliseconds of a processor')
  t.end()
})
