/** IDX: conformance, plain and gzipped, files that promise too much, and the real MNIST. */
import { gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { DType } from '../tensor/dtype.ts'
import { float32, zeros } from '../tensor/tensor.ts'
import { formatSuite, randomTensor, singleTensors } from './format.suite.ts'
import { fuzzSuite } from './fuzz.suite.ts'
import { encodeIdx, idx, readIdx } from './idx.ts'
import { concatBytes } from './io/bytes.ts'
import { isGzip } from './io/gzip.ts'
import { mutators } from './mutations.suite.ts'
import { realFile } from './testdata.suite.ts'

const dtypes: DType[] = ['uint8', 'int8', 'int16', 'int32', 'float32', 'float64']

const gzip = (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes))
const encodeAll = (...args: Parameters<typeof encodeIdx>) => concatBytes(encodeIdx(...args))
const images = encodeAll(randomTensor('uint8', [3, 4, 5]))

formatSuite({
  format: idx,
  contents: singleTensors(dtypes),
  samples: { 'a gzipped file': gzip(images) },
  isRecognizable: sample => !isGzip(sample),
})

fuzzSuite({
  name: 'idx',
  seeds: [
    images,
    encodeAll(float32([1, 2, 3])),
    encodeAll(zeros('int16', [])),
    encodeAll(zeros('int32', [2, 0])),
  ],
  parse: readIdx,
})

fuzzSuite({
  name: 'idx, gzipped',
  seeds: [gzip(images), gzip(encodeAll(zeros('uint8', [40, 50]))), gzip(encodeAll(float32([1, 2, 3])))],
  parse: readIdx,
  count: 3000,
  structural: {
    'the unpacked bytes': (_, choices, seeds) => {
      const plain = new Uint8Array(gunzipSync(choices.pick(seeds)))
      return gzip(choices.pick(Object.values(mutators))(plain, choices, [plain]).subarray(0, 10_000))
    },
    'two members': bytes => concatBytes([bytes, bytes]),
  },
  allowedBytes: bytes => 8 * bytes.length + 2 ** 21,
})

describe('reading', () => {
  test('big-endian extents and elements', async () => {
    const bytes = Uint8Array.of(0, 0, 0x0b, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 1, 0xff, 0xfe)
    for (const form of [bytes, gzip(bytes)]) {
      const { dtype, shape, data } = await readIdx(form)
      expect([dtype, shape, Array.from(data as Int16Array)]).toEqual(['int16', [1, 2], [1, -2]])
    }
  })

  const refused: [what: string, bytes: Uint8Array, code: string, message: RegExp][] = [
    ['nothing', new Uint8Array(0), 'truncated', /end comes first/],
    ['other bytes', new TextEncoder().encode('some text'), 'unsupported-format', /not an IDX file/],
    ['an unknown type', Uint8Array.of(0, 0, 0x0a, 0), 'malformed', /element type.*got 10/],
    ['missing extents', Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 1), 'truncated', /end comes first/],
    ['missing data', images.subarray(0, -1), 'truncated', /end comes first/],
    ['too much data', concatBytes([images, images]), 'malformed', /after the end/],
    [
      'extents that overflow',
      Uint8Array.of(0, 0, 8, 2, ...new Array<number>(8).fill(255)),
      'too-large',
      /addressed/,
    ],
    [
      'gzip: missing data',
      gzip(images.subarray(0, -1)),
      'truncated',
      /unpacked data ends early; expected 60 bytes, got 59/,
    ],
    ['gzip: too much data', gzip(concatBytes([images, images])), 'malformed', /after the end/],
    ['gzip: cut', gzip(images).subarray(0, -9), 'truncated', /compressed data ends early/],
    [
      'gzip: nothing but the magic number',
      Uint8Array.of(0x1f, 0x8b, 8),
      'truncated',
      /too short for a gzip file/,
    ],
    [
      'gzip: a wrong checksum',
      gzip(images).map((byte, i, { length }) => (i === length - 8 ? byte ^ 1 : byte)),
      'malformed',
      /damaged/,
    ],
    ['gzip: a wrong block', gzip(images).fill(0xff, 10, 11), 'malformed', /damaged/],
  ]
  test.each(refused)('refuses %s', async (_, bytes, code, message) => {
    const reading = readIdx(bytes)
    await expect(reading).rejects.toMatchObject({ code })
    await expect(reading).rejects.toThrow(message)
  })

  test('a small gzip file that promises a gigabyte does not get it', async () => {
    const promise = gzip(Uint8Array.of(0, 0, 8, 1, 0x40, 0, 0, 0, 1, 2, 3))
    const before = process.memoryUsage().arrayBuffers
    await expect(readIdx(promise)).rejects.toMatchObject({ code: 'truncated' })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 22)
  })

  test('a gzip file that holds more than it says is not unpacked', async () => {
    const bomb = gzip(concatBytes([images, new Uint8Array(2 ** 26)]))
    const before = process.memoryUsage().arrayBuffers
    await expect(readIdx(bomb)).rejects.toMatchObject({ code: 'malformed' })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24)
  })
})

describe('writing', () => {
  test('refuses types that IDX does not have, and extents beyond 32 bits', () => {
    expect(() => encodeAll(zeros('int64', [1]))).toThrow(/cannot hold int64; expected uint8/)
    expect(() => encodeAll(zeros('uint8', [2 ** 32, 0]))).toThrow(/32 bits/)
  })
})

const mnist = realFile('mnist', 't10k-images-idx3-ubyte.gz')

describe.skipIf(mnist === undefined)('MNIST', () => {
  test('the test set, as it is distributed', async () => {
    const { shape, data } = await readIdx(mnist!)
    const labels = await readIdx(realFile('mnist', 't10k-labels-idx1-ubyte.gz')!)
    expect(shape).toEqual([10_000, 28, 28])
    expect(labels.shape).toEqual([10_000])
    expect(Array.from((labels.data as Uint8Array).subarray(0, 5))).toEqual([7, 2, 1, 0, 4])
    const sum = (data as Uint8Array).reduce((total, pixel) => total + pixel, 0)
    expect(sum / 7_840_000 / 255).toBeCloseTo(0.1325, 4)
  })

  test('Fashion-MNIST, unpacked', async () => {
    const { readFile } = await import('node:fs/promises')
    const labels = gunzipSync(await readFile(realFile('fashion-mnist', 'train-labels-idx1-ubyte.gz')!))
    const { data } = await readIdx(new Uint8Array(labels))
    const counts = new Array<number>(10).fill(0)
    for (const label of data as Uint8Array) counts[label]!++
    expect(counts).toEqual(new Array<number>(10).fill(6000))
  })
})
