import { AF_UNIX, closeDescriptor, openSocket, sendTo, SOCK_DGRAM } from './syscalls/socket.js'

/** Tells systemd how the service is (sd_notify(3)). Does nothing when systemd does not listen. */
export interface SystemdNotifier {
  /** @param fields such as `READY=1`, one assignment each */
  notify(...fields: string[]): void
  /** Half of WatchdogSec, the interval in which to notify `WATCHDOG=1`; null without a watchdog. */
  readonly watchdogIntervalMs: number | null
  close(): void
}

/** Reads NOTIFY_SOCKET and WATCHDOG_USEC, and takes them out of the environment of child processes. */
export function openSystemdNotifier(environment: NodeJS.ProcessEnv): SystemdNotifier {
  const path = environment['NOTIFY_SOCKET']
  const watchdogUsec = Number(environment['WATCHDOG_USEC'] ?? 0)
  delete environment['NOTIFY_SOCKET']
  delete environment['WATCHDOG_USEC']
  if (path === undefined || !/^[/@]/.test(path)) {
    return { notify: () => undefined, watchdogIntervalMs: null, close: () => undefined }
  }
  const fd = openSocket(AF_UNIX, SOCK_DGRAM, 0)
  const address = socketAddress(path)
  return {
    notify(...fields) {
      try {
        sendTo(fd, Buffer.from(fields.join('\n')), address)
      } catch {
        // systemd restarts a service whose watchdog it misses; there is nobody else to tell.
      }
    },
    watchdogIntervalMs: watchdogUsec > 0 ? watchdogUsec / 2000 : null,
    close() {
      closeDescriptor(fd)
    }
  }
}

/** `struct sockaddr_un` of unix(7); a leading `@` stands for the NUL of an abstract address. */
function socketAddress(path: string): Uint8Array {
  const family = Buffer.alloc(2)
  family.writeUInt16LE(AF_UNIX)
  return Buffer.concat([
    family,
    Buffer.from(path.startsWith('@') ? `\0${path.slice(1)}` : `${path}\0`)
  ])
}
