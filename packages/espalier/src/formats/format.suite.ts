/**
 * What every format must do, tested on all of them alike: contents survive writing and reading, a file is known by
 * its own format and cut short at any byte it is refused, a failure while writing leaves the old file as it was.
 */
import { mkdtemp, readdir, readFile, rm, writeFile as writeBytes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EspalierError } from '../errors.ts'
import { type DType, dtypeInfo } from '../tensor/dtype.ts'
import { formatShape, type Shape, sizeOf } from '../tensor/shape.ts'
import { sameTensor, type Tensor, tensor, tensorBytes, zeros } from '../tensor/tensor.ts'
import type { FileContents, Format } from './format.ts'
import { concatBytes } from './io/bytes.ts'
import { withSource, writeFile } from './io/files.ts'
import { choicesOf } from './mutations.suite.ts'

export interface FormatCase {
  readonly format: Format
  /** What to write and read back, by description. Left out where the format does not write. */
  readonly contents?: Readonly<Record<string, FileContents>>
  /** Valid files of another origin, by description: small ones, they are cut at every byte. */
  readonly samples?: Readonly<Record<string, Uint8Array>>
  /** Whether two contents are the same; by default, whether names, tensors and metadata are. */
  readonly same?: (a: FileContents, b: FileContents) => boolean
  /** Whether the first `length` bytes of a valid file are a valid file too. By default never. */
  readonly canEndAt?: (length: number) => boolean
  /** Whether a sample can be known from its first bytes. By default always. */
  readonly isRecognizable?: (sample: Uint8Array) => boolean
}

/** Registers the tests for one format. */
export function formatSuite(formatCase: FormatCase): void {
  const { format, contents = {}, same = sameContents, canEndAt, isRecognizable } = formatCase
  const written = Object.entries(contents).map(
    ([name, value]) => [name, value, encode(format, value)] as const,
  )
  const samples = [
    ...Object.entries(formatCase.samples ?? {}),
    ...written.map(([name, , bytes]) => [name, bytes] as const),
  ]
  const read = (bytes: Uint8Array) => withSource(bytes, source => format.read(source))

  describe(`format ${format.name}`, () => {
    let folder = ''
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'espalier-format-'))
    })
    afterAll(() => rm(folder, { recursive: true }))

    test('says what it is', () => {
      expect(format.name).toMatch(/^[a-z0-9]+$/)
      expect(format.title).not.toBe('')
      expect(format.extensions.length).toBeGreaterThan(0)
      expect(format.extensions.join()).toMatch(/^[a-z0-9.,-]+$/)
      expect(samples.length, 'contents or samples to test with').toBeGreaterThan(0)
    })

    test.each(samples)('%s: known by its first bytes', (_, bytes) => {
      const recognizable = isRecognizable?.(bytes) ?? true
      expect(format.detect(bytes.subarray(0, 64))).toBe(recognizable)
      for (let length = 0; length < 64; length++) format.detect(bytes.subarray(0, length))
    })

    test.each(samples)('%s: refused when it is cut anywhere', async (_, bytes) => {
      const step = Math.ceil(bytes.length / 512)
      const taken: number[] = []
      for (let length = 0; length < bytes.length; length += step)
        try {
          await read(bytes.subarray(0, length))
          taken.push(length)
        } catch (error) {
          if (!(error instanceof EspalierError)) throw error
        }
      const unexpected = taken.filter(length => canEndAt?.(length) !== true)
      expect(unexpected, 'lengths at which the file was taken for whole').toEqual([])
    })

    test.each(samples)(
      '%s: the same from a path as from memory, wherever it lies there',
      async (name, bytes) => {
        const path = join(folder, `sample-${samples.findIndex(([other]) => other === name)}`)
        await writeBytes(path, bytes)
        const shifted = new Uint8Array(bytes.length + 1)
        shifted.set(bytes, 1)
        const fromPath = await withSource(path, source => format.read(source))
        expect(fromPath.kind).toBe(format.holds)
        expect(same(fromPath, await read(bytes))).toBe(true)
        expect(same(fromPath, await read(shifted.subarray(1)))).toBe(true)
      },
    )

    test('refuses other bytes', async () => {
      for (const text of ['', '\0', 'no file of this kind, but some text that is long enough to be mistaken'])
        await expect(read(new TextEncoder().encode(text))).rejects.toBeInstanceOf(EspalierError)
    })

    test('names the file that it cannot read', async () => {
      const reading = (path: string) => withSource(path, source => format.read(source))
      const absent = join(folder, 'absent')
      await expect(reading(absent)).rejects.toMatchObject({ code: 'not-found', where: { file: absent } })
      await expect(reading(folder)).rejects.toMatchObject({ code: 'io', where: { file: folder } })
      const broken = join(folder, 'broken')
      await writeBytes(broken, 'x')
      await expect(reading(broken)).rejects.toMatchObject({ where: { file: broken } })
    })

    describe.skipIf(format.encode === undefined)('writing', () => {
      test.each(written)('%s: survives', async (_, value, bytes) => {
        expect(same(await read(bytes), value)).toBe(true)
      })

      test.each(written)('%s: reads as the file that was written', async (name, value, bytes) => {
        const path = join(folder, `written-${written.findIndex(([other]) => other === name)}`)
        await writeFile(path, format.encode!(value))
        expect(concatBytes([await readFile(path)])).toEqual(bytes)
      })

      test('a failure half way leaves the old file, and nothing else', async () => {
        const place = await mkdtemp(join(folder, 'atomic-'))
        const path = join(place, 'file')
        await writeBytes(path, 'old')
        await expect(writeFile(path, failing(written[0]![2]))).rejects.toThrow('half way')
        expect(await readFile(path, 'utf8')).toBe('old')
        expect(await readdir(place)).toEqual(['file'])
      })

      test('a folder that is missing is named', async () => {
        const path = join(folder, 'missing', 'file')
        const writing = writeFile(path, format.encode!(written[0]![1]))
        await expect(writing).rejects.toMatchObject({ code: 'not-found', where: { file: path } })
        await expect(writing).rejects.toThrow(/no folder/)
      })
    })
  })
}

