/**
 * Analysis of nonsense, for every operator: it ends with types or an `EspalierError`, soon and in little memory.
 * Constants are computed on the way, and none of them may run for ever or take what it likes.
 */
import { fuzzSuite } from '../formats/fuzz.suite.ts'
import { choicesOf } from '../formats/mutations.suite.ts'
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
  infer(graph)
  statistics(graph)
  foldConstants(graph)
}

fuzzSuite({
  name: 'analysis',
  seeds: [new Uint8Array(8)],
  structural: { 'another case': (_, { int }) => Uint8Array.from({ length: 8 }, () => int(256)) },
  structuralOnly: true,
  parse: analyse,
  allowedBytes: () => 2 ** 24,
})
