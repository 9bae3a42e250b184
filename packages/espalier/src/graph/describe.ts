/** Types and values in words, for messages, tables and dumps. */
import { formatShape } from '../tensor/shape.ts'
import type { Value, ValueType } from './graph.ts'

/** `"input" (float32 batchx3x224x224)`. */
export function describeValue({ name, type }: Value): string {
  return type === undefined ? `"${name}"` : `"${name}" (${describeType(type)})`
}

/** A type in words: `float32 1x3x224x224`, `sequence of float32`. */
export function describeType(type: ValueType): string {
  switch (type.kind) {
    case 'tensor':
    case 'sparse': {
      const shape = type.shape ? ` ${formatShape(type.shape)}` : ' of unknown rank'
      return `${type.kind === 'sparse' ? 'sparse ' : ''}${type.dtype}${shape}`
    }
    case 'sequence':
    case 'optional':
      return `${type.kind} of ${type.element ? describeType(type.element) : 'unknown'}`
    case 'map':
      return `map from ${type.key} to ${type.value ? describeType(type.value) : 'unknown'}`
    case 'opaque':
      return `opaque ${type.domain}.${type.name}`
  }
}
