import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { DType } from '../tensor/dtype.ts'
import { float32, type Tensor, tensor, zeros } from '../tensor/tensor.ts'
import { encode, formatSuite, manyTensors, sameContents } from './format.suite.ts'
import { fuzzSuite } from './fuzz.suite.ts'
import { concatBytes } from './io/bytes.ts'
import { type Choices, type Mutator, splice } from './mutations.suite.ts'
import { encodeNpy } from './npy/index.ts'
import { encodeNpz, npz, readNpz, writeNpz } from './npz.ts'
import { deflatedPart, encodeZip, storedPart } from './zip/write.ts'

/** npy has tests of all types; these have a header or a storage of their own kind. */
const dtypes: DType[] = ['bool', 'int64', 'float16', 'float32', 'complex128', 'string']

/** `numpy.savez(x=numpy.arange(6, dtype='<f4').reshape(2, 3), y=numpy.asfortranarray([[0, 1], [2, 3]], '>i2'))`. */
const saved = fromBase64(
  'UEsDBC0AAAAAAAAAIQBP6QAq//////////8FABQAeC5ucHkBABAAmAAAAAAAAACYAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzog' +
    'JzxmNCcsICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgyLCAzKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAg' +
    'ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAKAAAAAAAAgD8AAABAAABAQAAAgEAAAKBAUEsDBC0AAAAAAAAAIQApvNms' +
    '//////////8FABQAeS5ucHkBABAAiAAAAAAAAACIAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJz5pMicsICdmb3J0cmFuX29y' +
    'ZGVyJzogVHJ1ZSwgJ3NoYXBlJzogKDIsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg' +
    'ICAgICAgICAgICAgICAKAAAAAgABAANQSwECLQMtAAAAAAAAACEAT+kAKpgAAACYAAAABQAAAAAAAAAAAAAAgAEAAAAAeC5ucHlQ' +
    'SwECLQMtAAAAAAAAACEAKbzZrIgAAACIAAAABQAAAAAAAAAAAAAAgAHPAAAAeS5ucHlQSwUGAAAAAAIAAgBmAAAAjgEAAAAA',
)
/** The same with `numpy.savez_compressed`. */
const savedCompressed = fromBase64(
  'UEsDBC0AAAAIAAAAIQBP6QAq//////////8FABQAeC5ucHkBABAAmAAAAAAAAABVAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6l' +
    'oG6TZqKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6CsaaOgq1CmQDLgYwaLAHEg5ABMQNQLzAAQBQSwMELQAAAAgA' +
    'AAAhACm82az//////////wUAFAB5Lm5weQEAEACIAAAAAAAAAE0AAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpdppK6joJ6W' +
    'X1RSlJgXn1+UkgoSDykqTQUKF2ckFqQCuRpGOgpGmjoKtQrkAy4GBgYmBkYGZgBQSwECLQMtAAAACAAAACEAT+kAKlUAAACYAAAA' +
    'BQAAAAAAAAAAAAAAgAEAAAAAeC5ucHlQSwECLQMtAAAACAAAACEAKbzZrE0AAACIAAAABQAAAAAAAAAAAAAAgAGMAAAAeS5ucHlQ' +
    'SwUGAAAAAAIAAgBmAAAAEAEAAAAA',
)

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), char => char.charCodeAt(0))
}

formatSuite({
  format: npz,
  contents: {
    ...manyTensors(dtypes),
    'with text': {
      kind: 'tensors',
      tensors: new Map<string, Tensor>([['größe/x', float32([1])]]),
      metadata: new Map([['note.txt', 'text ✓']]),
    },
  },
  samples: { 'numpy.savez': saved, 'numpy.savez_compressed': savedCompressed },
})

const contents = new Map<string, Tensor>([
  ['x', float32([0, 1, 2, 3, 4, 5], [2, 3])],
  ['y', tensor('int16', [2, 2], Int16Array.of(0, 1, 2, 3))],
])
const text = (value: string) => new TextEncoder().encode(value)

