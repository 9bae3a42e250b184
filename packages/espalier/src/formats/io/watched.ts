/** A source that tells how much of it has been read, so that whoever waits for a large file sees it move. */
import type { ByteSource } from './source.ts'

/** Called with the bytes read so far and the size of the file. */
export type OnRead = (done: number, total: number) => void

/** `source`, with every read reported. What is read twice counts once at most: `done` never passes `total`. */
export function watchSource(source: ByteSource, onRead: OnRead): ByteSource {
  let done = 0
  const report = (length: number): void => {
    done = Math.min(source.size, done + length)
    onRead(done, source.size)
  }
  return {
    ...source,
    async read(offset, length) {
      const bytes = await source.read(offset, length)
      report(length)
      return bytes
    },
    readSync(offset, length) {
      const bytes = source.readSync(offset, length)
      report(length)
      return bytes
    },
  }
}
