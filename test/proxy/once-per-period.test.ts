import t from 'tap'
import { OncePerPeriod } from '../../src/proxy/once-per-period.js'

t.test('the first time at once, then once in a period with how often', (t) => {
  const news = new OncePerPeriod(1000)
  t.equal(news.due(0), 0, 'nothing has happened')
  t.equal(news.happened(0), 1)
  t.equal(news.happened(1), 0)
  t.equal(news.happened(999), 0)
  t.equal(news.due(999), 0)
  t.equal(news.happened(1000), 3)
  t.equal(news.happened(1001), 0)
  t.equal(news.due(1999), 0)
  t.equal(news.due(2000), 1, 'nothing stays unsaid when it stops')
  t.equal(news.due(9000), 0)
  t.equal(news.happened(9001), 1)
  t.end()
})
