/** espalier files: conformance, every kind of constant back to the bit, damage found wherever it is, sizes near the entropy. */
import { describe, expect, test } from 'vitest'
import { EspalierError } from '../../errors.ts'
import { graphBuilder } from '../../graph/builder.ts'
import { type Graph, type Initializer, isSparse, type SparseTensor } from '../../graph/graph.ts'
import { byteLength, type DType, dtypeInfo, dtypes } from '../../tensor/dtype.ts'
import { fromNumbers } from '../../tensor/elements.ts'
import { permutation, randomKey, uniform } from '../../tensor/random.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { float32, int64, sameTensor, type Tensor, tensor, tensorBytes } from '../../tensor/tensor.ts'
import { formatSuite, randomTensor } from '../format.suite.ts'
import type { FileContents } from '../format.ts'
import { fuzzSuite } from '../fuzz.suite.ts'
import { concatBytes } from '../io/bytes.ts'
import { choicesOf, type Mutator, splice } from '../mutations.suite.ts'
import { encodeOnnx } from '../onnx/index.ts'
import { readSafetensors } from '../safetensors/index.ts'
import { crc32 } from '../zip/crc32.ts'
import { compressedOf } from './compressed.ts'
import { checksumText, PREFIX } from './directory.ts'
import {
  encodeEspalier,
  espalier,
  extentsOf,
  type MatrixView,
  openEspalier,
  readEspalier,
  storeTensor,
} from './index.ts'

/** A graph that adds up constants; only they matter. */
function graphWith(constants: Readonly<Record<string, Initializer>>): Graph {
  const g = graphBuilder({ name: 'constants' })
  const x = g.input('x', 'float32', ['n'])
  for (const [name, constant] of Object.entries(constants)) g.constant(constant, name)
  g.output(g.node('Relu', [x], {}, { outputs: ['y'] }))
  return g.build()
}

const bytesOf = (graph: Graph, views?: ReadonlyMap<string, MatrixView>): Uint8Array =>
  concatBytes(encodeEspalier(graph, views && { views }).chunks)

/** Random bits, of which a share is kept and the rest cleared, whole runs of `run` elements at a time. */
function thinned(dtype: DType, shape: readonly number[], share: number, run = 1): Tensor {
  const source = randomTensor(dtype, shape)
  const { int } = choicesOf(5, run)
  const keep = Array.from({ length: Math.ceil(sizeOf(shape) / run) }, () => int(1000) < 1000 * share)
  const { bits } = dtypeInfo(dtype)
  const bytes = tensorBytes(source)
  for (let i = 0; i < sizeOf(shape); i++) {
    if (keep[Math.floor(i / run)]) continue
    if (bits < 8) bytes[Math.floor((i * bits) / 8)]! &= ~((2 ** bits - 1) << ((i * bits) % 8))
    else bytes.fill(0, (i * bits) / 8, ((i + 1) * bits) / 8)
  }
  return source
}

/** float32 of a normal look, `share` of them not zero, in runs of `run`. */
function weights(shape: readonly number[], share: number, run = 1, seed = 1): Tensor<'float32'> {
  const count = sizeOf(shape)
  const values = Float32Array.from(uniform(randomKey(seed), count), u => u - 0.5)
  const order = permutation(randomKey(seed + 1), Math.ceil(count / run))
  for (const at of order.subarray(0, Math.round(order.length * (1 - share))))
    values.fill(0, at * run, (at + 1) * run)
  return tensor('float32', shape, values)
}

