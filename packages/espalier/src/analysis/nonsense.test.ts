/**
 * Analysis of nonsense, for every operator: it ends with types or an `EspalierError`, soon and in little memory.
 * Constants are computed on the way, and none of them may run for ever or take what it likes.
 */
import { fuzzSuite } from '../formats/fuzz.suite.ts'
import { choicesOf } from '../formats/mutations.suite.ts'
import type { ValueType } from '../graph/graph.ts'
import { checkModel } from './check.ts'
import { foldConstants } from './fold.ts'
import { infer } from './infer.ts'
import { nonsense } from './nonsense.suite.ts'
import { statistics } from './statistics.ts'

/** A case is eight bytes, from which its graph is made: so the harness repeats it alone. */
function analyse(seed: Uint8Array): void {
  const view = new DataView(seed.buffer, seed.byteOffset)
  const graph = nonsense(choicesOf(view.getInt32(0, true), view.getInt32(4, true)))
  checkModel(graph)
  for (const [name, type] of infer(graph).types) requireExtents(name, type)
  statistics(graph)
  foldConstants(graph)
}

/** Extents are numbers of elements, expressions, or not known; whatever else stands there was made up on the way. */
function requireExtents(name: string, type: ValueType): void {
  if (type.kind === 'sequence' || type.kind === 'optional') {
    if (type.element) requireExtents(name, type.element)
  } else if (type.kind === 'tensor')
    for (const dim of type.shape ?? [])
      if (typeof dim !== 'string' && dim !== null && !(Number.isSafeInteger(dim) && dim >= 0))
        throw new Error(`"${name}" has an extent of ${dim}`)
}

fuzzSuite({
  name: 'analysis',
  seeds: [new Uint8Array(8)],
  structural: { 'another case': (_, { int }) => Uint8Array.from({ length: 8 }, () => int(256)) },
  structuralOnly: true,
  parse: analyse,
  allowedBytes: () => 2 ** 24,
})
