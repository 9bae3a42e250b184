/** ONNX files: what a graph holds survives writing and reading, and what is not a model is refused with its reason. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile as writeBytes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { graphBuilder } from '../../graph/builder.ts'
import type { Graph } from '../../graph/graph.ts'
import { load, save } from '../../model.ts'
import type { DType } from '../../tensor/dtype.ts'
import { float32, int64, type Tensor, zeros } from '../../tensor/tensor.ts'
import { formatSuite } from '../format.suite.ts'
import { concatBytes } from '../io/bytes.ts'
import { encodeMessage } from './encode.ts'
import { modelOfGraph } from './from-graph.ts'
import { anyGraph } from './graphs.suite.ts'
import { onnx } from './index.ts'
import { bytesOf, delimited, modelBytes, payload, plain, text, varint } from './messages.suite.ts'
import { type AttributeProto, type GraphProto, graphTable, modelTable, type NodeProto } from './proto.ts'
import { parseOnnx, readOnnx } from './read.ts'
import { encodeOnnx, writeOnnx } from './write.ts'

const bytesOfGraph = (graph: Graph): Uint8Array => concatBytes(encodeOnnx(graph))
const parsed = (graph: GraphProto): Graph => parseOnnx(modelBytes(graph))
const failure = (code: string, message: RegExp) =>
  expect.objectContaining({ name: 'EspalierError', code, message: expect.stringMatching(message) })

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'espalier-onnx-'))
})
afterAll(() => rm(folder, { recursive: true }))

function smallModel(weight: Tensor = float32([1, 2, 3, 4], [2, 2])): Graph {
  const g = graphBuilder({ name: 'small' })
  const x = g.input('x', 'float32', ['batch', 2])
  g.output(g.node('MatMul', [x, g.constant(weight, 'w')], {}, { name: 'mm', outputs: ['y'] }))
  return g.build()
}

const small = bytesOfGraph(smallModel())
/** Where the fields of a model end: there, and nowhere else, it can be cut and still be one. */
function fieldEnds(bytes: Uint8Array): number[] {
  const ends: number[] = []
  for (let at = 0; at < bytes.length; ends.push(at)) {
    const wire = bytes[at++]! % 8
    let length = 0
    for (let shift = 0; ; shift += 7) {
      length += (bytes[at]! & 0x7f) * 2 ** shift
      if (bytes[at++]! < 0x80) break
    }
    if (wire === 2) at += length
  }
  return ends
}
const afterGraph = fieldEnds(small).filter(end => end > bytesOf({ graph: parsedProto(small) }).length)
function parsedProto(bytes: Uint8Array): GraphProto {
  return modelOfGraph(parseOnnx(bytes)).graph!
}

formatSuite({
  format: onnx,
  contents: { small: { kind: 'graph', graph: parseOnnx(small) } },
  same: (a, b) => JSON.stringify(plain(a)) === JSON.stringify(plain(b)),
  canEndAt: length => afterGraph.includes(length),
})

describe('round trip', () => {
  test('everything that a graph can hold', () => {
    fc.assert(
      fc.property(anyGraph, graph => {
        const bytes = bytesOfGraph(graph)
        expect(plain(parseOnnx(bytes))).toEqual(plain(graph))
        expect(bytesOfGraph(parseOnnx(bytes))).toEqual(bytes)
      }),
      { numRuns: 300 },
    )
  })

  test('through a file, in one piece and with weights beside it', async () => {
    const path = join(folder, 'any.onnx')
    await fc.assert(
      fc.asyncProperty(anyGraph, async graph => {
        await writeOnnx(path, graph)
        expect(plain(await readOnnx(path))).toEqual(plain(graph))
        await writeOnnx(path, graph, { externalData: true, externalThreshold: 1 })
        expect(plain(await readOnnx(path))).toEqual(plain(graph))
      }),
      { numRuns: 50 },
    )
  })

  test('names and weights larger than what is read at once', async () => {
    const g = graphBuilder({ name: 'n'.repeat(300_000) })
    let x = g.input('x', 'float32', [300])
    for (let i = 0; i < 3; i++) {
      const weight = zeros('float32', [300, 300])
      weight.data.fill(i + 0.5)
      x = g.node('MatMul', [x, g.constant(weight)], {}, { name: `${i}`.repeat(270_000) })
    }
    g.output(x)
    const path = join(folder, 'large.onnx')
    await save(path, g.build())
    expect(plain(await load(path))).toEqual(plain(parseOnnx(await readFile(path))))
  })

  test.each<[string, number | bigint]>([
    ['the end of int64', 2n ** 63n - 1n],
    ['the other end', -(2n ** 63n)],
    ['2^56', 2n ** 56n],
    ['2^56 - 1', 2n ** 56n - 1n],
    ['a large number that is no bigint', 2 ** 60],
    ['-0', -0],
  ])('integers: %s', (_, value) => {
    const g = graphBuilder()
    g.output(g.node('Op', [], { i: { type: 'int', value }, list: { type: 'ints', value: [value, 1] } }))
    const { attributes } = parseOnnx(bytesOfGraph(g.build())).nodes[0]!
    expect(BigInt(attributes.get('i')!.value as number)).toBe(BigInt(value))
    expect((attributes.get('list')!.value as number[]).map(BigInt)).toEqual([BigInt(value), 1n])
  })

  test.each([0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 64, 2n ** 64n, -(2n ** 63n) - 1n])(
    'what is no integer of 64 bits is not written: %s',
    value => {
      const g = graphBuilder()
      g.output(g.node('Op', [], { i: { type: 'int', value } }))
      expect(() => encodeOnnx(g.build())).toThrow(failure('bad-argument', /"i": not an integer of 64 bits/))
    },
  )
})