const numeric = dtypes.filter(dtype => dtype !== 'string')
const shapes = [[80, 64], [21, 6, 3, 14], [5000], [3, 1333]]
const kinds: Record<string, Initializer> = Object.fromEntries(
  numeric.flatMap((dtype, i) => [
    [`${dtype} a tenth`, thinned(dtype, shapes[i % 4]!, 0.1)],
    [`${dtype} in fours`, thinned(dtype, shapes[(i + 1) % 4]!, 0.3, 4)],
    [`${dtype} whole`, randomTensor(dtype, shapes[(i + 2) % 4]!)],
  ]),
)
const odd = float32([0, -0, Number.NaN, Number.POSITIVE_INFINITY, 1e-45, ...new Array<number>(4000).fill(0)])
new Uint32Array(odd.data.buffer)[7] = 0xffc12345 // NaN with sign and payload
const coordinates: SparseTensor = {
  dtype: 'float32',
  shape: [100, 200],
  values: float32(Array.from({ length: 190 }, (_, i) => i % 7)),
  indices: tensor(
    'int64',
    [190, 2],
    BigInt64Array.from({ length: 380 }, (_, i) => BigInt(i % 2 === 0 ? i >> 2 : (i % 4) * 50 + (i % 7))),
  ),
}
const flat: SparseTensor = {
  ...coordinates,
  indices: int64(Array.from({ length: 190 }, (_, i) => 7 + i * 31)),
}

const model = graphWith({
  dense: weights([33, 33], 1),
  unstructured: weights([32, 32], 0.1),
  blocks: weights([32, 32], 0.2, 4),
  'two of four': weights([16, 32], 1, 1, 4),
  bytes: thinned('int8', [64, 32], 0.3),
  positions: coordinates,
  names: { dtype: 'string', shape: [2], data: ['a', 'b'] },
  small: float32([1, 2, 3]),
})

const asOnnx = (contents: FileContents): string =>
  contents.kind === 'graph' ? concatBytes(encodeOnnx(contents.graph)).join() : ''

formatSuite({
  format: espalier,
  contents: {
    model: { kind: 'graph', graph: model },
    'no weights': { kind: 'graph', graph: graphWith({}) },
  },
  same: (a, b) => asOnnx(a) === asOnnx(b),
})