/** The bytes that a format writes. Throws when it does not write. */
export function encode(format: Format, contents: FileContents): Uint8Array {
  return concatBytes(format.encode!(contents))
}

function* failing(bytes: Uint8Array): Generator<Uint8Array> {
  yield bytes.subarray(0, bytes.length >> 1)
  throw new Error('half way')
}

/** Whether two contents have the same names in any order, tensors with the same bits, and metadata. */
export function sameContents(a: FileContents, b: FileContents): boolean {
  if (a.kind !== 'tensors' || b.kind !== 'tensors') return false
  const sameMetadata = JSON.stringify(sorted(a.metadata)) === JSON.stringify(sorted(b.metadata))
  const sameTensors = [...a.tensors].every(([name, value]) => {
    const other = b.tensors.get(name)
    return other !== undefined && sameTensor(value, other)
  })
  return sameMetadata && sameTensors && a.tensors.size === b.tensors.size
}

function sorted(metadata: ReadonlyMap<string, string> = new Map()): [string, string][] {
  return [...metadata].sort(([a], [b]) => (a < b ? -1 : 1))
}

/** Shapes worth trying: a scalar, nothing in it, an odd and an even number of elements, many axes. */
export const shapes: readonly Shape[] = [
  [0],
  [1],
  [],
  [4, 1, 2],
  [5],
  [2, 0, 3],
  [2, 3],
  [1, 1, 2, 1, 3],
  [3, 3],
]

/** A tensor of random bits (of 0 and 1 for bools, of short texts for strings), the same for the same arguments. */
export function randomTensor(dtype: DType, shape: Shape, seed = 1): Tensor {
  const choices = choicesOf(seed, sizeOf(shape) * 31 + shape.length)
  if (dtype === 'string') {
    const texts = ['', 'a', 'Größe', '日本語', '🌿🌿', 'two words', '\n']
    return tensor(
      'string',
      shape,
      Array.from({ length: sizeOf(shape) }, () => choices.pick(texts)),
    )
  }
  const result = zeros(dtype, shape)
  const bytes = tensorBytes(result)
  for (let i = 0; i < bytes.length; i++) bytes[i] = choices.int(dtype === 'bool' ? 2 : 256)
  const spareBits = bytes.length * 8 - sizeOf(shape) * dtypeInfo(dtype).bits
  if (spareBits > 0) bytes[bytes.length - 1]! &= 0xff >> spareBits
  return result
}

/** For formats with one tensor a file: every type in some shapes, and the first in all. */
export function singleTensors(dtypes: readonly DType[], name = 'data'): Record<string, FileContents> {
  const some = shapes.filter((_, index) => index % 3 === 2)
  const cases = dtypes.flatMap((dtype, index) =>
    (index === 0 ? shapes : some).map(shape => randomTensor(dtype, shape)),
  )
  return Object.fromEntries(
    cases.map(value => [
      `${value.dtype} ${formatShape(value.shape)}`,
      { kind: 'tensors', tensors: new Map([[name, value]]) },
    ]),
  )
}

/** For formats with many tensors a file: one content for each type, with all shapes that `fits` allows, and one with all. */
export function manyTensors(
  dtypes: readonly DType[],
  fits: (value: Tensor) => boolean = () => true,
): Record<string, FileContents> {
  const named = dtypes.flatMap(dtype =>
    shapes
      .map(shape => randomTensor(dtype, shape))
      .filter(fits)
      .map(value => [`${dtype}.${formatShape(value.shape)}`, value] as const),
  )
  const of = (list: typeof named): FileContents => ({ kind: 'tensors', tensors: new Map(list) })
  return {
    ...Object.fromEntries(
      dtypes.map(dtype => [dtype, of(named.filter(([, value]) => value.dtype === dtype))]),
    ),
    everything: of(named),
    nothing: of([]),
  }
}
