/**
 * Files: opening for random access, and writing so that a reader sees the old file or the new one and never
 * half of either. Node only; elsewhere every function throws `unsupported` and the forms that take bytes remain.
 */
import type * as Fs from 'node:fs'
import type * as Path from 'node:path'
import { EspalierError, locateAsync } from '../../errors.ts'
import { type ByteSource, checkRange, type FileSource, memorySource } from './source.ts'

/** A Node module, or `undefined` in a browser. Not an import, so that bundles for browsers stay whole. */
function builtin<T>(name: string): T | undefined {
  return (globalThis.process as NodeJS.Process | undefined)?.getBuiltinModule?.(name) as T | undefined
}

/** A Node module, wanted for `file`. Throws `unsupported` in a browser. */
export function nodeModule<T>(name: string, file: string): T {
  const found = builtin<T>(name)
  if (found !== undefined) return found
  throw new EspalierError('unsupported', 'there is no file system here', {
    where: { file },
    hint: 'Pass the bytes instead of a path',
  })
}

/** Largest number of bytes asked of the system in one read or write. */
const CHUNK = 1 << 30

/** Opens a file for reading. Close the source when done with it. */
export async function openFile(path: string): Promise<FileSource> {
  const fs = nodeModule<typeof Fs>('node:fs', path)
  // Before opening: to open a pipe that nobody writes to would wait for ever.
  checkPlainFile(path, await attempt(path, 'cannot open', () => fs.promises.stat(path)))
  const handle = await attempt(path, 'cannot open', () => fs.promises.open(path, 'r'))
  try {
    return fileSource(fs, path, handle, await attempt(path, 'cannot open', () => handle.stat()))
  } catch (error) {
    await handle.close()
    throw error
  }
}

function checkPlainFile(path: string, stat: Fs.Stats): void {
  if (stat.isFile()) return
  const what = stat.isDirectory() ? 'is a folder, not a file' : 'is not a plain file'
  throw new EspalierError('io', what, { where: { file: path } })
}

function fileSource(
  fs: typeof Fs,
  path: string,
  handle: Fs.promises.FileHandle,
  { size, mtimeMs }: Fs.Stats,
): FileSource {
  const fill = (offset: number, target: Uint8Array): void => {
    for (let done = 0; done < target.length; ) {
      const length = Math.min(CHUNK, target.length - done)
      const count = attemptSync(path, 'cannot read', () =>
        fs.readSync(handle.fd, target, done, length, offset + done),
      )
      if (count === 0) throw shrunk(path, offset + done)
      done += count
    }
  }
  const source: FileSource = {
    name: path,
    path,
    size,
    async read(offset, length) {
      checkRange(source, offset, length)
      const bytes = buffer(path, length)
      for (let done = 0; done < length; ) {
        const { bytesRead } = await attempt(path, 'cannot read', () =>
          handle.read(bytes, done, Math.min(CHUNK, length - done), offset + done),
        )
        if (bytesRead === 0) throw shrunk(path, offset + done)
        done += bytesRead
      }
      return bytes
    },
    readSync(offset, length) {
      checkRange(source, offset, length)
      const bytes = buffer(path, length)
      fill(offset, bytes)
      return bytes
    },
    fillSync(offset, target) {
      checkRange(source, offset, target.length)
      const now = attemptSync(path, 'cannot read', () => fs.fstatSync(handle.fd))
      if (now.size !== size || now.mtimeMs !== mtimeMs)
        throw new EspalierError('io', 'the file was written to while it was in use', {
          where: { file: path },
          hint: 'Read the model again; to put a new one in its place, rename it there',
        })
      fill(offset, target)
    },
    close: () => handle.close(),
  }
  return source
}

/** What a reader takes: a path, the bytes themselves, or an open source (which stays open). */
export type Input = string | Uint8Array | ByteSource

/** An input as a source. */
export interface OpenInput {
  readonly source: ByteSource
  /** Closes the source, unless it was passed in open. */
  close(): Promise<void>
}

/** Opens what a reader takes, for readers that keep it open; the others use {@link withSource}. */
export async function openInput(input: Input): Promise<OpenInput> {
  if (typeof input !== 'string' && !(input instanceof Uint8Array))
    return { source: input, close: async () => {} }
  const source = typeof input === 'string' ? await openFile(input) : memorySource(input)
  return { source, close: () => source.close() }
}

/** Hands `input` to `body` as a source, names it in errors, and closes it when it was opened here. */
export async function withSource<T>(input: Input, body: (source: ByteSource) => Promise<T>): Promise<T> {
  const { source, close } = await openInput(input)
  try {
    return await locateAsync({ file: source.name }, () => body(source))
  } finally {
    await close()
  }
}

