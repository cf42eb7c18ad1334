// The text of a file, or of what is piped in, piece by piece.
import { closeSync, openSync, readSync } from 'node:fs'

/** The pieces of a file; `-` is the standard input. Throws where it cannot be read, or is not UTF-8. */
export function* textOf(file: string): Iterable<string> {
  const handle = file === '-' ? 0 : openSync(file, 'r')
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true })
    const bytes = new Uint8Array(1 << 16)
    for (let length = pieceOf(handle, bytes); length > 0; length = pieceOf(handle, bytes))
      yield decoder.decode(bytes.subarray(0, length), { stream: true })
    yield decoder.decode()
  } catch (error) {
    if (error instanceof TypeError) throw new Error(`${file} is not UTF-8: save it as UTF-8 first`)
    throw error
  } finally {
    if (handle !== 0) closeSync(handle)
  }
}

/** The next piece. A pipe that does not block says `EAGAIN` while it is empty, and one whose writer is gone says `EOF`. */
function pieceOf(handle: number, bytes: Uint8Array): number {
  for (;;) {
    try {
      return readSync(handle, bytes)
    } catch (error) {
      const { code } = error as { code?: string }
      if (code === 'EOF') return 0
      if (code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
    }
  }
}
