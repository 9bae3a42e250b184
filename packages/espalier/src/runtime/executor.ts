/**
 * An executor: a way to run graphs, one call at a time. The reference, WebAssembly and native kernels implement this one
 * interface; executor.suite.ts says what all of them keep, and every operator case runs on each. Programs use sessions
 * (session.ts), which choose one and run beside the event loop.
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
  /**
   * Values to return, in this order; the graph's outputs when left out. Any value of the outermost graph can be asked
   * for, and only what these need is run.
   */
  readonly outputs?: readonly string[]
  /** Seed of operators that draw random numbers; 0 when left out. What a node draws depends on it and on the node's name. */
  readonly seed?: number
  /** Iterations after which a `Loop` that has not ended is an error; without it, a loop may run for ever. */
  readonly maxIterations?: number
  /** Called after every node of the outermost graph, with the number of nodes done and of all. */
  readonly onProgress?: (done: number, total: number) => void
}

/** A graph made ready to run. Holds memory until disposed. */
export interface Prepared extends Disposable {
  /**
   * Runs once. Feeds are not written to, and may be part of what comes back. Throws `missing-input`, `unknown-input`,
   * `bad-shape`, `bad-dtype`, what an operator throws, with the name of the node, and `disposed`.
   */
  run(feeds: Feeds): Values
  /** Gives the memory back; may be called again. */
  dispose(): void
}

export interface Executor {
  /** As in `session(graph, { backend })`. */
  readonly name: string
  /** Whether it works here; when not, why. */
  available(): { readonly ok: true } | { readonly ok: false; readonly reason: string }
  /**
   * Throws `unsupported-op` with every operator that is missing, `bad-argument` for an output that the graph does not
   * have.
   */
  prepare(graph: Graph, options?: PrepareOptions): Prepared
}