/**
 * Writes `chunks` to `path` through a temporary file beside it that is flushed and then renamed: when anything
 * fails - a full disk, an error thrown by `chunks` - the old file stays as it was and the temporary one is removed.
 * A symbolic link stays, and the file that it names is replaced. The folder must exist. Throws `not-found` or `io`.
 */
export async function writeFile(path: string, chunks: Iterable<Uint8Array>): Promise<void> {
  await writeFiles([{ path, chunks }])
}

/** A file to be written. */
export interface NewFile {
  readonly path: string
  readonly chunks: Iterable<Uint8Array>
}

/**
 * Writes files that belong together, each as {@link writeFile} does: all of them are complete beside their places
 * before the first one is moved there, in the order given.
 */
export async function writeFiles(files: readonly NewFile[]): Promise<void> {
  const staged: Staged[] = []
  try {
    for (const file of files) staged.push(await stage(file))
    for (const { path, move } of staged) await attempt(path, 'cannot write', move)
  } catch (error) {
    for (const { remove } of staged) await remove()
    throw error
  }
}

/** A new file that is complete under a temporary name. */
interface Staged {
  readonly path: string
  move(): Promise<void>
  remove(): Promise<void>
}

async function stage({ path, chunks }: NewFile): Promise<Staged> {
  const fs = nodeModule<typeof Fs>('node:fs', path)
  const { dirname, basename, join } = nodeModule<typeof Path>('node:path', path)
  const { target, mode } = await replaced(fs, path)
  const suffix = Math.random().toString(36).slice(2, 10)
  const temporary = join(dirname(target), `.${basename(target)}.${suffix}.tmp`)
  const remove = (): Promise<void> => fs.promises.rm(temporary, { force: true })
  const handle = await attempt(path, 'cannot write', () => fs.promises.open(temporary, 'wx', mode)).catch(
    error => {
      throw error.code === 'not-found' ? noFolder(path, dirname(target), error) : error
    },
  )
  try {
    try {
      for (const chunk of chunks) await writeAll(path, handle, chunk)
      await attempt(path, 'cannot write', () => handle.sync())
    } finally {
      await handle.close()
    }
  } catch (error) {
    await remove()
    throw error
  }
  return { path, move: () => fs.promises.rename(temporary, target), remove }
}

/** What writing to `path` replaces: that file or the one a link leads to, whose permissions the new one gets. */
async function replaced(fs: typeof Fs, path: string): Promise<{ target: string; mode: number }> {
  let present: Fs.Stats
  try {
    present = await attempt(path, 'cannot write', () => fs.promises.stat(path))
  } catch (error) {
    if (error instanceof EspalierError && error.code === 'not-found') return { target: path, mode: 0o666 }
    throw error
  }
  checkPlainFile(path, present)
  return {
    target: await attempt(path, 'cannot write', () => fs.promises.realpath(path)),
    mode: present.mode,
  }
}

function noFolder(path: string, folder: string, cause: EspalierError): EspalierError {
  return new EspalierError('not-found', `cannot write: there is no folder ${folder}`, {
    where: { file: path },
    hint: 'Create it first',
    cause,
  })
}

async function writeAll(path: string, handle: Fs.promises.FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    const { bytesWritten } = await attempt(path, 'cannot write', () =>
      handle.write(chunk, done, Math.min(CHUNK, chunk.length - done)),
    )
    done += bytesWritten
  }
}

function buffer(path: string, length: number): Uint8Array {
  try {
    return new Uint8Array(length)
  } catch (cause) {
    throw new EspalierError('too-large', `cannot allocate ${length} bytes`, { where: { file: path }, cause })
  }
}

function shrunk(path: string, offset: number): EspalierError {
  return new EspalierError('truncated', 'the file became shorter while it was read', {
    where: { file: path, offset },
  })
}

async function attempt<T>(path: string, verb: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body()
  } catch (cause) {
    throw ioError(path, verb, cause)
  }
}

function attemptSync<T>(path: string, verb: string, body: () => T): T {
  try {
    return body()
  } catch (cause) {
    throw ioError(path, verb, cause)
  }
}

function ioError(path: string, verb: string, cause: unknown): EspalierError {
  const code = (cause as NodeJS.ErrnoException).code
  const reasons: Record<string, string> = {
    ENOENT: 'no such file or folder',
    EACCES: 'permission denied',
    EPERM: 'not permitted',
    ENOSPC: 'the disk is full',
    EDQUOT: 'the disk quota is used up',
    EROFS: 'the file system is read-only',
    EISDIR: 'it is a folder',
    ENOTDIR: 'a part of the path is a file, not a folder',
    ENAMETOOLONG: 'the name is too long',
    EMFILE: 'too many open files',
  }
  const reason = (code !== undefined && reasons[code]) || String((cause as Error).message ?? cause)
  return new EspalierError(code === 'ENOENT' ? 'not-found' : 'io', `${verb}: ${reason}`, {
    where: { file: path },
    cause,
  })
}
