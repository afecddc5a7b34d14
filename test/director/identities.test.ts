import t from 'tap'
import { findIdentities } from '../../src/director/identities.js'
import { findUser } from '../../src/linux/users.js'

t.test('users and groups are numbers; the group is the user’s unless one is named', async (t) => {
  const plain = { user: 'nobody', group: null }
  const grouped = { user: 'nobody', group: 'daemon' }
  const identityOf = await findIdentities([plain, grouped], true)
  t.same(identityOf(plain), { uid: 65534, gid: 65534 })
  t.same(identityOf(grouped), { uid: 65534, gid: 1 })
})

t.test('who does not exist is an obstacle, not ourselves', async (t) => {
  const user = { user: 'no-such-user', group: null }
  const group = { user: 'nobody', group: 'no-such-group' }
  const identityOf = await findIdentities([user, group], true)
  t.equal(identityOf(user).obstacle, 'user no-such-user does not exist')
  t.equal(identityOf(group).obstacle, 'group no-such-group does not exist')
})

t.test('keepalived: without a user it is keepalived_script where that exists', async (t) => {
  const wish = { user: null, group: null }
  const account = await findUser('keepalived_script')
  const asRoot = await findIdentities([wish], true)
  t.same(asRoot(wish), { uid: account?.uid, gid: account?.gid })
  const unprivileged = await findIdentities([wish], false)
  t.same(unprivileged(wish), { uid: undefined, gid: undefined }, 'who is not root stays himself')
})
