/**
 * What is known of a value that has one type or another: one of two branches, one of many iterations, any
 * element of a sequence. Only what is true of both remains.
 */
import { sameDim } from '../../graph/dim.ts'
import type { Dim, ValueType } from '../../graph/graph.ts'

/** What two types have in common; `a` itself when nothing is lost, `undefined` when nothing is left. */
export function joinTypes(a: ValueType | undefined, b: ValueType | undefined): ValueType | undefined {
  if (a === undefined || b === undefined) return undefined
  // A value and an optional of it are the same thing at run time: the wider type covers both.
  if (a.kind === 'optional' && b.kind !== 'optional') return joinTypes(a, { kind: 'optional', element: b })
  if (b.kind === 'optional' && a.kind !== 'optional') return joinTypes({ kind: 'optional', element: a }, b)
  if (a.kind === 'tensor' || a.kind === 'sparse') {
    if (a.kind !== b.kind || a.dtype !== b.dtype) return undefined
    if (a.shape === undefined) return a
    const shape = b.shape && joinShapes(a.shape, b.shape)
    if (shape === a.shape) return a
    return { kind: a.kind, dtype: a.dtype, ...(shape && { shape }) }
  }
  if (a.kind === 'sequence' || a.kind === 'optional') {
    if (a.kind !== b.kind) return undefined
    const element = joinTypes(a.element, b.element)
    if (element === a.element) return a
    return { kind: a.kind, ...(element && { element }) }
  }
  // Maps and opaque types: no operator works on them, so that they are the same or not.
  return JSON.stringify(a) === JSON.stringify(b) ? a : undefined
}

/** Extents that both shapes have; `a` itself when equal, `undefined` when the ranks differ. */
function joinShapes(a: readonly Dim[], b: readonly Dim[]): readonly Dim[] | undefined {
  if (a.length !== b.length) return undefined
  if (a.every((extent, axis) => extent === null || sameDim(extent, b[axis]!))) return a
  return a.map((extent, axis) => (sameDim(extent, b[axis]!) ? extent : null))
}

/** The type without any shape in it. */
export function withoutShapes(type: ValueType): ValueType {
  switch (type.kind) {
    case 'tensor':
    case 'sparse':
      return { kind: type.kind, dtype: type.dtype }
    case 'sequence':
    case 'optional':
      return { kind: type.kind, ...(type.element && { element: withoutShapes(type.element) }) }
    default:
      return type
  }
}

/** Type of the elements of a sequence, or of what an optional holds. */
export function elementType(type: ValueType | undefined): ValueType | undefined {
  return type?.kind === 'sequence' || type?.kind === 'optional' ? type.element : undefined
}

/** The sequence of such elements. */
export function sequenceOf(element: ValueType | undefined): ValueType {
  return { kind: 'sequence', ...(element && { element }) }
}
