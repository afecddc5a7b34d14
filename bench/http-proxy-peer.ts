import { Agent, createServer, ServerResponse } from 'node:http'
import httpProxy from 'http-proxy'
import { LOOPBACK } from './sockets.js'

/**
 * The proxy that one would write with http-proxy: `node http-proxy-peer.js PORT UPSTREAM-PORT …`.
 * It takes turns with the servers and keeps its connections; it has no access log and no second try.
 */
const [port, ...upstreams] = process.argv.slice(2)
const targets = upstreams.map((each) => `http://${LOOPBACK}:${each}`)
const proxy = httpProxy.createProxyServer({ agent: new Agent({ keepAlive: true }), xfwd: true })
let turn = 0

proxy.on('error', (_error, _request, response) => {
  if (response instanceof ServerResponse && !response.headersSent) response.writeHead(502).end()
  else response.destroy()
})

const server = createServer((request, response) => {
  const target = targets[turn] ?? ''
  turn = (turn + 1) % targets.length
  proxy.web(request, response, { target })
})
// As long as nginx in the example, so that idle clients are not sent away.
server.keepAliveTimeout = 65_000
server.listen(Number(port), LOOPBACK)
