import t from 'tap'
import {
  addressBytes,
  ipv4SocketAddress,
  ipv6SocketAddress,
  packetSocketAddress
} from '../../src/linux/socket-address.js'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

t.test('addresses become bytes, in every form that the RFCs allow', (t) => {
  const expected = {
    '192.168.64.200': 'c0a840c8',
    '0.0.0.0': '00000000',
    '::': '00000000000000000000000000000000',
    '::1': '00000000000000000000000000000001',
    'fe80::': 'fe800000000000000000000000000000',
    'FE80::2:b': 'fe8000000000000000000000000200'.concat('0b'),
    'fe80::2:b%eth0': 'fe8000000000000000000000000200'.concat('0b'),
    '::ffff:10.0.0.1': '00000000000000000000ffff0a000001',
    '1:2:3:4:5:6:7:8': '00010002000300040005000600070008'
  }
  for (const [address, bytes] of Object.entries(expected))
    t.equal(hex(addressBytes(address)), bytes, address)
  for (const wrong of ['', 'localhost', '1.2.3', '1::2::3', '::g'])
    t.throws(() => addressBytes(wrong), { message: `${wrong} is not an IP address` })
  t.end()
})

t.test('socket addresses are laid out as the kernel has them', (t) => {
  t.equal(hex(ipv4SocketAddress('224.0.0.18')), '02000000e00000120000000000000000')
  t.equal(
    hex(ipv6SocketAddress('ff02::12', 3)),
    '0a00000000000000ff02000000000000000000000000001203000000'
  )
  t.equal(
    hex(packetSocketAddress(3, 0x0806, addressBytes('1.2.3.4'))),
    '11000806030000000000000401020304'.concat('00000000')
  )
  t.end()
})
