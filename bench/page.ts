import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { REPOSITORY } from './machine.js'

const PAGE = join(REPOSITORY, 'docs/benchmarks.md')

const INTRODUCTION = `# Benchmarks

Written by \`npm run bench -- --write\`; run it on your own machine before you trust it. These are measurements, not promises, and nothing fails because of them.

Every proxy has one core for all its processes; the load generator and the two web servers (one nginx on loopback) share the rest. They are measured in
turns within one run, so that whatever else the machine does hits all of them.

- **tsha**: the program as it is installed, director and one worker, from [examples/pair/nginx.conf](examples/pair/nginx.conf), access log on.
- **nginx, the same file**: one worker. As the file has no \`keepalive\`, it makes a connection to a web server for each request, which tsha does not.
- **nginx, tuned**: the same with \`keepalive 64\`, \`proxy_http_version 1.1\` and \`Connection ""\`.
- **HAProxy**: one thread, \`http-reuse always\`, the same headers, access log on.
- **http-proxy**: the Node library with a keep-alive agent, one process. No access log, no second try.

How to read the columns:

- **of its core** below about 95 % means that the load generator or the web servers were the limit: requests/s and latency then say little about the proxy, and
  CPU µs/request is the figure to compare.
- **CPU µs/request** is user and system time of all processes of the proxy (/proc/PID/stat). On loopback a part of the network's work is booked on whoever sends.
- **latency** is wrk's with all connections busy, so it follows from the throughput. Only the paced scenario (h2load) says how long a request takes on a proxy
  that is not full. Its client waits for one answer before it sends the next request: a proxy that cannot follow shows in requests/s.
- **memory** is what is resident of all processes of the proxy, what they share counted once; the kernel's socket buffers are not in it.
`

/** Writes docs/benchmarks.md and returns its path. */
export function writePage(report: string): string {
  writeFileSync(PAGE, `${INTRODUCTION}\n${report}\n`)
  return PAGE
}