describe('writing', () => {
  test('weights are passed through, not copied', () => {
    const weight = zeros('float32', [1000, 3])
    const graph = smallModel(weight)
    expect(encodeOnnx(graph).some(piece => piece.buffer === weight.data.buffer)).toBe(true)
  })

  test('a model beyond the limit is refused before anything is written, with the way out', async () => {
    const refused = failure('too-large', /expected at most 100 bytes, got \d+. .*externalData/)
    expect(() => encodeMessage(modelOfGraph(smallModel()), modelTable, 100)).toThrow(refused)
    // 2 GiB of weights that are all the same 64 MiB.
    const weight = zeros('float32', [2 ** 12, 2 ** 12])
    const g = graphBuilder()
    for (let i = 0; i < 32; i++) g.output(g.node('Identity', [g.constant(weight)]))
    const path = join(folder, 'beyond.onnx')
    await expect(writeOnnx(path, g.build())).rejects.toThrow(failure('too-large', /at most 2147483647 bytes/))
    expect(await readdir(folder)).not.toContain('beyond.onnx')
  })

  test.each<[DType, number]>([
    ['float32', 4],
    ['float8e5m2', 9],
    ['int4', 10],
    ['float4e2m1', 11],
    ['float8e8m0', 12],
    ['uint2', 13],
  ])('an old file with a new constant of %s says IR version %i', (dtype, version) => {
    const graph = { ...smallModel(zeros(dtype, [4])), origin: { irVersion: 3, producer: '' } }
    expect(parseOnnx(bytesOfGraph(graph)).origin!.irVersion).toBe(version)
  })

  test.each([
    [9, 8],
    [19, 9],
    [21, 10],
    [23, 11],
    [27, 14],
  ])('a new graph of opset %i says IR version %i', (opset, version) => {
    const graph = { ...smallModel(), opsets: new Map([['', opset]]) }
    expect(parseOnnx(bytesOfGraph(graph)).origin).toEqual({ irVersion: version, producer: 'espalier' })
  })
})

