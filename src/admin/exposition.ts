import type { Status } from './model.js'

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** What Prometheus scrapes, in its text format. */
export function exposition(status: Status): Promise<string> {
  const version = status.version.replace(/[\\"\n]/g, '')
  return Promise.resolve(
    [
      '# HELP tsha_build_info The version that runs.',
      '# TYPE tsha_build_info gauge',
      `tsha_build_info{version="${version}"} 1`,
      '# HELP tsha_up Whether the director answers.',
      '# TYPE tsha_up gauge',
      'tsha_up 1',
      ''
    ].join('\n')
  )
}
