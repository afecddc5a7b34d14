import { createServer } from 'node:http'

/**
 * The smallest web server that a director can be shown with, for where there is no nginx:
 * `node web-server.js TEXT` answers every request on port 80 with the text, and says `ready` on its
 * stdout when it listens. SIGTERM and SIGQUIT let it finish what it has begun.
 */
const text = `${process.argv[2] ?? ''}\n`

const server = createServer((request, response) => {
  request.resume()
  response.writeHead(200, { 'Content-Type': 'text/html', 'Content-Length': text.length })
  response.end(text)
})

server.on('error', (error) => {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
})
server.listen(80, '0.0.0.0', () => {
  process.stdout.write('ready\n')
})

function stop(): void {
  server.close()
  server.closeIdleConnections()
}
process.once('SIGTERM', stop)
process.once('SIGQUIT', stop)