describe('reading', () => {
  const relu: NodeProto = { op: 'Relu', inputs: ['x'], outputs: ['y'] }
  const graph: GraphProto = { nodes: [relu], inputs: [{ name: 'x' }], outputs: [{ name: 'y' }] }
  const withAttribute = (attribute: AttributeProto): GraphProto => ({
    nodes: [{ ...relu, attributes: [attribute] }],
  })
  const attributeOf = (attribute: AttributeProto) =>
    parsed(withAttribute(attribute)).nodes[0]!.attributes.get('a')

  test('a graph without name, remarks or types', async () => {
    expect((await load(modelBytes(graph))).name).toBe('')
    expect(parsed(graph).inputs).toEqual([{ name: 'x' }])
  })

  test('both spellings of the standard operator set', () => {
    const model = { opsets: [{ domain: 'ai.onnx', version: 9 }, { version: 9 }] }
    const { opsets, nodes } = parseOnnx(modelBytes({ nodes: [{ ...relu, domain: 'ai.onnx' }] }, model))
    expect([[...opsets], nodes[0]!.domain]).toEqual([[['', 9]], ''])
    const two = { opsets: [{ domain: 'ai.onnx', version: 9 }, { version: 10 }] }
    expect(() => parseOnnx(modelBytes(graph, two))).toThrow(
      failure('malformed', /two versions .* got 9 and 10/),
    )
  })

  test('extents: numbers, names, unknown ones', () => {
    const dims = [
      { value: 3 },
      { param: 'n' },
      { param: '' },
      {},
      { value: -1 },
      { value: 2n ** 63n - 1n },
      { value: 0 },
    ]
    const type = { tensor: { elementType: 1, shape: { dims } } }
    expect(parsed({ inputs: [{ name: 'x', type }] }).inputs[0]!.type).toEqual({
      kind: 'tensor',
      dtype: 'float32',
      shape: [3, 'n', null, null, null, null, 0],
    })
  })

  test('attributes of files that do not state their type', () => {
    expect(attributeOf({ name: 'a', f: 0.5 })).toEqual({ type: 'float', value: 0.5 })
    expect(attributeOf({ name: 'a', ints: [1, 2] })).toEqual({ type: 'ints', value: [1, 2] })
    expect(attributeOf({ name: 'a', s: text('x') })).toEqual({ type: 'string', value: 'x' })
  })

  test('zeros and empty lists that are not written', () => {
    expect(attributeOf({ name: 'a', type: 2 })).toEqual({ type: 'int', value: 0 })
    expect(attributeOf({ name: 'a', type: 3 })).toEqual({ type: 'string', value: '' })
    expect(attributeOf({ name: 'a', type: 7 })).toEqual({ type: 'ints', value: [] })
  })

  test('the value of the declared type, where another is set too', () => {
    expect(attributeOf({ name: 'a', type: 2, i: 4, f: 1 })).toEqual({ type: 'int', value: 4 })
  })

  test.each<[string, AttributeProto]>([
    ['another type than it declares', { name: 'a', type: 2, f: 1 }],
    ['no type and no value', { name: 'a' }],
    ['no type and two values', { name: 'a', i: 1, f: 1 }],
    ['a type that does not exist', { name: 'a', type: 15, i: 1 }],
    ['no tensor', { name: 'a', type: 4 }],
    ['a type without content', { name: 'a', type: 13, tp: {} }],
  ])('an attribute with %s', (_, attribute) => {
    expect(() => parsed(withAttribute(attribute))).toThrow(
      failure('malformed', /node y \(Relu\), "a": an attribute has no value of the type it declares/),
    )
  })

  const w = { name: 'w', dataType: 1, dims: [1], rawData: payload(new Uint8Array(4)) }
  test.each<[string, GraphProto, RegExp]>([
    ['two initialisers of one name', { initializers: [w, w] }, /tensor "w": two initialisers/],
    ['an initialiser without name', { initializers: [{ ...w, name: '' }] }, /has no name/],
    [
      'two attributes of one name',
      {
        nodes: [
          {
            ...relu,
            attributes: [
              { name: 'a', i: 1 },
              { name: 'a', i: 2 },
            ],
          },
        ],
      },
      /two attributes/,
    ],
    [
      'a reference outside a function',
      withAttribute({ name: 'a', refName: 'b', type: 2 }),
      /outside a function/,
    ],
    [
      'a tensor of unknown type',
      { initializers: [{ ...w, dataType: 99 }] },
      /tensor "w": unknown tensor data type/,
    ],
    [
      'an input of unknown type',
      { inputs: [{ name: 'x', type: { tensor: { elementType: 77 } } }] },
      /unknown tensor data type/,
    ],
  ])('%s', (_, broken, message) => {
    expect(() => parsed(broken)).toThrow(failure('malformed', message))
  })

  const add = (inputs: string[], outputs: string[], more: NodeProto = {}): NodeProto => ({
    op: 'Add',
    inputs,
    outputs,
    ...more,
  })
  const branch = (nodes: NodeProto[], output: string): GraphProto => ({ nodes, outputs: [{ name: output }] })
  const conditional = (then_branch: GraphProto, outputs: string[] = ['z']): NodeProto => ({
    op: 'If',
    inputs: ['x'],
    outputs,
    attributes: [{ name: 'then_branch', type: 5, g: then_branch }],
  })
  test.each<[string, GraphProto, RegExp]>([
    ['a cycle', { nodes: [add(['b'], ['a']), add(['a'], ['b'])] }, /"b": .*out of order or form a cycle/],
    ['a node that feeds itself', { nodes: [add(['a'], ['a'])] }, /form a cycle/],
    ['a value made twice', { nodes: [relu, relu], inputs: [{ name: 'x' }] }, /"y": the value is made twice/],
    [
      'a value that is an initialiser too',
      { nodes: [relu], inputs: [{ name: 'x' }], initializers: [{ ...w, name: 'y' }] },
      /made twice/,
    ],
    ['a value from nowhere', { nodes: [relu] }, /"x": the value is made by no node/],
    ['an output from nowhere', { outputs: [{ name: 'q' }] }, /"q": an output is made by no node/],
    ['two inputs of one name', { inputs: [{ name: 'x' }, { name: 'x' }] }, /two inputs/],
    ['an input without name', { inputs: [{}] }, /an input has no name/],
    ['a node without operator', { nodes: [{}] }, /no operator/],
    [
      'a body that uses what comes later',
      {
        ...graph,
        nodes: [conditional(branch([relu], 'y')), conditional(branch([add(['q'], ['p'])], 'p'), ['q'])],
      },
      /"q": the value is (used before|made by no)/,
    ],
  ])('load refuses %s', async (_, broken, message) => {
    await expect(load(modelBytes(broken))).rejects.toThrow(failure('invalid-graph', message))
  })

  test('a body sees what is made before it, in every graph around it', async () => {
    const inner = conditional(branch([add(['x', 'y'], ['sum'])], 'sum'), ['inner'])
    const nodes = [relu, conditional(branch([inner], 'inner'))]
    const { nodes: loaded } = await load(modelBytes({ ...graph, nodes }))
    expect(loaded).toHaveLength(2)
  })

  test.each<[string, Uint8Array, string, RegExp]>([
    ['nothing', new Uint8Array(0), 'truncated', /the file is empty/],
    ['text', text('<html><body>404 Not Found</body></html>'), 'malformed', /not a protobuf field/],
    [
      'a Git LFS pointer',
      text('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n'),
      'malformed',
      /git lfs pull/,
    ],
    [
      'a model without graph',
      bytesOf({ irVersion: 8, opsets: [{ version: 9 }] }),
      'malformed',
      /holds no graph. Is it an ONNX model/,
    ],
    ['a cut model', small.subarray(0, small.length - 40), 'truncated', /longer than its message/],
  ])('refused: %s', async (_, bytes, code, message) => {
    await expect(readOnnx(bytes)).rejects.toThrow(failure(code, message))
    expect(() => parseOnnx(bytes)).toThrow(failure(code, message))
  })

  test('an operator-set list alone is no operator set', async () => {
    const model = modelBytes(graph, { opsets: [] })
    await expect(load(model)).rejects.toThrow(failure('invalid-graph', /imports no operator set/))
  })

  test('remarks on tensors, and fields that are newer than this library', () => {
    const metadataProps = delimited(16, [...delimited(1, text('k')), ...delimited(2, text('v'))])
    const content = [
      ...varint(1 * 8),
      1,
      ...varint(2 * 8),
      1,
      ...delimited(8, text('w')),
      ...delimited(9, [0, 0, 0, 0]),
    ]
    const field = delimited(5, [...content, ...delimited(12, text('remark')), ...metadataProps])
    const read = parseOnnx(Uint8Array.from([8, 10, ...delimited(7, field)]))
    expect([...read.initializerFields!.get('w')!]).toEqual([
      ...delimited(12, text('remark')),
      ...metadataProps,
    ])
    expect([...bytesOf(modelOfGraph(read).graph!, graphTable)].join()).toContain(metadataProps.join())
  })
})

