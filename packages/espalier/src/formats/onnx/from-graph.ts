/** From the graph to ONNX's messages: the reverse of to-graph.ts. Tensors become `raw_data` without a copy. */
import { EspalierError } from '../../errors.ts'
import {
  type Attribute,
  type Dim,
  describeNode,
  type Graph,
  isSparse,
  type Node,
  type SparseTensor,
  type Value,
  type ValueType,
} from '../../graph/graph.ts'
import type { DType } from '../../tensor/dtype.ts'
import { type Tensor, tensorBytes } from '../../tensor/tensor.ts'
import type {
  AttributeProto,
  GraphProto,
  ModelProto,
  NodeProto,
  ShapeProto,
  SparseTensorProto,
  StringEntry,
  TensorProto,
  TypeProto,
  ValueInfoProto,
} from './proto.ts'
import { numberOfDtype } from './tensor-proto.ts'

const utf8 = new TextEncoder()

/** How initialisers are written; replaced where weights go to a file of their own. */
export type TensorWriter = (name: string, tensor: Tensor) => TensorProto

/** The message of a whole model. `writeInitializer` is used for the outermost graph's dense initialisers. */
export function modelOfGraph(graph: Graph, writeInitializer: TensorWriter = protoOfTensor): ModelProto {
  const origin = graph.origin ?? {}
  return {
    irVersion: Math.max(origin.irVersion ?? irVersionOf(graph), leastIrVersion(graph)),
    producer: origin.producer ?? 'espalier',
    ...(origin.producerVersion !== undefined && { producerVersion: origin.producerVersion }),
    ...(origin.domain !== undefined && { domain: origin.domain }),
    ...(origin.modelVersion !== undefined && { modelVersion: origin.modelVersion }),
    ...(origin.doc !== undefined && { doc: origin.doc }),
    graph: protoOfGraph(graph, writeInitializer),
    opsets: [...graph.opsets].map(([domain, version]) => ({ domain, version })),
    ...(origin.metadata && { metadata: entriesOf(origin.metadata) }),
    ...unknownOf(origin.unknownFields),
  }
}

/** The oldest IR version that came with the graph's operator set, but not below 8, which every reader knows. */
function irVersionOf(graph: Graph): number {
  const opset = graph.opsets.get('') ?? 0
  const firstOpset: readonly (readonly [number, number])[] = [
    [27, 14],
    [25, 13],
    [24, 12],
    [23, 11],
    [21, 10],
    [19, 9],
  ]
  return firstOpset.find(([first]) => opset >= first)?.[1] ?? 8
}

/** The oldest IR version that can say what the graph holds: an older file may have been given something newer. */
function leastIrVersion(graph: Graph): number {
  const inputs = new Set(graph.inputs.map(({ name }) => name))
  let version = 3
  for (const [name, { dtype }] of graph.initializers)
    version = Math.max(version, inputs.has(name) ? 3 : 4, irVersionOfDtype(dtype))
  return version
}

/** The IR version that brought a data type. */
function irVersionOfDtype(dtype: DType): number {
  if (dtype === 'int2' || dtype === 'uint2') return 13
  if (dtype === 'float8e8m0') return 12
  if (dtype === 'float4e2m1') return 11
  if (dtype === 'int4' || dtype === 'uint4') return 10
  return dtype.startsWith('float8') ? 9 : 3
}

function protoOfGraph(graph: Graph, writeInitializer: TensorWriter): GraphProto {
  const initializers: TensorProto[] = []
  const sparseInitializers: SparseTensorProto[] = []
  for (const [name, value] of graph.initializers) {
    if (isSparse(value)) sparseInitializers.push(protoOfSparse(value, name))
    else
      initializers.push({
        ...writeInitializer(name, value),
        ...unknownOf(graph.initializerFields?.get(name)),
      })
  }
  return {
    nodes: graph.nodes.map(protoOfNode),
    name: graph.name,
    ...(initializers.length > 0 && { initializers }),
    ...(graph.doc !== undefined && { doc: graph.doc }),
    inputs: graph.inputs.map(protoOfValue),
    outputs: graph.outputs.map(protoOfValue),
    values: [...graph.values.values()].map(protoOfValue),
    ...(sparseInitializers.length > 0 && { sparseInitializers }),
    ...(graph.metadata && { metadata: entriesOf(graph.metadata) }),
    ...unknownOf(graph.unknownFields),
  }
}

/** The message of a tensor. */
export function protoOfTensor(name: string, tensor: Tensor): TensorProto {
  const head = { dims: tensor.shape, dataType: numberOfDtype(tensor.dtype), ...(name !== '' && { name }) }
  if (tensor.dtype === 'string') return { ...head, stringData: [...tensor.data] }
  const bytes = tensorBytes(tensor)
  return { ...head, rawData: { offset: 0, length: bytes.length, bytes } }
}

