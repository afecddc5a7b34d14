// Captures advertisements of the real keepalived, one for each file beside this one. Needs root,
// keepalived, tcpdump and ip; makes network namespaces of its own and removes them.
//
//   node test/vrrp/golden/capture.mjs [--keepalived PROGRAM] [NAME ...]
//
// Debian 12 has keepalived 2.2.7; what it cannot do (HMAC, `v3_checksum_as_v2`) is skipped by name
// unless PROGRAM is 2.4.2 or newer. Stamps of HMAC authentication, and what depends on them, differ in
// each run: write them down in test/vrrp/golden-routers.ts afterwards.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const LIMIT_MS = 30_000
const SENDER = { mac: '02:00:c0:a8:40:82', ipv4: '192.168.64.130', ipv6: 'fe80::c0ff:fea8:4082' }
const KEY = 'hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'
/** In these texts a semicolon ends a line of keepalived.conf. */
const HMAC = `auth_hmac {; key 7 ${KEY}; active_key 7; }`
const PASS = 'authentication {; auth_type PASS; auth_pass 123456; }'
const ONE = 'virtual_ipaddress {; 192.168.64.200/24; }'
const THREE = 'virtual_ipaddress {; 192.168.64.202/24; 192.168.64.200/24; 10.9.8.7/32; }'
const IPV6 = 'virtual_ipaddress {; fe80::64:200/64; 2001:db8:64::200/64; }'
const UNICAST4 = `unicast_src_ip ${SENDER.ipv4}; unicast_peer {; 192.168.64.134; 192.168.64.135; }`
const UNICAST6 = `unicast_src_ip ${SENDER.ipv6}; unicast_peer {; fe80::134; }`
const V2 = 'virtual_router_id 51; priority 100; advert_int 1'
const V3 = `version 3; ${V2}`

/** Name of the file: what the instance says, and whether 2.4.2 or newer is needed. */
const INSTANCES = {
  'v2-none': { text: `virtual_router_id 7; priority 150; advert_int 2; ${ONE}` },
  'v2-pass-three-addresses': {
    text: `${V2}; authentication {; auth_type PASS; auth_pass 12345678; }; ${THREE}`
  },
  'v2-unicast': { text: `${V2}; ${PASS}; ${UNICAST4}; ${ONE}` },
  'v3-ipv4': { text: `version 3; virtual_router_id 51; priority 100; advert_int 0.25; ${ONE}` },
  // Leaves as soon as it is master.
  'v3-ipv4-resigns': {
    text: `version 3; virtual_router_id 51; priority 254; advert_int 4.05; ${THREE}`,
    resigns: true
  },
  'v3-ipv4-unicast': { text: `${V3}; unicast_ttl 64; ${UNICAST4}; ${ONE}` },
  'v3-ipv6': { text: `${V3}; ${IPV6}` },
  'v3-ipv6-unicast': { text: `${V3}; unicast_ttl 64; ${UNICAST6}; ${IPV6}` },
  'v3-ipv4-plain-checksum': { text: `${V3}; v3_checksum_as_v2; ${ONE}`, isNew: true },
  'v2-hmac': { text: `${V2}; ${HMAC}; ${ONE}`, isNew: true },
  'v3-ipv4-hmac': { text: `${V3}; ${HMAC}; ${THREE}`, isNew: true },
  'v3-ipv6-hmac': { text: `${V3}; ${HMAC}; ${IPV6}`, isNew: true },
  'v3-unicast-hmac': { text: `${V3}; ${HMAC}; ${UNICAST4}; ${ONE}`, isNew: true }
}

const names = process.argv.slice(2)
const at = names.indexOf('--keepalived')
const [, program = 'keepalived'] = at < 0 ? [] : names.splice(at, 2)
const version = spawnSync(program, ['--version'], { encoding: 'utf8' }).stderr.match(
  /v([\d.]+)/
)?.[1]
if (!version) throw new Error(`${program} is not keepalived`)
const isNew = Number(version.split('.')[1]) >= 4
const folder = mkdtempSync(join(tmpdir(), 'tsha-golden-'))
try {
  const wanted = Object.entries(INSTANCES).filter(
    ([name]) => names.length === 0 || names.includes(name)
  )
  const outcomes = await Promise.allSettled(
    wanted.map(async ([name, instance], number) => {
      if (instance.isNew && !isNew) return `${name}: skipped, keepalived ${version} cannot do it`
      const packet = await captureOne(name, instance, number)
      writeFileSync(new URL(`${name}.hex`, import.meta.url), describe(instance, packet))
      return `${name}: ${packet.length} bytes`
    })
  )
  for (const { value, reason } of outcomes) process.stdout.write(`${value ?? String(reason)}\n`)
  if (outcomes.some(({ status }) => status === 'rejected')) process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true })
}

