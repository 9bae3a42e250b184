/** The symbolic dimensions that a caller of a model may choose: those of its inputs (see graph/inputs.ts). */
import { symbolsOf } from '../graph/dim.ts'
import type { Dim, Graph } from '../graph/graph.ts'
import { inputShape } from '../graph/inputs.ts'

/** Symbols of the inputs, in order of appearance. Inputs with a default among the initialisers do not count. */
export function inputSymbols(graph: Graph): string[] {
  return [...new Set(shapesOf(graph).flatMap(shape => shape.flatMap(symbolsOf)))]
}

/** Symbols that stand only for the outermost extent of inputs, as a batch does, and so can be 1 without harm. */
export function batchSymbols(graph: Graph): string[] {
  const dims = shapesOf(graph)
  const elsewhere = new Set(
    dims.flatMap(([first, ...rest]) => (isSymbol(first) ? rest : [first ?? 1, ...rest]).flatMap(symbolsOf)),
  )
  const first = dims.flatMap(([dim]) => (isSymbol(dim) ? symbolsOf(dim) : []))
  return [...new Set(first)].filter(symbol => !elsewhere.has(symbol))
}

function shapesOf(graph: Graph): (readonly Dim[])[] {
  return graph.inputs
    .filter(({ name }) => !graph.initializers.has(name))
    .map(input => inputShape(input) ?? [])
}

/** Whether an extent is one symbol and not an expression over some. */
function isSymbol(dim: Dim | undefined): dim is string {
  return typeof dim === 'string' && symbolsOf(dim)[0] === dim
}