describe('npz', () => {
  test.each([
    ['savez', saved],
    ['savez_compressed', savedCompressed],
  ])('reads what numpy.%s wrote', async (_, bytes) => {
    const read = await readNpz(bytes)
    expect([...read.tensors.keys()]).toEqual(['x', 'y'])
    expect(sameContents({ kind: 'tensors', ...read }, { kind: 'tensors', tensors: contents })).toBe(true)
  })

  test('stored arrays are views of the bytes, aligned', async () => {
    const bytes = concatBytes(encodeNpz(contents))
    for (const { data } of (await readNpz(bytes)).tensors.values())
      expect(data).toMatchObject({ buffer: bytes.buffer })
  })

  test('compressed files are smaller and read the same', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'espalier-npz-'))
    try {
      const tensors = new Map<string, Tensor>([['zeros', zeros('float64', [100, 100])], ...contents])
      const paths = [join(folder, 'plain.npz'), join(folder, 'packed.npz')]
      await writeNpz(paths[0]!, tensors)
      await writeNpz(paths[1]!, tensors, { compress: true, metadata: new Map([['note', 'n']]) })
      const sizes = await Promise.all(paths.map(async path => (await readFile(path)).length))
      expect(sizes[0]! / sizes[1]!).toBeGreaterThan(50)
      expect((await readNpz(paths[1]!)).metadata).toEqual(new Map([['note', 'n']]))
      for (const path of paths) {
        const { tensors: read } = await readNpz(path)
        expect(sameContents({ kind: 'tensors', tensors: read }, { kind: 'tensors', tensors })).toBe(true)
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test('folders are passed over, bytes that are neither array nor text are refused', async () => {
    expect((await readNpz(concatBytes(encodeZip([storedPart('a/', [])])))).tensors.size).toBe(0)
    const binary = concatBytes(encodeZip([storedPart('a.bin', [Uint8Array.of(0xff)])]))
    await expect(readNpz(binary)).rejects.toMatchObject({
      code: 'unsupported-format',
      where: { file: '<bytes>/a.bin' },
    })
  })

  test('an error names the array', async () => {
    const objects = text("\x93NUMPY\x01\0\x38\0{'descr': '|O', 'fortran_order': False, 'shape': (1,)}\n ")
    objects[0] = 0x93
    const bytes = concatBytes(encodeZip([storedPart('bad.npy', [objects.slice(0, 1), objects.slice(2)])]))
    await expect(readNpz(bytes)).rejects.toMatchObject({
      code: 'unsafe',
      where: { file: '<bytes>/bad.npy', tensor: 'bad' },
    })
  })

  test('text may not be named like an array', () => {
    expect(() => [...encodeNpz([], { metadata: new Map([['a.npy', '']]) })]).toThrow(
      expect.objectContaining({ code: 'bad-argument' }),
    )
  })
})

const everything = encode(npz, manyTensors(['bool', 'float32', 'string']).everything!)
const packed = concatBytes(encodeZip([await deflatedPart('z.npy', encodeNpy(zeros('float32', [300])))]))
const wide = concatBytes(encodeZip([storedPart('w.npy', encodeNpy(float32([1])))], { zip64: true }))

/** Overwrites a field of one of the records that begin with `signature`, at one of `offsets` into it. */
const field =
  (signature: number, offsets: readonly number[], width: 2 | 4 | 8): Mutator =>
  (bytes, choices) => {
    const found: number[] = []
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let at = 0; at + 4 <= bytes.length; at++) if (view.getUint32(at, true) === signature) found.push(at)
    const at = found.length === 0 ? bytes.length : choices.pick(found) + choices.pick(offsets)
    if (at + width > bytes.length) return bytes
    return splice(bytes, at, width, number(choices, width, bytes.length))
  }

function number({ int, pick }: Choices, width: number, length: number): Uint8Array {
  const top = 2n ** BigInt(8 * width)
  const near = BigInt(int(2 * length + 2))
  const value = pick([0n, 1n, near, near, near, top - 1n, top / 2n, top - 1n - near])
  return Uint8Array.from({ length: width }, (_, i) => Number((value >> BigInt(8 * i)) & 255n))
}

/** An archive whose checksums are right and whose array is damaged. */
const damagedArray: Mutator = (_, { int, pick }) => {
  const array = concatBytes(encodeNpy(pick([...contents.values()])))
  for (let changes = 1 + int(4); changes > 0; changes--) array[int(array.length)] = int(256)
  return concatBytes(encodeZip([storedPart('x.npy', [array.subarray(0, array.length - pick([0, 0, 1, 8]))])]))
}

fuzzSuite({
  name: 'npz',
  seeds: [saved, savedCompressed, everything, packed, wide, concatBytes(encodeZip([]))],
  parse: readNpz,
  structural: {
    'a size in a local header': field(0x04034b50, [14, 18, 22], 4),
    'a length in a local header': field(0x04034b50, [6, 8, 26, 28], 2),
    'a size in the directory': field(0x02014b50, [16, 20, 24, 42], 4),
    'a length in the directory': field(0x02014b50, [8, 10, 28, 30, 32], 2),
    'a size in the end record': field(0x06054b50, [12, 16], 4),
    'a count in the end record': field(0x06054b50, [4, 6, 8, 10, 20], 2),
    'the 64-bit end record': field(0x06064b50, [4, 16, 24, 32, 40, 48], 8),
    'the locator': field(0x07064b50, [4, 8, 12], 8),
    'a damaged array': damagedArray,
  },
})
