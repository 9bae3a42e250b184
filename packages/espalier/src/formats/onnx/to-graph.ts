/** From ONNX's messages to the graph: types, attributes, nodes, bodies. Nothing is interpreted, only re-shaped. */
import { EspalierError } from '../../errors.ts'
import type {
  Attribute,
  AttributeValue,
  Dim,
  Graph,
  Initializer,
  Node,
  Origin,
  Value,
  ValueType,
} from '../../graph/graph.ts'
import type {
  AttributeProto,
  GraphProto,
  Integers,
  ModelProto,
  NodeProto,
  ShapeProto,
  StringEntry,
  TypeProto,
  ValueInfoProto,
} from './proto.ts'
import { dtypeOfNumber, sparseOfProto, tensorOfProto } from './tensor-proto.ts'

type Opsets = ReadonlyMap<string, number>

/** The graph of a model whose payloads are loaded and whose functions are inlined. */
export function graphOfModel(model: ModelProto): Graph {
  if (model.graph === undefined)
    throw new EspalierError('malformed', 'the file holds no graph', {
      hint: 'Is it an ONNX model? A tensor file (.pb) is read with readTensorProto',
    })
  const opsets = new Map<string, number>()
  for (const { domain = '', version = 0 } of model.opsets ?? [])
    opsets.set(domain === 'ai.onnx' ? '' : domain, Number(version))
  return { ...graphOfProto(model.graph, opsets), origin: originOf(model) }
}

function originOf(model: ModelProto): Origin {
  return {
    ...(model.irVersion !== undefined && { irVersion: Number(model.irVersion) }),
    ...(model.producer !== undefined && { producer: model.producer }),
    ...(model.producerVersion !== undefined && { producerVersion: model.producerVersion }),
    ...(model.domain !== undefined && { domain: model.domain }),
    ...(model.modelVersion !== undefined && { modelVersion: model.modelVersion }),
    ...(model.doc !== undefined && { doc: model.doc }),
    ...(model.metadata && { metadata: entriesOf(model.metadata) }),
    ...unknownOf(model.unknown),
  }
}

function graphOfProto(proto: GraphProto, opsets: Opsets): Graph {
  const initializers = new Map<string, Initializer>()
  const add = (name: string, value: Initializer): void => {
    if (initializers.has(name))
      throw new EspalierError('malformed', 'two initialisers have the same name', { where: { tensor: name } })
    initializers.set(name, value)
  }
  const initializerFields = new Map<string, Uint8Array>()
  for (const tensor of proto.initializers ?? []) {
    const name = tensor.name ?? ''
    add(name, tensorOfProto(tensor))
    const extra = extraOfTensor(tensor.doc, tensor.unknown)
    if (extra !== undefined) initializerFields.set(name, extra)
  }
  for (const sparse of proto.sparseInitializers ?? []) add(sparse.values?.name ?? '', sparseOfProto(sparse))
  return {
    name: proto.name ?? '',
    inputs: (proto.inputs ?? []).map(valueOfProto),
    outputs: (proto.outputs ?? []).map(valueOfProto),
    nodes: (proto.nodes ?? []).map(node => nodeOf(node, opsets)),
    initializers,
    values: new Map((proto.values ?? []).map(value => [value.name ?? '', valueOfProto(value)])),
    opsets,
    ...(proto.doc !== undefined && { doc: proto.doc }),
    ...(proto.metadata && { metadata: entriesOf(proto.metadata) }),
    ...(initializerFields.size > 0 && { initializerFields }),
    ...unknownOf(proto.unknown),
  }
}

/** Doc string and unknown fields of an initialiser, as they stand in the file. */
function extraOfTensor(
  doc: string | undefined,
  unknown: readonly Uint8Array[] | undefined,
): Uint8Array | undefined {
  const parts = [...(unknown ?? [])]
  if (doc !== undefined) {
    const bytes = new TextEncoder().encode(doc)
    parts.unshift(Uint8Array.from([(12 << 3) | 2, ...varint(bytes.length), ...bytes]))
  }
  return unknownOf(parts).unknownFields
}

function varint(value: number): number[] {
  const bytes: number[] = []
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) + 0x80)
  return [...bytes, value]
}

function valueOfProto(proto: ValueInfoProto): Value {
  const type = proto.type && typeOf(proto.type)
  return {
    name: proto.name ?? '',
    ...(type && { type }),
    ...(proto.doc !== undefined && { doc: proto.doc }),
    ...(proto.metadata && { metadata: entriesOf(proto.metadata) }),
    ...unknownOf(proto.unknown),
  }
}

/** The type that a message states; `undefined` when it states none. */
function typeOf(proto: TypeProto): ValueType | undefined {
  const { tensor, sparse, sequence, optional, map, opaque, denotation } = proto
  const named = denotation !== undefined ? { denotation } : {}
  if (tensor) {
    const dims = tensor.shape?.dims
    const denotations = dims?.some(dim => dim.denotation !== undefined)
    return {
      kind: 'tensor',
      dtype: dtypeOfNumber(tensor.elementType),
      ...(tensor.shape && { shape: shapeOf(tensor.shape) }),
      ...(denotations && { dimDenotations: dims!.map(dim => dim.denotation ?? '') }),
      ...named,
    }
  }
  if (sparse)
    return {
      kind: 'sparse',
      dtype: dtypeOfNumber(sparse.elementType),
      ...(sparse.shape && { shape: shapeOf(sparse.shape) }),
    }
  const container = sequence ?? optional
  if (container) {
    const element = container.element && typeOf(container.element)
    return { kind: sequence ? 'sequence' : 'optional', ...(element && { element }) }
  }
  if (map) {
    const value = map.value && typeOf(map.value)
    return { kind: 'map', key: dtypeOfNumber(map.key), ...(value && { value }) }
  }
  return opaque && { kind: 'opaque', domain: opaque.domain ?? '', name: opaque.name ?? '' }
}

