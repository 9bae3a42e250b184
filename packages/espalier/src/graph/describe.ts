/** Types and values in words, for messages, tables and dumps. */
import type { Dim, Value, ValueType } from './graph.ts'

/** `"input" (float32 batchx3x224x224)`. */
export function describeValue({ name, type }: Value): string {
  return type === undefined ? `"${name}"` : `"${name}" (${describeType(type)})`
}

/** A type in words: `float32 1x3x224x224`, `float32 batchx(2*height+1)`, `sequence of float32 of unknown rank`. */
export function describeType(type: ValueType): string {
  switch (type.kind) {
    case 'tensor':
    case 'sparse': {
      const shape = type.shape ? ` ${describeDims(type.shape)}` : ' of unknown rank'
      return `${type.kind === 'sparse' ? 'sparse ' : ''}${type.dtype}${shape}`
    }
    case 'sequence':
    case 'optional':
      return `${type.kind} of ${type.element ? describeType(type.element) : 'unknown'}`
    case 'map':
      return `map from ${type.key} to ${type.value ? describeType(type.value) : 'unknown'}`
    case 'opaque':
      return `opaque ${type.domain === '' ? '' : `${type.domain}.`}${type.name}`
  }
}

/** A shape in words, as `batchx3x(2*n+1)x?`: what is not one word stands in parentheses; `scalar` for no axes. */
export function describeDims(shape: readonly Dim[]): string {
  if (shape.length === 0) return 'scalar'
  return shape.map(describeDim).join('x')
}

function describeDim(dim: Dim): string {
  if (dim === null) return '?'
  return /^[\w.]+$/.test(`${dim}`) ? `${dim}` : `(${dim})`
}
