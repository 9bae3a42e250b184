/** Joining what a graph states about a value with what its operators give. */
import type { Dim, TensorType, ValueType } from '../graph/graph.ts'

/**
 * Everything that two types of one value say; `undefined` when they contradict each other. Numbers win over symbols, and
 * where both have a symbol the inferred one wins: it is one of the inputs.
 */
export function mergeTypes(inferred: ValueType, stated: ValueType): ValueType | undefined {
  if (inferred.kind === 'tensor' && stated.kind === 'tensor') return mergeTensorTypes(inferred, stated)
  // A value stands for an optional of it: a loop that starts from an optional may carry the value from then on.
  if (inferred.kind === 'optional' && stated.kind !== 'optional')
    return inferred.element === undefined ? stated : mergeTypes(inferred.element, stated)
  if (inferred.kind !== stated.kind) return undefined
  if (stated.kind !== 'sequence' && stated.kind !== 'optional') return inferred
  const { element } = inferred as typeof stated
  if (element === undefined || stated.element === undefined) return element === undefined ? stated : inferred
  const merged = mergeTypes(element, stated.element)
  return merged && { kind: stated.kind, element: merged }
}

function mergeTensorTypes(inferred: TensorType, stated: TensorType): TensorType | undefined {
  if (inferred.dtype !== stated.dtype) return undefined
  if (inferred.shape === undefined || stated.shape === undefined)
    return inferred.shape === undefined ? stated : { ...stated, shape: inferred.shape }
  if (inferred.shape.length !== stated.shape.length) return undefined
  const shape: Dim[] = []
  for (const [axis, dim] of inferred.shape.entries()) {
    const other = stated.shape[axis]!
    if (typeof dim === 'number' && typeof other === 'number' && dim !== other) return undefined
    shape.push(dim === null || typeof other === 'number' ? other : dim)
  }
  return { ...stated, shape }
}

/** A type with `change` made to every extent in it. */
export function mapDims(type: ValueType, change: (dim: Dim) => Dim): ValueType {
  switch (type.kind) {
    case 'tensor':
    case 'sparse':
      return type.shape === undefined ? type : withShape(type, type.shape.map(change))
    case 'sequence':
    case 'optional':
      return type.element === undefined ? type : { ...type, element: mapDims(type.element, change) }
    default:
      return type
  }
}

/** The type itself where nothing has changed. */
function withShape<T extends { readonly shape?: readonly Dim[] }>(type: T, shape: readonly Dim[]): T {
  return shape.every((dim, axis) => dim === type.shape![axis]) ? type : { ...type, shape }
}