describe('constants', () => {
  test('of every type, pattern and bit survive', async () => {
    const graph = graphWith({ ...kinds, odd, flat, coordinates })
    const read = await readEspalier(bytesOf(graph))
    expect([...read.initializers.keys()]).toEqual([...graph.initializers.keys()])
    for (const [name, constant] of graph.initializers) {
      const back = read.initializers.get(name)!
      if (isSparse(constant)) {
        expect(isSparse(back) && sameTensor(back.values, constant.values), name).toBe(true)
        expect(isSparse(back) && sameTensor(back.indices, constant.indices), name).toBe(true)
      } else expect(!isSparse(back) && sameTensor(back, constant), name).toBe(true)
    }
  })

  test('are those that were read, however often they are written', async () => {
    const once = bytesOf(model)
    expect(bytesOf(await readEspalier(once))).toEqual(once)
  })

  test('in another order of their axes come back in their own', async () => {
    const conv = weights([8, 6, 3, 3], 0.2)
    const product = weights([40, 24], 0.1)
    const views = new Map([
      ['conv', { order: [0, 2, 3, 1], columnAxes: 3 }],
      ['product', { order: [1, 0], columnAxes: 1 }],
    ])
    const read = await readEspalier(bytesOf(graphWith({ conv, product }), views))
    expect(sameTensor(read.initializers.get('conv') as Tensor, conv)).toBe(true)
    expect(sameTensor(read.initializers.get('product') as Tensor, product)).toBe(true)
    const compressed = compressedOf(read.initializers.get('product') as Tensor)!
    expect([compressed.rows, compressed.columns]).toEqual([24, 40])
    // Row by row, without the dense weight.
    const elements = compressed.elements().data as Float32Array
    let stored = 0
    for (const { row, from, to, columns } of compressed.rowPatterns()) {
      expect(from).toBe(stored)
      for (let i = from; i < to; i++) {
        expect(elements[i]).toBe(product.data[columns[i - from]! * 24 + row])
        stored++
      }
    }
    expect(stored).toBe(product.data.filter(value => value !== 0).length)
    expect(() => storeTensor(product, { order: [0, 0], columnAxes: 1 })).toThrow(/order of the axes/)
    const backwards = { ...flat, indices: int64([...flat.indices.data].map(Number).reverse()) }
    expect(() => storeTensor(backwards)).toThrow(/do not ascend/)
  })

  test('that a fewer-bit type holds are stored in it', async () => {
    const onGrid = (most: number): Tensor => {
      const { int } = choicesOf(2, most)
      const values = Float32Array.from({ length: 64 * 48 }, (_, i) => {
        const column = i % 48
        const scale = Math.fround(0.013 * (1 + Math.floor(i / 48)))
        const integer = column === 0 ? most : int(2 * most + 1) - most
        return column % 3 === 1 ? 0 : integer * scale
      })
      return tensor('float32', [64, 48], values)
    }
    const constants = {
      'int8-scaled': onGrid(127),
      'int4-scaled': onGrid(7),
      float16: fromNumbers(
        'float32',
        [3000],
        Array.from({ length: 3000 }, (_, i) => (i % 2000) / 1024),
      ),
      bfloat16: fromNumbers(
        'float32',
        [3000],
        Array.from({ length: 3000 }, (_, i) => (1 + (i % 100)) * 2 ** 30),
      ),
      plain: weights([3000], 1),
    }
    const { chunks, report } = encodeEspalier(graphWith(constants))
    expect(Object.fromEntries(report.tensors.map(({ name, values }) => [name, values]))).toEqual(
      Object.fromEntries(Object.keys(constants).map(name => [name, name])),
    )
    const read = await readEspalier(concatBytes(chunks))
    for (const [name, constant] of Object.entries(constants))
      expect(sameTensor(read.initializers.get(name) as Tensor, constant), name).toBe(true)
    const quantized = compressedOf(read.initializers.get('int8-scaled') as Tensor)!.quantized()!
    expect([quantized.bits, quantized.group, quantized.integers[0], quantized.scales.length]).toEqual([
      8, 0, 127, 64,
    ])
    expect(compressedOf(read.initializers.get('float16') as Tensor)!.quantized()).toBeUndefined()
  })

  test('are read one by one from an open file', async () => {
    await using file = await openEspalier(bytesOf(model))
    expect([...file.tensors.keys()]).toContain('unstructured')
    expect((file.graph.initializers.get('unstructured') as Tensor).shape).toEqual([0])
    const one = await file.load('unstructured')
    expect(sameTensor(one.dense(), model.initializers.get('unstructured') as Tensor)).toBe(true)
    await expect(file.load('small')).rejects.toMatchObject({ code: 'bad-argument' })
  })

  test('that lie whole in the file are found by any reader of safetensors', async () => {
    const { tensors } = await readSafetensors(bytesOf(model))
    expect(sameTensor(tensors.get('dense')!, model.initializers.get('dense') as Tensor)).toBe(true)
    expect(tensors.has('unstructured#pattern')).toBe(true)
  })

  test('may have names like those of parts', async () => {
    const constants = {
      'w#pattern': weights([40, 40], 1),
      w: weights([32, 32], 0.1),
      'w#values': weights([40, 40], 1, 1, 3),
      graph: weights([40, 40], 1, 1, 4),
      __metadata__: weights([32, 32], 0.2),
    }
    const read = await readEspalier(bytesOf(graphWith(constants)))
    for (const [name, constant] of Object.entries(constants))
      expect(sameTensor(read.initializers.get(name) as Tensor, constant), name).toBe(true)
  })
})

