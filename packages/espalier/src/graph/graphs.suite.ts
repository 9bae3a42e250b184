/** Small graphs for tests of what works on graphs. */
import { float32, type Tensor, tensor } from '../tensor/tensor.ts'
import { type GraphBuilder, graphBuilder, type Handle } from './builder.ts'
import type { Graph } from './graph.ts'

/** A graph from what `build` does; it returns the outputs. */
export function graphOf(build: (g: GraphBuilder) => Handle | readonly Handle[], name = 'graph'): Graph {
  const g = graphBuilder({ name })
  const outputs = build(g)
  for (const output of Array.isArray(outputs) ? outputs : [outputs]) g.output(output)
  return g.build()
}

/** A value of a graph around the one being built. */
export function outer(name: string): Handle {
  return { name }
}

export function bool(value: boolean): Tensor<'bool'> {
  return tensor('bool', [], Uint8Array.of(value ? 1 : 0))
}

/** `y` is `x`, of `length` numbers, after `count` times `op`. */
export function chain(count: number, op = 'Relu', length = 2): Graph {
  return graphOf(g => {
    let value = g.input('x', 'float32', [length])
    for (let i = 1; i < count; i++) value = g.node(op, [value])
    return g.node(op, [value], {}, { outputs: ['y'] })
  })
}

/** `y` is `x + 1` or `x`, as `c` says: an `If` whose branches take `x` from outside. */
export function choice(): Graph {
  return graphOf(g => {
    const condition = g.input('c', 'bool', [])
    g.input('x', 'float32', [2])
    const branches = {
      then_branch: graphOf(b => b.node('Add', [outer('x'), b.constant(float32([1]), 'one')]), 'then'),
      else_branch: graphOf(() => outer('x'), 'else'),
    }
    return g.node('If', [condition], branches, { name: 'if', outputs: ['y'] })
  })
}
