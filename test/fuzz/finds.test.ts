import t from 'tap'
import { compareRequests, compareResponses } from './compare.js'
import { readRequests, readResponse } from './reader.js'

/**
 * What the fuzzer has found, as small as it could be made: tsha accepted each of them once, and the
 * llhttp of that day refused it or took it for something else.
 */

const HEAD = 'PUT / HTTP/1.1\r\nHost: a\r\n'
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`

t.test('requests that were taken for more than llhttp takes them for are refused', (t) => {
  const table: [claim: string, text: string][] = [
    [
      'a tab after Transfer-Encoding: llhttp sees another coding, and no body',
      `${HEAD}Transfer-Encoding: chunked\t\r\n\r\n1\r\nx\r\n0\r\n\r\n`
    ],
    ['a tab after Content-Length', `${HEAD}Content-Length: 1\t\r\n\r\nx`],
    [
      'an empty element in Transfer-Encoding',
      `${HEAD}Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n`
    ],
    ['a chunk extension without a name', `${CHUNKED}1;\r\nx\r\n0\r\n\r\n`],
    ['a space in a chunk extension', `${CHUNKED}1; a\r\nx\r\n0\r\n\r\n`],
    ['a quote that does not end', `${CHUNKED}1;a="b\r\nx\r\n0\r\n\r\n`],
    ['a quote within a name', `${CHUNKED}1;a"b\r\nx\r\n0\r\n\r\n`],
    ['a trailer whose name is no token', `${CHUNKED}0\r\n(: 1\r\n\r\n`],
    ['an empty Content-Length among the trailers', `${CHUNKED}0\r\nContent-Length:\r\n\r\n`]
  ]
  for (const [claim, text] of table) {
    const served = readRequests(text, [])
    t.equal(served.ending, 'refused', claim)
    t.equal(served.requests.filter((each) => each.isComplete).length, 0, `${claim}: none is served`)
    t.equal(compareRequests({ text, places: [] }).difference, null)
  }
  t.end()
})

t.test('responses likewise', async (t) => {
  const head = 'HTTP/1.1 200 OK\r\n'
  const table: [claim: string, text: string][] = [
    [
      'a tab after Transfer-Encoding: for llhttp the chunks are the body',
      `${head}Transfer-Encoding: chunked\t\r\n\r\n1\r\nx\r\n0\r\n\r\n`
    ],
    ['a tab after Content-Length', `${head}Content-Length: 1\t\r\n\r\nx`],
    [
      'a chunk extension without a name',
      `${head}Transfer-Encoding: chunked\r\n\r\n1;\r\nx\r\n0\r\n\r\n`
    ],
    [
      'a trailer whose name is no token',
      `${head}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n=: 1\r\n\r\n`
    ]
  ]
  for (const [claim, text] of table) {
    const served = readResponse(text, 'GET', true, [])
    t.equal(served.head, null, claim)
    t.not(served.problem, '')
    const each = { text, places: [], method: 'GET', isEnded: true }
    t.equal((await compareResponses(each)).difference, null)
  }
})