describe('damage', () => {
  test('of a single bit is found: 10,000 flips', { timeout: 120_000 }, async () => {
    const bytes = bytesOf(
      graphWith({ a: weights([16, 16], 0.2), b: weights([12, 12], 1), c: thinned('int8', [40, 16], 0.3, 4) }),
    )
    const { int } = choicesOf(1, 10_000)
    const copy = bytes.slice()
    const missed: number[] = []
    for (let i = 0; i < 10_000; i++) {
      const bit = int(8 * bytes.length)
      copy[bit >> 3]! ^= 1 << (bit & 7)
      try {
        await espalier.read({
          name: 'x',
          size: copy.length,
          read: async (at, n) => copy.slice(at, at + n),
          readSync: (at, n) => copy.slice(at, at + n),
          close: async () => {},
        })
        missed.push(bit)
      } catch (error) {
        if (!(error instanceof EspalierError)) throw error
      }
      copy[bit >> 3]! ^= 1 << (bit & 7)
    }
    expect(missed).toEqual([])
  })

  test('names the tensor', async () => {
    const bytes = bytesOf(model)
    const needle = tensorBytes(model.initializers.get('dense') as Tensor)
    const at = bytes.findIndex((_, i) => needle.every((byte, k) => bytes[i + k] === byte))
    const damaged = bytes.slice()
    damaged[at + 5]! ^= 4
    await expect(readEspalier(damaged)).rejects.toMatchObject({
      code: 'malformed',
      where: { tensor: 'dense' },
    })
    const cut = readEspalier(bytes.subarray(0, bytes.length - 1))
    await expect(cut).rejects.toMatchObject({
      code: 'truncated',
      where: { tensor: expect.stringMatching(/^[a-z ]+$/) },
    })
  })

  test('is told from a file of a later version', async () => {
    const bytes = bytesOf(model).slice()
    bytes[8 + PREFIX.indexOf('"1"') + 1] = 0x32
    await expect(readEspalier(bytes)).rejects.toMatchObject({ code: 'unsupported-format' })
  })
})

describe('size', () => {
  const views = new Map<string, MatrixView>()
  const share = (constant: Tensor, dense = byteLength('float32', sizeOf(constant.shape))) => {
    const { report, chunks } = encodeEspalier(graphWith({ w: constant }), { views })
    const file = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    const [stored] = report.tensors
    return { file: file / dense, overBound: stored!.storedBytes / stored!.boundBytes, ...stored! }
  }
  const bytesIn = (from: Tensor): Tensor =>
    fromNumbers(
      'int8',
      from.shape,
      Float64Array.from(from.data as Float32Array, x => (x === 0 ? 0 : Math.round(x * 200) || 1)),
    )

  test('of 90 % unstructured float32 is at most 0.14 of dense', () => {
    const found = share(weights([768, 768], 0.1))
    expect(found.file).toBeLessThan(0.14)
    expect([found.codec, found.values]).toEqual(['rice', 'plain'])
  })
  test('of 80 % 4-block int8 is at most 0.065 of dense float32', () => {
    const found = share(bytesIn(weights([768, 768], 0.2, 4)))
    expect(found.file).toBeLessThan(0.065)
    expect([found.codec, ...found.parameters.slice(0, 2)]).toEqual(['block', 1, 4])
  })
  test.each([
    ...[0.001, 0.01, 0.05, 0.1, 0.3, 0.5, 0.7, 0.9].flatMap(density => [
      ['float32', density, 1] as const,
      ['int8', density, 1] as const,
    ]),
    ...[0.02, 0.2, 0.5, 0.8].map(density => ['int8', density, 4] as const),
    ...[0.05, 0.5].map(density => ['int8', density, 16] as const),
  ])('of %s, %d of them in runs of %d, is within 10 %% of the entropy bound', (dtype, density, run) => {
    const source = weights([512, 768], density, run)
    const found = share(dtype === 'int8' ? bytesIn(source) : source)
    expect(found.overBound).toBeLessThan(1.1)
    expect(found.overBound).toBeGreaterThan(0.999)
  })
  test('of N:M is that of its combinations', () => {
    const source = weights([256, 256], 1)
    for (let group = 0; group < source.data.length; group += 4)
      for (const at of permutation(randomKey(group), 4).subarray(0, 2)) source.data[group + at] = 0
    const found = share(bytesIn(source))
    expect([found.codec, ...found.parameters]).toEqual(['n:m', 2, 4])
    expect(found.storedBytes).toBe(256 * 256 * (0.5 + 3 / 32))
    expect(found.overBound).toBeLessThan(1.1)
  })
  test('of zeros alone is small, but not so small that a reader could not believe it', async () => {
    const zeros = tensor('float32', [2000, 1000], new Float32Array(2_000_000))
    const bytes = bytesOf(graphWith({ zeros }))
    expect(bytes.length).toBeLessThan(12_000)
    expect(sameTensor((await readEspalier(bytes)).initializers.get('zeros') as Tensor, zeros)).toBe(true)
  })
})

