/**
 * Random graphs for fast-check, in the form that reading gives: everything that a file can say and a graph can hold
 * (all types, attributes, bodies, remarks, unknown fields), whether or not it makes sense to an operator.
 */
import fc from 'fast-check'
import type {
  Attribute,
  Graph,
  Initializer,
  Node,
  SparseTensor,
  Value,
  ValueType,
} from '../../graph/graph.ts'
import { type DType, dtypes } from '../../tensor/dtype.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { type Tensor, tensor } from '../../tensor/tensor.ts'
import { randomTensor } from '../format.suite.ts'
import { delimited, text, varint } from './messages.suite.ts'

const name = fc.string({ unit: 'grapheme', maxLength: 6 })
const someName = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 })
const dtype = fc.constantFrom(...dtypes)
const shape = fc.array(fc.nat(3), { maxLength: 3 })
const metadata = fc
  .array(fc.tuple(someName, name), { minLength: 1, maxLength: 3 })
  .map(entries => new Map(entries))
const float = fc.float()
/** An int64 as reading gives it. */
const int = fc
  .oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -300n, max: 300n }))
  .map(value => (value === BigInt.asIntN(53, value) ? Number(value) : value))
  .map(value => (typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value))

/** Fields with numbers that no table has. */
const unknownFields = fc
  .array(
    fc.tuple(
      fc.integer({ min: 1000, max: 2 ** 29 - 1 }),
      fc.uint8Array({ maxLength: 9 }),
      fc.constantFrom(0, 1, 2, 5),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map(list =>
    Uint8Array.from(
      list.flatMap(([number, bytes, wire]) => {
        const tag = varint(number * 8 + wire)
        if (wire === 2) return delimited(number, bytes)
        if (wire === 0) return [...tag, ...varint(bytes.length)]
        return [...tag, ...Uint8Array.from({ length: wire === 1 ? 8 : 4 }, (_, i) => bytes[i] ?? i)]
      }),
    ),
  )

const remarks = fc.record({ doc: name, metadata, unknownFields }, { requiredKeys: [] })

/** A tensor of any type, shape and bits. */
export const anyTensor: fc.Arbitrary<Tensor> = fc
  .tuple(dtype, shape, fc.nat(1000))
  .map(([type, extents, seed]) => randomTensor(type, extents, seed))

const sparse: fc.Arbitrary<SparseTensor> = fc
  .tuple(dtype, shape, fc.nat(1000), fc.boolean())
  .map(([type, extents, seed, coordinates]) => {
    const positions = Array.from({ length: sizeOf(extents) }, (_, i) => i).filter(i => (i * 7 + seed) % 3 > 0)
    const values = randomTensor(type, [positions.length], seed)
    const rows = positions.map(position => unravel(position, extents))
    const indices = coordinates
      ? tensor('int64', [rows.length, extents.length], BigInt64Array.from(rows.flat(), BigInt))
      : tensor('int64', [rows.length], BigInt64Array.from(positions, BigInt))
    return { dtype: type as DType, shape: extents, values, indices }
  })

function unravel(position: number, extents: readonly number[]): number[] {
  const index: number[] = []
  for (let axis = extents.length - 1, rest = position; axis >= 0; axis--) {
    index.unshift(rest % extents[axis]!)
    rest = Math.floor(rest / extents[axis]!)
  }
  return index
}

const dims = fc.array(fc.oneof(fc.nat(), someName, fc.constant(null)), { maxLength: 4 })
const denotations = fc.array(someName, { minLength: 4, maxLength: 4 })

const { type } = fc.letrec<{ type: ValueType }>(tie => ({
  type: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc
      .record(
        {
          kind: fc.constant('tensor' as const),
          dtype,
          shape: dims,
          denotation: name,
          dimDenotations: denotations,
        },
        { requiredKeys: ['kind', 'dtype'] },
      )
      .map(({ dimDenotations, ...value }) =>
        dimDenotations === undefined || (value.shape?.length ?? 0) === 0
          ? value
          : { ...value, dimDenotations: dimDenotations.slice(0, value.shape!.length) },
      ),
    fc.record(
      { kind: fc.constant('sparse' as const), dtype, shape: dims },
      { requiredKeys: ['kind', 'dtype'] },
    ),
    fc.record({ kind: fc.constant('opaque' as const), domain: name, name }),
    fc.record(
      { kind: fc.constantFrom('sequence', 'optional'), element: tie('type') },
      { requiredKeys: ['kind'] },
    ),
    fc.record(
      { kind: fc.constant('map' as const), key: dtype, value: tie('type') },
      { requiredKeys: ['kind', 'key'] },
    ),
  ) as fc.Arbitrary<ValueType>,
}))

const value = (named: fc.Arbitrary<string>): fc.Arbitrary<Value> =>
  fc.tuple(named, fc.option(type, { nil: undefined }), remarks).map(([own, of, more]) => ({
    name: own,
    ...(of && { type: of }),
    ...more,
  }))

/** Text, or bytes that are none. */
const string = fc.oneof(
  name,
  fc.uint8Array({ maxLength: 3 }).map(bytes => Uint8Array.from([0xff, ...bytes])),
)
const few = <T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(item, { maxLength: 3 })

const attribute = (graph: fc.Arbitrary<Graph>): fc.Arbitrary<Attribute> => {
  const of = <T extends Attribute['type']>(kind: T, item: fc.Arbitrary<unknown>): fc.Arbitrary<Attribute> =>
    fc
      .record(
        { type: fc.constant(kind), value: item, doc: name, unknownFields },
        { requiredKeys: ['type', 'value'] },
      )
      .map(record => record as Attribute)
  return fc.oneof(
    of('float', float),
    of('int', int),
    of('string', string),
    of('tensor', anyTensor),
    of('sparse_tensor', sparse),
    of('graph', graph),
    of('type', type),
    of('floats', few(float)),
    of('ints', few(int)),
    of('strings', few(string)),
    of('tensors', few(anyTensor)),
    of('sparse_tensors', few(sparse)),
    of('graphs', few(graph)),
    of('types', few(type)),
  )
}

const node = (graph: fc.Arbitrary<Graph>): fc.Arbitrary<Node> =>
  fc
    .tuple(
      fc.record({
        name,
        op: name,
        domain: name.filter(text => text !== 'ai.onnx'),
        inputs: few(name),
        outputs: few(name),
      }),
      few(fc.tuple(name, attribute(graph))).map(entries => new Map(entries)),
      remarks,
      fc.option(name, { nil: undefined }),
    )
    .map(([head, attributes, more, overload]) => ({
      ...head,
      attributes,
      ...(overload !== undefined && { overload }),
      ...more,
    }))

const opsets = few(
  fc.tuple(
    name.filter(text => text !== 'ai.onnx'),
    fc.nat(30),
  ),
).map(entries => new Map(entries))

const { bare } = fc.letrec<{ bare: Graph }>(tie => ({
  bare: fc.oneof(
    { maxDepth: 2, depthSize: 'small' },
    graphOf(fc.constant([])),
    graphOf(few(node(tie('bare')))),
  ),
}))

function graphOf(nodes: fc.Arbitrary<Node[]>): fc.Arbitrary<Graph> {
  return fc
    .record({
      name,
      nodes,
      inputs: few(value(name)),
      outputs: few(value(name)),
      dense: few(fc.tuple(someName, anyTensor, fc.option(fc.tuple(name, unknownFields), { nil: undefined }))),
      sparse: few(fc.tuple(someName, sparse)),
      values: few(value(name)),
      remarks,
    })
    .map(({ dense, sparse: sparseEntries, values, remarks: more, ...head }) => {
      const initializers = new Map<string, Initializer>(dense.map(([own, tensorValue]) => [own, tensorValue]))
      const fields = new Map<string, Uint8Array>()
      for (const [own, , extra] of dense)
        if (extra) fields.set(own, Uint8Array.from([...delimited(12, text(extra[0])), ...extra[1]]))
        else fields.delete(own)
      // Reading puts sparse initialisers behind the others.
      for (const [own, entry] of sparseEntries) if (!initializers.has(own)) initializers.set(own, entry)
      return {
        ...head,
        initializers,
        values: new Map(values.map(item => [item.name, item])),
        opsets: new Map(),
        ...(fields.size > 0 && { initializerFields: fields }),
        ...more,
      }
    })
}

const origin = fc.record(
  {
    irVersion: fc.constant(14),
    producer: name,
    producerVersion: name,
    domain: name,
    modelVersion: int,
    doc: name,
    metadata,
    unknownFields,
  },
  { requiredKeys: ['irVersion', 'producer'] },
)

/** A whole model. Bodies have the operator sets of their model, as after reading. */
export const anyGraph: fc.Arbitrary<Graph> = fc
  .tuple(bare, opsets, origin)
  .map(([graph, versions, about]) => ({ ...withOpsets(graph, versions), origin: about }))

function withOpsets(graph: Graph, versions: ReadonlyMap<string, number>): Graph {
  const inAttribute = (entry: Attribute): Attribute => {
    if (entry.type === 'graph') return { ...entry, value: withOpsets(entry.value, versions) }
    if (entry.type === 'graphs')
      return { ...entry, value: entry.value.map(body => withOpsets(body, versions)) }
    return entry
  }
  const nodes = graph.nodes.map(item => ({
    ...item,
    attributes: new Map([...item.attributes].map(([key, entry]) => [key, inAttribute(entry)])),
  }))
  return { ...graph, nodes, opsets: versions }
}
