/**
 * An executor: a way to run graphs. The one interface that the reference executor implements and that faster ones
 * (WebAssembly, native) will; a conformance suite runs every operator case on each.
 */
import type { Graph } from '../graph/graph.ts'
import type { Operators } from '../ops/op.ts'
import type { RuntimeValue } from '../tensor/tensor.ts'

/** Values by name. */
export type Values = ReadonlyMap<string, RuntimeValue>

/** Values by name, as a caller writes them: a map or a plain object. */
export type Feeds = Values | Readonly<Record<string, RuntimeValue>>

export interface PrepareOptions {
  /** Operators to use instead of the library's own. */
  readonly operators?: Operators
  /** Values to return; the graph's outputs when left out. Any value of the graph can be asked for. */
  readonly outputs?: readonly string[]
  /** Seed of operators that draw random numbers. */
  readonly seed?: number
  /** Called after every node of the outermost graph, with the fraction done. */
  readonly onProgress?: (done: number, total: number) => void
}

/** A graph made ready to run. Holds memory until disposed. */
export interface Prepared {
  /** Runs once. Throws `missing-input`, `unknown-input`, `bad-shape`, `bad-dtype`, or what an operator throws. */
  run(feeds: Feeds): Values
  dispose(): void
}

export interface Executor {
  /** As in `session(graph, { backend })`. */
  readonly name: string
  /** Whether it works here; when not, why. */
  available(): { readonly ok: true } | { readonly ok: false; readonly reason: string }
  /** Throws `unsupported-op` with every operator that is missing. */
  prepare(graph: Graph, options?: PrepareOptions): Prepared
}
