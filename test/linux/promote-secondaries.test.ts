import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { promoteSecondaries } from '../../src/linux/promote-secondaries.js'

t.test('the switch of the interface is set', async (t) => {
  const folder = t.testdir({ eth0: { promote_secondaries: '0\n' } })
  t.equal(await promoteSecondaries('eth0', folder), null)
  t.equal(readFileSync(`${folder}/eth0/promote_secondaries`, 'latin1'), '1\n')
})

t.test('where it is set already, nothing is written, so nothing can be refused', async (t) => {
  const folder = t.testdir({ eth0: {} })
  const file = `${folder}/eth0/promote_secondaries`
  writeFileSync(file, '1 as it was', { mode: 0o444 })
  t.equal(await promoteSecondaries('eth0', folder), null)
  t.equal(readFileSync(file, 'latin1'), '1 as it was')
})

t.test('a refusal is told, not thrown', async (t) => {
  const folder = t.testdir({})
  mkdirSync(`${folder}/eth0/promote_secondaries`, { recursive: true })
  t.match(await promoteSecondaries('eth0', folder), /^EISDIR/)
  t.match(await promoteSecondaries('eth1', folder), /^ENOENT/)
})