function protoOfSparse({ values, indices, shape }: SparseTensor, name: string): SparseTensorProto {
  return { values: protoOfTensor(name, values), indices: protoOfTensor('', indices), dims: shape }
}

function protoOfValue({ name, type, doc, metadata, unknownFields }: Value): ValueInfoProto {
  return {
    name,
    ...(type && { type: protoOfType(type) }),
    ...(doc !== undefined && { doc }),
    ...(metadata && { metadata: entriesOf(metadata) }),
    ...unknownOf(unknownFields),
  }
}

function protoOfType(type: ValueType): TypeProto {
  switch (type.kind) {
    case 'tensor': {
      const shape = type.shape && { shape: protoOfShape(type.shape, type.dimDenotations) }
      return {
        tensor: { elementType: numberOfDtype(type.dtype), ...shape },
        ...(type.denotation !== undefined && { denotation: type.denotation }),
      }
    }
    case 'sparse':
      return {
        sparse: {
          elementType: numberOfDtype(type.dtype),
          ...(type.shape && { shape: protoOfShape(type.shape, undefined) }),
        },
      }
    case 'sequence':
    case 'optional':
      return { [type.kind]: type.element ? { element: protoOfType(type.element) } : {} }
    case 'map':
      return { map: { key: numberOfDtype(type.key), ...(type.value && { value: protoOfType(type.value) }) } }
    case 'opaque':
      return { opaque: { domain: type.domain, name: type.name } }
  }
}

function protoOfShape(shape: readonly Dim[], denotations: readonly string[] | undefined): ShapeProto {
  return {
    dims: shape.map((dim, axis) => ({
      ...(typeof dim === 'number' && { value: dim }),
      ...(typeof dim === 'string' && { param: dim }),
      ...(denotations?.[axis] && { denotation: denotations[axis] }),
    })),
  }
}

function protoOfNode(node: Node): NodeProto {
  const { name, op, domain, inputs, outputs, attributes, doc, overload, metadata, unknownFields } = node
  return {
    inputs: [...inputs],
    outputs: [...outputs],
    ...(name !== '' && { name }),
    op,
    attributes: [...attributes].map(([key, attribute]) => protoOfAttribute(key, attribute, node)),
    ...(doc !== undefined && { doc }),
    ...(domain !== '' && { domain }),
    ...(overload !== undefined && { overload }),
    ...(metadata && { metadata: entriesOf(metadata) }),
    ...unknownOf(unknownFields),
  }
}

function protoOfAttribute(name: string, attribute: Attribute, node: Node): AttributeProto {
  return {
    name,
    ...attributeFields(attribute, node),
    ...(attribute.doc !== undefined && { doc: attribute.doc }),
    ...unknownOf(attribute.unknownFields),
  }
}

function attributeFields(attribute: Attribute, node: Node): AttributeProto {
  const inner = (graph: Graph): GraphProto => protoOfGraph(graph, protoOfTensor)
  switch (attribute.type) {
    case 'float':
      return { type: 1, f: attribute.value }
    case 'int':
      return { type: 2, i: attribute.value }
    case 'string':
      return { type: 3, s: bytesOf(attribute.value) }
    case 'tensor':
      return { type: 4, t: protoOfTensor('', attribute.value) }
    case 'graph':
      return { type: 5, g: inner(attribute.value) }
    case 'floats':
      return { type: 6, floats: [...attribute.value] }
    case 'ints':
      return { type: 7, ints: attribute.value }
    case 'strings':
      return { type: 8, strings: attribute.value.map(bytesOf) }
    case 'tensors':
      return { type: 9, tensors: attribute.value.map(tensor => protoOfTensor('', tensor)) }
    case 'graphs':
      return { type: 10, graphs: attribute.value.map(inner) }
    case 'sparse_tensor':
      return { type: 11, sparse: protoOfSparse(attribute.value, '') }
    case 'sparse_tensors':
      return { type: 12, sparses: attribute.value.map(sparse => protoOfSparse(sparse, '')) }
    case 'type':
      return { type: 13, tp: protoOfType(attribute.value) }
    case 'types':
      return { type: 14, types: attribute.value.map(protoOfType) }
    default:
      throw new EspalierError('bad-argument', 'an attribute has no known type', {
        where: { node: describeNode(node) },
        got: String((attribute as { type: unknown }).type),
      })
  }
}

function bytesOf(value: string | Uint8Array): Uint8Array {
  return typeof value === 'string' ? utf8.encode(value) : value
}

function entriesOf(entries: ReadonlyMap<string, string>): StringEntry[] {
  return [...entries].map(([key, value]) => ({ key, value }))
}

function unknownOf(fields: Uint8Array | undefined): { readonly unknown?: Uint8Array[] } {
  return fields === undefined ? {} : { unknown: [fields] }
}
