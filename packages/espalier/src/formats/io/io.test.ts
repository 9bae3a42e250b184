/** Sources, files, streams: ranges, errors that name the file, and writing that never leaves half a file. */
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile as writeBytes,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EspalierError } from '../../errors.ts'
import { concatBytes, normalizeBools, swapBytes } from './bytes.ts'
import { openFile, openInput, withSource, writeFile, writeFiles } from './files.ts'
import { gunzip, isGzip, withUnpacked } from './gzip.ts'
import { type ByteSource, memorySource } from './source.ts'
import { plainStream } from './stream.ts'

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 251)
let folder = ''
let path = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'espalier-io-'))
  path = join(folder, 'file')
  await writeBytes(path, bytes)
})
afterAll(() => rm(folder, { recursive: true }))

describe('sources', () => {
  test.each(['memory', 'file'])(
    '%s: reads ranges, at once and later, and refuses those that leave it',
    async kind => {
      const { source, close } = await openInput(kind === 'file' ? path : bytes)
      expect([source.size, source.name]).toEqual([1000, kind === 'file' ? path : '<bytes>'])
      for (const [offset, length] of [
        [0, 1000],
        [5, 7],
        [1000, 0],
        [0, 0],
      ] as const) {
        expect(await source.read(offset, length)).toEqual(bytes.subarray(offset, offset + length))
        expect(source.readSync(offset, length)).toEqual(bytes.subarray(offset, offset + length))
      }
      for (const [offset, length] of [
        [0, 1001],
        [-1, 2],
        [0, -1],
        [1001, 0],
        [0.5, 1],
        [0, 2 ** 60],
        [Number.NaN, 1],
      ] as const) {
        const where = { file: source.name }
        await expect((async () => source.read(offset, length))()).rejects.toMatchObject({
          code: 'truncated',
          where,
        })
        expect(() => source.readSync(offset, length)).toThrow(EspalierError)
      }
      await close()
    },
  )

  test('memory gives views, a file gives buffers of its own', async () => {
    expect((await memorySource(bytes).read(3, 5)).buffer).toBe(bytes.buffer)
    await withSource(path, async source => expect((await source.read(3, 5)).byteOffset).toBe(0))
  })

  test('a file that shrinks while it is open', async () => {
    const shrinking = join(folder, 'shrinking')
    await writeBytes(shrinking, bytes)
    await withSource(shrinking, async source => {
      await writeBytes(shrinking, 'short')
      await expect(source.read(0, 1000)).rejects.toThrow(/byte 5: the file became shorter/)
      expect(() => source.readSync(0, 1000)).toThrow(/became shorter/)
    })
  })

  test('what is absent, or is no file', async () => {
    await expect(openFile(join(folder, 'absent'))).rejects.toMatchObject({ code: 'not-found' })
    await expect(openFile(folder)).rejects.toThrow(/is a folder/)
    await expect(openFile('/dev/null')).rejects.toThrow(/not a plain file/)
    await expect(openFile(join(path, 'below'))).rejects.toThrow(/is a file, not a folder/)
    await expect(openFile('a\0b')).rejects.toMatchObject({ code: 'io' })
  })

  test.skipIf(process.getuid?.() === 0)('what may not be read', async () => {
    const secret = join(folder, 'secret')
    await writeBytes(secret, 'x', { mode: 0 })
    await expect(openFile(secret)).rejects.toThrow(/permission denied/)
  })

  test('withSource names the source in errors, closes what it opened, and nothing else', async () => {
    const fail = async (): Promise<never> => {
      throw new EspalierError('malformed', 'bad', { where: { offset: 3 } })
    }
    await expect(withSource(path, fail)).rejects.toThrow(`${path} at byte 3: bad`)
    let kept: ByteSource | undefined
    await withSource(path, async source => void (kept = source))
    await expect(kept!.read(0, 1)).rejects.toMatchObject({ code: 'io' })
    const own = await openFile(path)
    await withSource(own, async source => expect(source).toBe(own))
    await (await openInput(own)).close()
    expect(await own.read(0, 1)).toEqual(bytes.subarray(0, 1))
    await own.close()
  })
})

