import t from 'tap'
import { canWriteDirectly } from '../../../src/proxy/tcp/direct-write.js'
import { tellStory } from './story.js'

tellStory()

t.test('Node 20 to 24 are written past their streams, later ones do it themselves', (t) => {
  t.equal(canWriteDirectly(), Number(process.versions.node.split('.')[0]) < 26)
  t.end()
})
