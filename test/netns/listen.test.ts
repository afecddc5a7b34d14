import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { readGolden, toHex } from '../vrrp/golden.js'
import { Arrivals, enterOwnNetwork, ip, layCable, sendFrame } from './lab/own-network.js'
import { cannotRun } from './lab/requirements.js'

const TSHA = fileURLToPath(new URL('../../bin/tsha.js', import.meta.url))
const FROM = '020000000002'
const TO_GROUP = `01005e000012${FROM}0800`
const TO_GROUP6 = `333300000012${FROM}86dd`
const TO_US = `020000000001${FROM}0800`

await t.test(
  'tsha listen prints what keepalived sends, by IPv4, IPv6 and unicast',
  { skip: cannotRun() },
  async (t) => {
    enterOwnNetwork()
    layCable('near', 'far')
    ip('addr add 192.168.64.134/24 dev near', 'addr add fe80::134/64 dev near nodad')
    const lines = new Arrivals<string>()
    const said = new Arrivals<string>()
    const child = spawn(process.execPath, [TSHA, 'listen', '--interface', 'near', '--json'], {
      stdio: ['ignore', 'pipe', 'pipe']
    })
    const exited = once(child, 'exit')
    t.teardown(() => child.kill('SIGKILL'))
    createInterface(child.stdout).on('line', lines.add)
    createInterface(child.stderr).on('line', said.add)
    await said.first((line) => line === 'tsha: listening on near', 'the sign that it listens')

    sendFrame('far', `${TO_GROUP}${toHex(readGolden('advertisement-100'))}`)
    sendFrame('far', `${TO_GROUP6}${toHex(readGolden('v3-ipv6'))}`)
    sendFrame('far', `${TO_US}${toHex(readGolden('v3-ipv4-unicast'))}`)
    const heard = async (destination: string): Promise<unknown> =>
      JSON.parse(await lines.first((line) => line.includes(`"${destination}"`), destination))
    t.match(await heard('224.0.0.18'), { version: 2, vrid: 51, authentication: 'pass' })
    t.match(await heard('ff02::12'), { version: 3, source: 'fe80::c0ff:fea8:4082' })
    t.match(await heard('192.168.64.134'), {
      ttl: 64,
      verdict: { kind: 'valid' },
      warnings: []
    })
    child.kill('SIGTERM')
    t.strictSame(await exited, [0, null])
    t.equal(lines.all.length, 3)
  }
)
