/** What a caller has to do with a graph's inputs: which of them are really constants, and what their extents are called. */
import type { Dim, Graph, Value } from './graph.ts'

/** The first IR version in which an initialiser need not be an input; before, all had to be listed as inputs too. */
const CONSTANTS_APART = 4

/** Names of initialisers that are only defaults: inputs have the same names, and a caller may feed those. */
export function defaultsOf(graph: Graph): ReadonlySet<string> {
  if ((graph.origin?.irVersion ?? CONSTANTS_APART) < CONSTANTS_APART) return new Set()
  return new Set(graph.inputs.map(({ name }) => name).filter(name => graph.initializers.has(name)))
}

/** Inputs that a caller may feed. */
export function feedableInputs(graph: Graph): Value[] {
  const defaults = defaultsOf(graph)
  return graph.inputs.filter(({ name }) => !graph.initializers.has(name) || defaults.has(name))
}

/** What exporters write where they know nothing: it names no extent, and may stand for several different ones. */
const NO_NAME = /^(\?|-1|none|unknown)$/i

/**
 * The shape of an input, in which an unknown extent (`null`, or a placeholder such as `?`) has a symbol of its own,
 * `NAME_dimK`, so that it can be given a value. `undefined` for an input that is no tensor or of unknown rank.
 */
export function inputShape({ name, type }: Value): readonly Dim[] | undefined {
  if (type?.kind !== 'tensor') return undefined
  return type.shape?.map((dim, axis) =>
    dim === null || (typeof dim === 'string' && NO_NAME.test(dim)) ? `${name}_dim${axis}` : dim,
  )
}
