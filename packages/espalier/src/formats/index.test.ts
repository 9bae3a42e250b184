/** How a file finds its format: by its bytes before its name, and never by the bytes of another. */
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { float32 } from '../tensor/tensor.ts'
import { encode } from './format.suite.ts'
import type { FileContents } from './format.ts'
import { formatOf, formats, readFile } from './index.ts'

const contents: FileContents = { kind: 'tensors', tensors: new Map([['data', float32([1, 2, 3])]]) }
const writers = formats.filter(format => format.holds === 'tensors' && format.encode !== undefined)
const named = writers.map(format => [format.name, encode(format, contents)] as const)
const text = new TextEncoder().encode('text')

describe('formats', () => {
  test('have names of their own', () => {
    expect(new Set(formats.map(({ name }) => name)).size).toBe(formats.length)
  })

  test.each(named)('%s: no other format takes its files for its own', (name, bytes) => {
    const takers = formats.filter(format => format.detect(bytes.subarray(0, 64)))
    expect(takers.map(taker => taker.name)).toEqual([name])
  })

  test('a safetensors header of any length is taken for no other format', () => {
    for (const length of [8, 0x108, 0x3f08, 0x80000, 0x10108, 0x120a08, 0x0b0000, 0x1080000]) {
      const head = new Uint8Array(64).fill(0x20)
      new DataView(head.buffer).setBigUint64(0, BigInt(length), true)
      head[8] = 0x7b
      expect(formatOf('<bytes>', head).name).toBe('safetensors')
    }
  })

  test.each(named)('%s: is read whatever its name', async (name, bytes) => {
    expect(formatOf('a.cifar', bytes.subarray(0, 64)).name).toBe(name)
    expect((await readFile(bytes)).kind).toBe('tensors')
  })

  test.each([
    ['images-idx3-ubyte.gz', 'idx'],
    ['train.idx3-ubyte', 'idx'],
    ['DATA.NPY', 'npy'],
    ['data_batch_1.bin.gz', 'cifar'],
    ['test.bin', 'cifar'],
    ['model.safetensors', 'safetensors'],
  ])('%s is %s by its name', (path, name) => {
    expect(formatOf(path, text).name).toBe(name)
  })

  test('what nothing knows is refused with the list of what is known', async () => {
    expect(() => formatOf('/x/file.abc', text)).toThrow(
      /^\/x\/file.abc: .*safetensors \(.safetensors\).*npy \(.npy\)/,
    )
    expect(() => formatOf('npy', text)).toThrow(/known format/)
    expect(() => formatOf('<bytes>', new Uint8Array(0))).toThrow(/empty/)
    expect(() => formatOf('file.gz', gzipSync('text'))).toThrow(/gzip.*\.idx\.gz/)
    await expect(readFile(text)).rejects.toMatchObject({ code: 'unsupported-format' })
  })
})