test('detect', () => {
  expect(onnx.detect(small)).toBe(true)
  expect(onnx.detect(Uint8Array.of(8))).toBe(false)
  expect(onnx.detect(text('version https://git-lfs'))).toBe(false)
})

describe('saving', () => {
  test('an invalid graph is not written', async () => {
    const graph = { ...smallModel(), outputs: [{ name: 'absent' }] }
    await expect(save(join(folder, 'invalid.onnx'), graph)).rejects.toThrow(
      failure('invalid-graph', /absent/),
    )
    expect(await readdir(folder)).not.toContain('invalid.onnx')
  })

  test('load names the file', async () => {
    const path = join(folder, 'broken.onnx')
    await writeBytes(path, modelBytes({ outputs: [{ name: 'q' }] }))
    await expect(load(path)).rejects.toMatchObject({ code: 'invalid-graph', where: { file: path } })
  })

  test('tensors alone are no model', async () => {
    const path = join(folder, 'tensors.npy')
    await writeBytes(
      path,
      Uint8Array.from([
        0x93,
        ...text('NUMPY'),
        1,
        0,
        118,
        0,
        ...text(`{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }`.padEnd(117)),
        10,
        5,
      ]),
    )
    await expect(load(path)).rejects.toThrow(failure('unsupported-format', /not a model/))
  })

  test('constants of every size survive', async () => {
    const path = join(folder, 'sizes.onnx')
    const g = graphBuilder()
    for (const count of [0, 1, 2, 511, 512, 513, 1023, 1024, 20_000])
      g.output(g.node('Identity', [g.constant(int64(Array.from({ length: count }, (_, i) => i * 3)))]))
    await save(path, g.build(), { externalData: 'sizes.bin' })
    const { size } = await stat(join(folder, 'sizes.bin'))
    expect(size).toBeLessThan(8 * 25_000 + 4096)
    expect(plain(await load(path))).toEqual(
      plain({ ...g.build(), origin: { irVersion: 10, producer: 'espalier' } }),
    )
  })
})
