/**
 * Extents from the inputs: `Shape` of a value in the middle of the graph becomes arithmetic on shapes of the graph's
 * inputs, as far as their symbols say it. Nothing then keeps a value alive, or apart from its neighbours, only because
 * somebody asks how large it is.
 */

import { type Dim, tensorType } from '../../../graph/graph.ts'
import { parse, splitAtoms, unquote } from '../../../graph/polynomial.ts'
import { int64 } from '../../../tensor/tensor.ts'
import type { Draft, NodeRule, RuleContext } from '../rule.ts'

/** Terms of an extent beyond which arithmetic is not worth it. */
const MOST_TERMS = 4

export const shapeFromInputs: NodeRule = {
  name: 'shape-from-inputs',
  at: ['Shape'],
  apply(node, c) {
    const [x, shape] = [node.inputs[0]!, c.shape(node.inputs[0])]
    if (shape === undefined || c.made(x) === undefined || shape.length === 0) return undefined
    const attributes = c.attributes(node)
    const [start, end] = [attributes.optionalInt('start') ?? 0, attributes.optionalInt('end')]
    const dims = shape.slice(start, end)
    const sources = symbolSources(c)
    const terms = dims.map(dim => termsOf(dim, sources))
    if (dims.length === 0 || terms.some(list => list === undefined)) return undefined
    const draft = c.draft()
    const pieces = terms.map(list => sumOf(draft, list!, sources))
    draft.node('Concat', pieces, { axis: 0 }, { output: node.outputs[0]!, name: node.name })
    return draft.done()
  },
}

interface Source {
  readonly input: string
  readonly axis: number
}

interface Term {
  readonly coefficient: number
  readonly symbols: readonly string[]
}

/** Inputs whose extents are symbols of their own. */
function symbolSources(c: RuleContext): ReadonlyMap<string, Source> {
  const sources = new Map<string, Source>()
  for (const input of c.inputs)
    for (const [axis, dim] of (c.shape(input) ?? []).entries())
      if (typeof dim === 'string' && !sources.has(dim)) sources.set(dim, { input, axis })
  return sources
}

/** An extent as a sum of products of symbols that inputs have; the whole of it counts as a symbol too. */
function termsOf(dim: Dim, sources: ReadonlyMap<string, Source>): readonly Term[] | undefined {
  if (dim === null) return undefined
  if (typeof dim === 'number') return [{ coefficient: dim, symbols: [] }]
  if (sources.has(dim)) return [{ coefficient: 1, symbols: [dim] }]
  const polynomial = parse(dim)
  if (polynomial.size > MOST_TERMS) return undefined
  const terms = Array.from(polynomial, ([key, coefficient]) => ({
    coefficient,
    symbols: splitAtoms(key).map(unquote),
  }))
  return terms.every(({ symbols }) => symbols.every(symbol => sources.has(symbol))) ? terms : undefined
}

const one = tensorType('int64', [1])

/** Nodes that compute a sum of products; gives the name of a vector with one element. */
function sumOf(draft: Draft, terms: readonly Term[], sources: ReadonlyMap<string, Source>): string {
  const products = terms.map(({ coefficient, symbols }) => {
    const factors = symbols.map(symbol => extentOf(draft, sources.get(symbol)!))
    if (coefficient !== 1 || factors.length === 0)
      factors.push(draft.constant(int64([coefficient]), 'extent'))
    return factors.reduce((a, b) => draft.node('Mul', [a, b], {}, { type: one }))
  })
  return products.reduce((a, b) => draft.node('Add', [a, b], {}, { type: one }))
}

function extentOf(draft: Draft, { input, axis }: Source): string {
  const shape = draft.node('Shape', [input], {}, { type: tensorType('int64', [null]) })
  const index = draft.constant(int64([axis]), 'axis')
  return draft.node('Gather', [shape, index], { axis: 0 }, { type: one })
}
