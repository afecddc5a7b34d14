declare module 'http-proxy' {
  import type { Agent, IncomingMessage, ServerResponse } from 'node:http'
  import type { Socket } from 'node:net'

  /** The part of http-proxy 1.18 that the benchmark uses. */
  interface ProxyServer {
    web(request: IncomingMessage, response: ServerResponse, options: { target: string }): void
    on(
      event: 'error',
      listener: (error: Error, request: IncomingMessage, response: ServerResponse | Socket) => void
    ): void
  }
  const httpProxy: { createProxyServer(options: { agent: Agent; xfwd: boolean }): ProxyServer }
  export default httpProxy
}
