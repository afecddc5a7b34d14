import type { RecordingMirror } from './recording-mirror.js'

/**
 * The director is gone without a word: what it recorded last is to be written down. Resolves when
 * this process may end.
 *
 * @param directory null writes nothing
 */
export async function directorLost(
  recording: RecordingMirror,
  directory: string | null
): Promise<void> {
  await Promise.resolve({ recording, directory })
}