describe('writing', () => {
  test('writes pieces in order, over an old file too', async () => {
    const target = join(folder, 'written')
    await writeFile(target, [bytes.subarray(0, 10), new Uint8Array(0), bytes.subarray(10)])
    expect(new Uint8Array(await readFile(target))).toEqual(bytes)
    await writeFile(target, [])
    expect((await stat(target)).size).toBe(0)
  })

  test('keeps the permissions of the old file', async () => {
    const target = join(folder, 'private')
    await writeBytes(target, 'old')
    await chmod(target, 0o600)
    await writeFile(target, [bytes])
    expect((await stat(target)).mode & 0o777).toBe(0o600)
  })

  test('writes through a link', async () => {
    await symlink('linked-target', join(folder, 'link'))
    await writeBytes(join(folder, 'linked-target'), 'old')
    await writeFile(join(folder, 'link'), [bytes])
    expect((await lstat(join(folder, 'link'))).isSymbolicLink()).toBe(true)
    expect((await stat(join(folder, 'linked-target'))).size).toBe(1000)
  })

  test.each([new Error('stop'), new EspalierError('bad-dtype', 'stop')])(
    'cleans up after %s',
    async error => {
      const place = await mkdtemp(join(folder, 'clean-'))
      const pieces = function* () {
        yield bytes
        throw error
      }
      await expect(writeFile(join(place, 'new'), pieces())).rejects.toBe(error)
      expect(await readdir(place)).toEqual([])
    },
  )

  test('files that belong together are replaced all or none', async () => {
    const place = await mkdtemp(join(folder, 'together-'))
    const paths = ['a', 'b', 'c'].map(name => join(place, name))
    const files = (last: Iterable<Uint8Array>) =>
      paths.map((path, index) => ({ path, chunks: index === 2 ? last : [Uint8Array.of(index)] }))
    const contents = async () => Promise.all(paths.map(async path => [...(await readFile(path))]))
    await writeFiles(files([Uint8Array.of(9)]))
    expect(await contents()).toEqual([[0], [1], [9]])
    for (const path of paths) await writeBytes(path, 'x')
    const full = new EspalierError('io', 'the disk is full')
    const pieces = function* () {
      yield bytes
      throw full
    }
    await expect(writeFiles(files(pieces()))).rejects.toBe(full)
    expect(await contents()).toEqual([[120], [120], [120]])
    expect(await readdir(place)).toEqual(['a', 'b', 'c'])
  })

  test('refuses folders, devices and folders that are not there', async () => {
    await expect(writeFile(folder, [bytes])).rejects.toThrow(/is a folder/)
    await expect(writeFile('/dev/null', [bytes])).rejects.toThrow(/not a plain file/)
    await expect(writeFile(join(folder, 'no', 'file'), [bytes])).rejects.toThrow(
      /there is no folder .*no. Create it first/,
    )
    await expect(writeFile(join(path, 'file'), [bytes])).rejects.toThrow(/is a file, not a folder/)
    const taken = join(folder, 'taken')
    await mkdir(taken)
    await expect(writeFile(taken, [bytes])).rejects.toMatchObject({ code: 'io', where: { file: taken } })
  })
})

describe('streams', () => {
  const packed = new Uint8Array(gzipSync(bytes))

  test.each([
    ['plain', bytes],
    ['gzipped', packed],
    ['two gzip members', concatBytes([gzipSync(bytes.subarray(0, 300)), gzipSync(bytes.subarray(300))])],
  ])('%s: pieces of any length, then the end', async (_, content) => {
    await withUnpacked(memorySource(content), async stream => {
      expect(await stream.read(0)).toEqual(new Uint8Array(0))
      expect(concatBytes([await stream.read(1), await stream.read(399), await stream.read(600)])).toEqual(
        bytes,
      )
      await stream.end()
      await expect((async () => stream.read(1))()).rejects.toMatchObject({ code: 'truncated' })
    })
  })

  test.each([
    ['plain', plainStream(memorySource(bytes))],
    ['gzipped', gunzip(memorySource(packed))],
  ])('%s: the end is not the end while bytes are left', async (_, opening) => {
    const stream = await opening
    expect(stream.size).toBe(1000)
    await stream.read(990)
    await expect(stream.end()).rejects.toThrow(/10 bytes more/)
    await stream.close()
  })

  test('large files come through whole, more room is taken as they do', async () => {
    const large = Uint8Array.from({ length: 5_000_001 }, (_, i) => (i % 1000 === 0 ? i >> 12 : 0))
    const stream = await gunzip(memorySource(new Uint8Array(gzipSync(large))))
    const read = await stream.read(large.length)
    await stream.end()
    expect(Buffer.compare(read, large)).toBe(0)
  })

  test('an error of the source stays what it is', async () => {
    const failing = {
      ...memorySource(packed),
      read: async () => Promise.reject(new EspalierError('io', 'the disk')),
    }
    await expect(gunzip(failing)).rejects.toThrow('the disk')
    let calls = 0
    const read = (offset: number, length: number) =>
      calls++ === 0
        ? memorySource(packed).read(offset, length)
        : Promise.reject(new EspalierError('io', 'the disk'))
    const stream = await gunzip({ ...memorySource(packed), read })
    await expect(stream.read(10)).rejects.toThrow('the disk')
    await stream.close()
  })

  test('gzip is known by three bytes', () => {
    expect([isGzip(packed), isGzip(packed.subarray(0, 2)), isGzip(Uint8Array.of(0x1f, 0x8b, 7))]).toEqual([
      true,
      false,
      false,
    ])
  })
})

describe('bytes', () => {
  test('byte order and booleans', () => {
    expect([...swapBytes(Uint8Array.of(1, 2, 3, 4), 2)]).toEqual([2, 1, 4, 3])
    expect([...swapBytes(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), 4)]).toEqual([4, 3, 2, 1, 8, 7, 6, 5])
    const clean = Uint8Array.of(0, 1)
    expect(normalizeBools(clean)).toBe(clean)
    expect([...normalizeBools(Uint8Array.of(0, 1, 2, 255))]).toEqual([0, 1, 1, 1])
  })
})