function shapeOf(proto: ShapeProto): Dim[] {
  return (proto.dims ?? []).map(({ value, param }) => {
    if (value !== undefined) {
      // Some exporters write an unknown extent as -1 or 0x7fff...; neither is an extent.
      const extent = Number(value)
      return extent >= 0 && Number.isSafeInteger(extent) ? extent : null
    }
    return param === undefined || param === '' ? null : param
  })
}

function nodeOf(proto: NodeProto, opsets: Opsets): Node {
  const { domain = '' } = proto
  const node: Node = {
    name: proto.name ?? '',
    op: proto.op ?? '',
    domain: domain === 'ai.onnx' ? '' : domain,
    inputs: proto.inputs ?? [],
    outputs: proto.outputs ?? [],
    attributes: new Map(
      (proto.attributes ?? []).map(attribute => [
        attribute.name ?? '',
        attributeOf(attribute, proto, opsets),
      ]),
    ),
    ...(proto.doc !== undefined && { doc: proto.doc }),
    ...(proto.overload !== undefined && { overload: proto.overload }),
    ...(proto.metadata && { metadata: entriesOf(proto.metadata) }),
    ...unknownOf(proto.unknown),
  }
  return node
}

function attributeOf(proto: AttributeProto, node: NodeProto, opsets: Opsets): Attribute {
  const where = {
    node: `${node.name || node.outputs?.[0] || '?'} (${node.op ?? '?'})`,
    field: proto.name ?? '',
  }
  const fail = (summary: string): EspalierError => new EspalierError('malformed', summary, { where })
  if (proto.refName !== undefined && proto.refName !== '')
    throw fail('an attribute refers to a function parameter outside a function')
  const value = attributeValue(proto, opsets)
  if (value === undefined) throw fail('an attribute has no value')
  return {
    ...value,
    ...(proto.doc !== undefined && { doc: proto.doc }),
    ...unknownOf(proto.unknown),
  }
}

/** Value by the declared type, or by the field that is set in files older than the type field. */
function attributeValue(proto: AttributeProto, opsets: Opsets): AttributeValue | undefined {
  const graph = (inner: GraphProto): Graph => graphOfProto(inner, opsets)
  switch (Number(proto.type ?? 0) || impliedType(proto)) {
    case 1:
      return { type: 'float', value: proto.f ?? 0 }
    case 2:
      return { type: 'int', value: proto.i ?? 0 }
    case 3:
      return { type: 'string', value: textOrBytes(proto.s ?? new Uint8Array(0)) }
    case 4:
      return proto.t && { type: 'tensor', value: tensorOfProto(proto.t) }
    case 5:
      return proto.g && { type: 'graph', value: graph(proto.g) }
    case 6:
      return { type: 'floats', value: proto.floats ?? [] }
    case 7:
      return { type: 'ints', value: (proto.ints ?? []) as Integers }
    case 8:
      return { type: 'strings', value: (proto.strings ?? []).map(textOrBytes) }
    case 9:
      return { type: 'tensors', value: (proto.tensors ?? []).map(tensorOfProto) }
    case 10:
      return { type: 'graphs', value: (proto.graphs ?? []).map(graph) }
    case 11:
      return proto.sparse && { type: 'sparse_tensor', value: sparseOfProto(proto.sparse) }
    case 12:
      return { type: 'sparse_tensors', value: (proto.sparses ?? []).map(sparseOfProto) }
    case 13: {
      const type = proto.tp && typeOf(proto.tp)
      return type && { type: 'type', value: type }
    }
    case 14: {
      const types = (proto.types ?? []).map(typeOf)
      return types.includes(undefined) ? undefined : { type: 'types', value: types as ValueType[] }
    }
    default:
      return undefined
  }
}

function impliedType(proto: AttributeProto): number {
  const fields = [
    [1, proto.f],
    [2, proto.i],
    [3, proto.s],
    [4, proto.t],
    [5, proto.g],
    [6, proto.floats],
    [7, proto.ints],
    [8, proto.strings],
    [9, proto.tensors],
    [10, proto.graphs],
    [11, proto.sparse],
    [12, proto.sparses],
    [13, proto.tp],
    [14, proto.types],
  ] as const
  return fields.find(([, value]) => value !== undefined)?.[0] ?? 0
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function textOrBytes(bytes: Uint8Array): string | Uint8Array {
  try {
    return utf8.decode(bytes)
  } catch {
    return bytes
  }
}

function entriesOf(entries: readonly StringEntry[]): ReadonlyMap<string, string> {
  return new Map(entries.map(({ key = '', value = '' }) => [key, value]))
}

/** Unknown fields joined into one run of bytes. */
function unknownOf(parts: readonly Uint8Array[] | undefined): { readonly unknownFields?: Uint8Array } {
  if (parts === undefined || parts.length === 0) return {}
  const joined = new Uint8Array(parts.reduce((total, part) => total + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return { unknownFields: joined }
}
