/** CIFAR: conformance, telling the two kinds apart, and the real CIFAR-10. */
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { cifar, readCifar } from './cifar.ts'
import { formatSuite } from './format.suite.ts'
import { fuzzSuite } from './fuzz.suite.ts'
import { concatBytes } from './io/bytes.ts'
import { memorySource } from './io/source.ts'
import { realFile } from './testdata.suite.ts'

/** Records with these label bytes, the first of three planes filled with the number of the record. */
function batch(...labels: number[][]): Uint8Array {
  return concatBytes(
    labels.flatMap((bytes, index) => [
      Uint8Array.from(bytes),
      new Uint8Array(1024).fill(index + 1),
      new Uint8Array(2048),
    ]),
  )
}

const gzip = (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes))
const ten = batch([3], [9])
const hundred = batch([19, 99], [0, 1])

formatSuite({
  format: cifar,
  samples: { 'CIFAR-10': ten, 'CIFAR-100': hundred, gzipped: gzip(ten) },
  isRecognizable: () => false,
  canEndAt: length => length % 3073 === 0 || length % 3074 === 0,
})

fuzzSuite({ name: 'cifar', seeds: [ten, hundred], parse: readCifar })
fuzzSuite({
  name: 'cifar, gzipped',
  seeds: [gzip(ten), gzip(hundred)],
  parse: readCifar,
  count: 2000,
  allowedBytes: bytes => 1032 * bytes.length + 2 ** 21,
})

describe('reading', () => {
  const columns = async (bytes: Uint8Array) => {
    const { images, labels, coarseLabels } = await readCifar(bytes)
    return [images.shape, [...labels.data], coarseLabels === undefined ? undefined : [...coarseLabels.data]]
  }

  test('CIFAR-10 has labels, CIFAR-100 coarse ones too', async () => {
    expect(await columns(ten)).toEqual([[2, 3, 32, 32], [3, 9], undefined])
    expect(await columns(gzip(hundred))).toEqual([
      [2, 3, 32, 32],
      [99, 1],
      [19, 0],
    ])
    const contents = await cifar.read(memorySource(hundred))
    expect(contents.kind === 'tensors' && [...contents.tensors.keys()]).toEqual([
      'images',
      'labels',
      'coarse_labels',
    ])
  })

  test('images follow each other without labels between them', async () => {
    const { data } = (await readCifar(ten)).images
    expect([data[0], data[1023], data[1024], data[3072], data[4095], data[4096]]).toEqual([1, 1, 0, 2, 2, 0])
  })

  test('where both lengths fit, the labels decide', async () => {
    const both = batch(...Array.from({ length: 3073 }, (_, i) => [i % 20, 99]))
    expect(both.length % 3073).toBe(0)
    const { images, coarseLabels } = await readCifar(both)
    expect([images.shape[0], coarseLabels?.shape]).toEqual([3073, [3073]])
    const alsoTen = batch(...Array.from({ length: 3074 }, (_, i) => [i % 10]))
    expect((await readCifar(alsoTen)).coarseLabels).toBeUndefined()
  })

  test.each<[string, Uint8Array, string, RegExp]>([
    ['nothing', new Uint8Array(0), 'truncated', /too short/],
    ['another length', new Uint8Array(5000), 'unsupported-format', /multiple of 3073.*3074.*Python version/],
    [
      'a label out of range',
      batch([3], [10]),
      'malformed',
      /byte 3073: not a label of CIFAR-10; expected 0 to 9, got 10/,
    ],
    ['a coarse label out of range', batch([20, 0]), 'malformed', /CIFAR-100; expected 0 to 19, got 20/],
  ])('refuses %s', async (_, bytes, code, message) => {
    const reading = readCifar(bytes)
    await expect(reading).rejects.toMatchObject({ code })
    await expect(reading).rejects.toThrow(message)
  })

  test('refuses a gzip file that claims more than any batch holds, before unpacking it', async () => {
    const claim = gzip(ten)
    new DataView(claim.buffer).setUint32(claim.length - 4, 3073 * 1_000_000, true)
    await expect(readCifar(claim)).rejects.toMatchObject({ code: 'too-large' })
  })
})

const real = realFile('cifar10', 'test_batch.bin.gz')

describe.skipIf(real === undefined)('CIFAR-10', () => {
  test('the test batch', async () => {
    const { images, labels } = await readCifar(real!)
    expect(images.shape).toEqual([10_000, 3, 32, 32])
    const counts = new Array<number>(10).fill(0)
    for (const label of labels.data) counts[label]!++
    expect(counts).toEqual(new Array<number>(10).fill(1000))
    // The first test image is a cat: label 3, red of its upper left pixel 158.
    expect([labels.data[0], images.data[0]]).toEqual([3, 158])
  })
})