/** Runs keepalived in a namespace of its own until it has sent what is wanted. */
async function captureOne(name, { text, resigns = false }, number) {
  const sender = `tsha-g${process.pid}-${number}a`
  const listener = `tsha-g${process.pid}-${number}b`
  const file = join(folder, `${name}.conf`)
  const children = []
  const inside = (namespace, ...args) => {
    const child = spawn('ip', ['netns', 'exec', namespace, ...args], {
      stdio: ['ignore', 'pipe', 'pipe']
    })
    children.push(child)
    return child
  }
  const lines = text.split(';').map((line) => line.trim())
  writeFileSync(file, ['vrrp_instance golden {', 'interface ens160', ...lines, '}', ''].join('\n'))
  try {
    for (const namespace of [sender, listener]) ip('netns', 'add', namespace)
    ip(
      '-n',
      sender,
      'link',
      'add',
      'ens160',
      'address',
      SENDER.mac,
      'type',
      'veth',
      'peer',
      'name',
      'ens160',
      'netns',
      listener
    )
    ip('-n', listener, 'address', 'add', '192.168.64.134/24', 'dev', 'ens160')
    ip('-n', listener, 'address', 'add', '192.168.64.135/24', 'dev', 'ens160')
    ip('-n', listener, 'address', 'add', 'fe80::134/64', 'dev', 'ens160', 'nodad')
    for (const namespace of [sender, listener]) {
      run(
        'ip',
        'netns',
        'exec',
        namespace,
        'sh',
        '-c',
        'for each in default ens160; do echo 0 > /proc/sys/net/ipv6/conf/$each/accept_dad; done'
      )
      ip('-n', namespace, 'link', 'set', 'lo', 'up')
      ip('-n', namespace, 'link', 'set', 'ens160', 'up')
    }
    ip('-n', sender, 'address', 'add', `${SENDER.ipv4}/24`, 'dev', 'ens160')
    const tcpdump = inside(
      listener,
      'tcpdump',
      '-n',
      '-i',
      'ens160',
      '-U',
      '-w',
      '-',
      'ip proto 112 or ip6 proto 112'
    )
    await said(tcpdump.stderr, 'listening on')
    const pids = ['p', 'r'].map((flag) => `-${flag}${join(folder, `${name}.${flag}`)}`)
    const keepalived = inside(
      sender,
      program,
      '--dont-fork',
      '--log-console',
      '--log-detail',
      '-f',
      file,
      ...pids
    )
    const log = []
    keepalived.stderr.on('data', (data) => log.push(data))
    keepalived.stdout.on('data', (data) => log.push(data))
    try {
      return await firstPacket(tcpdump.stdout, (message) => {
        if (!resigns) return true
        if (message[2] !== 0) keepalived.kill('SIGTERM')
        return message[2] === 0
      })
    } catch (error) {
      throw new Error(`${name}: ${error.message}\n${Buffer.concat(log)}`)
    }
  } finally {
    for (const child of children) await end(child)
    for (const namespace of [sender, listener]) spawnSync('ip', ['netns', 'delete', namespace])
  }
}

function ip(...args) {
  run('ip', ...args)
}

function run(command, ...args) {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`)
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
  await gone
  clearTimeout(timer)
}

function said(stream, words) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`never said "${words}"`)), LIMIT_MS)
    let text = ''
    stream.on('data', (data) => {
      text += data
      if (!text.includes(words)) return
      clearTimeout(timer)
      resolve()
    })
  })
}

/** The IP packet of the first Ethernet frame of a pcap stream that is wanted. */
function firstPacket(stream, isWanted) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('nothing was captured')), LIMIT_MS)
    let bytes = Buffer.alloc(0)
    let offset = 24
    stream.on('data', (data) => {
      bytes = Buffer.concat([bytes, data])
      while (bytes.length >= offset + 16) {
        const length = bytes.readUInt32LE(offset + 8)
        if (bytes.length < offset + 16 + length) return
        const packet = bytes.subarray(offset + 16 + 14, offset + 16 + length)
        offset += 16 + length
        if (!isWanted(packet.subarray(packet[0] >>> 4 === 4 ? 20 : 40))) continue
        clearTimeout(timer)
        resolve(packet)
        return
      }
    })
  })
}

/** The file: where the packet is from, and its bytes by field. */
function describe({ text }, packet) {
  const lines = [`# keepalived ${version}, captured: ${text}`]
  let from = 0
  const field = (length, what) => {
    const bytes = packet.subarray(from, from + length)
    lines.push(`${bytes.toString('hex').replace(/(..)(?=.)/g, '$1 ')}  # ${what}`)
    from += length
  }
  const isIpv4 = packet[0] >>> 4 === 4
  if (isIpv4) {
    field(4, 'IPv4, 5 words, type of service, total length')
    field(4, 'identification, fragment')
    field(4, 'TTL, protocol, header checksum (the kernel fills it in)')
    field(4, 'source')
    field(4, 'destination')
  } else {
    field(4, 'IPv6, traffic class, flow label')
    field(4, 'payload length, next header, hop limit')
    field(16, 'source')
    field(16, 'destination')
  }
  const isV2 = packet[from] >>> 4 === 2
  const count = packet[from + 3]
  field(4, 'version and type, VRID, priority, count of addresses')
  field(2, isV2 ? 'authentication type, interval in s' : 'interval in cs')
  field(2, 'checksum')
  for (let i = 0; i < count; i++) field(isIpv4 ? 4 : 16, 'virtual address')
  if (isV2) field(8, 'authentication data')
  if (packet.length > from) {
    field(4, 'trailer: type, key, reserved')
    field(8, 'seconds, 1/65536 s, counter')
    field(16, 'HMAC')
  }
  if (from !== packet.length) throw new Error(`${packet.length - from} bytes are left over`)
  return `${lines.join('\n')}\n`
}
