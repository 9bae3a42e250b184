/** From ONNX's messages to the graph: types, attributes, nodes, bodies. Nothing is interpreted, only re-shaped. */
import { EspalierError, locate } from '../../errors.ts'
import {
  type Attribute,
  type AttributeValue,
  type Dim,
  type Graph,
  type Initializer,
  type Node,
  normalizeDomain,
  type Origin,
  type Value,
  type ValueType,
} from '../../graph/graph.ts'
import { decodeText } from '../io/bytes.ts'
import type {
  AttributeProto,
  GraphProto,
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
      hint: 'Is it an ONNX model? A file with one tensor is read with parseTensorProto',
    })
  return { ...graphOfProto(model.graph, opsetsOf(model)), origin: originOf(model) }
}

/** Versions by domain. Throws `malformed` where one domain has two. */
function opsetsOf(model: ModelProto): Opsets {
  const opsets = new Map<string, number>()
  for (const { domain: given = '', version = 0 } of model.opsets ?? []) {
    const domain = normalizeDomain(given)
    const other = opsets.get(domain)
    if (other !== undefined && other !== Number(version))
      throw new EspalierError('malformed', `the model asks for two versions of operator set "${domain}"`, {
        got: `${other} and ${version}`,
      })
    opsets.set(domain, Number(version))
  }
  return opsets
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
    if (name === '') throw new EspalierError('malformed', 'an initialiser has no name')
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
    values: new Map((proto.values ?? []).map(valueOfProto).map(value => [value.name, value])),
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
  return {
    name: proto.name ?? '',
    op: proto.op ?? '',
    domain: normalizeDomain(proto.domain ?? ''),
    inputs: proto.inputs ?? [],
    outputs: proto.outputs ?? [],
    attributes: attributesOf(proto, opsets),
    ...(proto.doc !== undefined && { doc: proto.doc }),
    ...(proto.overload !== undefined && { overload: proto.overload }),
    ...(proto.metadata && { metadata: entriesOf(proto.metadata) }),
    ...unknownOf(proto.unknown),
  }
}

function attributesOf(node: NodeProto, opsets: Opsets): ReadonlyMap<string, Attribute> {
  const attributes = new Map<string, Attribute>()
  for (const proto of node.attributes ?? []) {
    const { name = '' } = proto
    const where = { node: `${node.name || node.outputs?.[0] || '?'} (${node.op ?? '?'})`, field: name }
    locate(where, () => {
      if (attributes.has(name)) throw new EspalierError('malformed', 'two attributes have the same name')
      attributes.set(name, attributeOf(proto, opsets))
    })
  }
  return attributes
}

function attributeOf(proto: AttributeProto, opsets: Opsets): Attribute {
  if (proto.refName !== undefined && proto.refName !== '')
    throw new EspalierError('malformed', 'an attribute refers to a function parameter outside a function')
  return {
    ...attributeValue(proto, opsets),
    ...(proto.doc !== undefined && { doc: proto.doc }),
    ...unknownOf(proto.unknown),
  }
}

/** The field that holds the value of an attribute, by the number of its type. */
const attributeFields = [
  undefined,
  'f',
  'i',
  's',
  't',
  'g',
  'floats',
  'ints',
  'strings',
  'tensors',
  'graphs',
  'sparse',
  'sparses',
  'tp',
  'types',
] as const

/**
 * Value by the declared type, or by the field that is set in files older than the type field. An empty list and a
 * zero need not be written; a value of another type alone is an error.
 */
function attributeValue(proto: AttributeProto, opsets: Opsets): AttributeValue {
  const declared = Number(proto.type ?? 0)
  const field = attributeFields[declared]
  const isPlain = field !== undefined && proto[field] !== undefined
  const filled = isPlain ? [declared] : filledFields(proto)
  const fits = declared === 0 ? filled.length === 1 : filled.length === 0 || filled.includes(declared)
  const value = fits ? valueOfType(declared || filled[0]!, proto, opsets) : undefined
  if (value !== undefined) return value
  throw new EspalierError('malformed', 'an attribute has no value of the type it declares', {
    expected: `a type from 1 to ${attributeFields.length - 1} and a value of that type`,
    got: `type ${declared}, values of types ${filled.join(', ') || 'none'}`,
  })
}

/** Numbers of the types whose fields are set. */
function filledFields(proto: AttributeProto): number[] {
  return attributeFields.flatMap((name, type) => (name && proto[name] !== undefined ? [type] : []))
}

function valueOfType(type: number, proto: AttributeProto, opsets: Opsets): AttributeValue | undefined {
  const graph = (inner: GraphProto): Graph => graphOfProto(inner, opsets)
  switch (attributeFields[type]) {
    case 'f':
      return { type: 'float', value: proto.f ?? 0 }
    case 'i':
      return { type: 'int', value: proto.i ?? 0 }
    case 's':
      return { type: 'string', value: textOrBytes(proto.s ?? new Uint8Array(0)) }
    case 't':
      return proto.t && { type: 'tensor', value: tensorOfProto(proto.t) }
    case 'g':
      return proto.g && { type: 'graph', value: graph(proto.g) }
    case 'floats':
      return { type: 'floats', value: proto.floats ?? [] }
    case 'ints':
      return { type: 'ints', value: proto.ints ?? [] }
    case 'strings':
      return { type: 'strings', value: (proto.strings ?? []).map(textOrBytes) }
    case 'tensors':
      return { type: 'tensors', value: (proto.tensors ?? []).map(tensorOfProto) }
    case 'graphs':
      return { type: 'graphs', value: (proto.graphs ?? []).map(graph) }
    case 'sparse':
      return proto.sparse && { type: 'sparse_tensor', value: sparseOfProto(proto.sparse) }
    case 'sparses':
      return { type: 'sparse_tensors', value: (proto.sparses ?? []).map(sparseOfProto) }
    case 'tp': {
      const value = proto.tp && typeOf(proto.tp)
      return value && { type: 'type', value }
    }
    case 'types': {
      const types = (proto.types ?? []).map(typeOf)
      return types.includes(undefined) ? undefined : { type: 'types', value: types as ValueType[] }
    }
    case undefined:
      return undefined
  }
}

function textOrBytes(bytes: Uint8Array): string | Uint8Array {
  try {
    return decodeText(bytes)
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