/** Changes the text of the header, and mends length and checksum, so that what lies behind them is reached. */
const inHeader =
  (change: (text: string, choices: Parameters<Mutator>[1]) => string): Mutator =>
  (bytes, choices) => {
    const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
    const header = change(new TextDecoder().decode(bytes.subarray(8, 8 + length)), choices)
    return mended(
      splice(bytes, 8, length, new TextEncoder().encode(header)),
      new TextEncoder().encode(header).length,
    )
  }

function mended(bytes: Uint8Array, length: number): Uint8Array {
  const result = bytes.slice()
  new DataView(result.buffer).setBigUint64(0, BigInt(length), true)
  const at = 8 + PREFIX.length
  result.fill(0x30, at, at + 8)
  result.set(new TextEncoder().encode(checksumText(crc32(result.subarray(0, 8 + length)))), at)
  return result
}

fuzzSuite({
  name: 'espalier',
  seeds: [
    bytesOf(graphWith({ a: weights([16, 16], 0.2) })),
    bytesOf(graphWith({ b: thinned('int8', [64, 32], 0.3, 4), c: weights([33, 33], 1) })),
    bytesOf(graphWith({ positions: coordinates })),
  ],
  parse: async bytes => {
    const graph = await readEspalier(bytes)
    for (const constant of graph.initializers.values())
      if (!isSparse(constant))
        extentsOf(constant.shape, { order: constant.shape.map((_, i) => i), columnAxes: 0 })
    return graph
  },
  structural: {
    'change a number in the header': inHeader((text, { pick, int }) => {
      const found = [...text.matchAll(/\d+/g)].filter(({ index }) => index > PREFIX.length + 10)
      const { index, 0: old } = pick(found)
      const other = pick([
        '0',
        '1',
        '7',
        '4096',
        '65536',
        '16777216',
        '4294967295',
        '9007199254740991',
        `${int(99)}`,
      ])
      return text.slice(0, index) + other + text.slice(index + old.length)
    }),
    'change a word in the header': inHeader((text, { pick }) => {
      const words = [
        'rice',
        'bitmask',
        'block',
        'n:m',
        'raw',
        'plain',
        'float16',
        'int8-scaled',
        'float32',
        'int8',
        'bool',
      ]
      const { index, 0: old } = pick([...text.matchAll(/rice|bitmask|block|plain|float32|int8/g)])
      return text.slice(0, index) + pick(words) + text.slice(index + old.length)
    }),
    'damage the data, and mend the checksums': (bytes, { int }) => {
      const result = bytes.slice()
      const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
      result[8 + length + int(bytes.length - 8 - length)]! ^= 1 << int(8)
      return remade(result)
    },
  },
  // A tensor may be 1024 times its bytes in the file, and 64 KiB; three are in a file at most.
  allowedBytes: file => 1024 * file.length + 2 ** 20,
})

/** A file with the checksums of its parts set to what they are. */
function remade(bytes: Uint8Array): Uint8Array {
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true))
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))
  const part = (name: string): Uint8Array => {
    const [start, end] = header[name].data_offsets
    return bytes.subarray(8 + length + start, 8 + length + end)
  }
  const { __metadata__: metadata } = header
  const graph = JSON.parse(metadata.graph)
  graph.checksum = checksumText(crc32(part(graph.part)))
  const tensors = JSON.parse(metadata.tensors)
  for (const record of tensors) {
    const { pattern, values, scales } = record.parts
    const names = [pattern, values, scales].filter((name: string | undefined) => name !== undefined)
    record.checksum = checksumText(names.reduce((crc: number, name: string) => crc32(part(name), crc), 0))
  }
  metadata.graph = JSON.stringify(graph)
  metadata.tensors = JSON.stringify(tensors)
  return mended(
    splice(bytes, 8, length, new TextEncoder().encode(JSON.stringify(header).padEnd(length))),
    length,
  )
}
