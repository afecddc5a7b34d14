import { messageOf } from '../errors.js'
import { writeRecording } from './recording-files.js'
import type { RecordingMirror } from './recording-mirror.js'

/** A service manager waits for this process before it starts the next director. */
const LONGEST_MS = 2000

/**
 * The director is gone without a word: what it recorded last is written down. Resolves when this
 * process may end, after two seconds at the latest; never rejects.
 *
 * @param directory null writes nothing
 */
export async function directorLost(
  recording: RecordingMirror,
  directory: string | null
): Promise<void> {
  if (directory === null || recording.isEmpty) return
  const signal = AbortSignal.timeout(LONGEST_MS)
  // A disk that hangs does not hear of a signal.
  const tooLate = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(new Error(`not done within ${LONGEST_MS} ms`))
    })
  })
  // Otherwise its rejection after the end of the race would be nobody's.
  tooLate.catch(() => undefined)
  try {
    const written = writeRecording(directory, recording.text(), new Date(), signal)
    written.catch(() => undefined)
    const { path, onDisk } = await Promise.race([written, tooLate])
    tell(`the director is gone; its recording is in ${path}`)
    await Promise.race([onDisk, tooLate]).catch((error: unknown) => {
      tell(`it may not be on the disk yet: ${messageOf(error)}`)
    })
  } catch (error) {
    tell(`the director is gone; its recording cannot be written: ${messageOf(error)}`)
  }
}

function tell(message: string): void {
  process.stderr.write(`tsha admin ${process.pid}: ${message}\n`)
}
