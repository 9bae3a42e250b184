/** What tests of rules share: small graphs, the operators that remain, and that nothing else has changed. */
import { expect } from 'vitest'
import { annotate } from '../../analysis/infer.ts'
import { floatAttribute, type GraphBuilder, graphBuilder, type Handle } from '../../graph/builder.ts'
import { type Graph, operatorName } from '../../graph/graph.ts'

import { validate } from '../../graph/validate.ts'
import { numbers } from '../../tensor/elements.ts'
import { normal, randomKey } from '../../tensor/random.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { isTensor, type Tensor, tensor } from '../../tensor/tensor.ts'
import { firstDifference } from '../../tensor/testing.ts'
import { requiredInputs } from '../feeds.ts'
import { randomFeeds } from '../random-feeds.ts'
import { runReference } from '../reference.ts'
import { applyRules } from './apply.ts'
import type { NodeRule } from './rule.ts'

/** A builder with shorthands for what exported models are made of. */
export interface Sketch extends GraphBuilder {
  /** A float32 constant of one element. */
  scalar(value: number): Handle
  /** Random numbers as a float32 constant, the same for the same shape. */
  weights(shape: readonly number[], seed?: number): Handle
  /** Positive ones. */
  variances(shape: readonly number[]): Handle
  ints(values: readonly number[]): Handle
}

export function sketch(
  build: (g: Sketch) => Handle | readonly Handle[],
  { opset = 17 }: { readonly opset?: number } = {},
): Graph {
  const builder = graphBuilder({ opset, opsets: { espalier: 1 } })
  const constantOf = (shape: readonly number[], values: Float64Array): Handle =>
    builder.constant(tensor('float32', shape, Float32Array.from(values)))
  const g: Sketch = {
    ...builder,
    scalar: value => builder.constant(tensor('float32', [], Float32Array.of(value))),
    weights: (shape, seed = 1) => constantOf(shape, normal(randomKey(seed), sizeOf(shape))),
    variances: shape =>
      constantOf(
        shape,
        normal(randomKey(7), sizeOf(shape)).map(value => 0.5 + value ** 2),
      ),
    ints: values => builder.constant(tensor('int64', [values.length], BigInt64Array.from(values, BigInt))),
  }
  const outputs = build(g)
  for (const output of 'name' in outputs ? [outputs] : outputs) g.output(output)
  return g.build()
}

/** Operators of a graph in order. */
export function operatorsIn(graph: Graph): string {
  return graph.nodes.map(operatorName).join(' ')
}

/** How often each operator occurs, by name. */
export function countsOf(graph: Graph): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of graph.nodes.map(operatorName).sort()) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

export interface CheckOptions {
  readonly symbols?: Readonly<Record<string, number>>
  readonly feeds?: Readonly<Record<string, Tensor>>
  /** Relative and absolute; 1e-5 when left out. */
  readonly tolerance?: number
}

/** Applies rules and expects these operators to remain, valid and with the same results. */
export function expectRewrite(
  graph: Graph,
  rules: readonly NodeRule[],
  remaining: string,
  options: CheckOptions = {},
): Graph {
  const result = applyRules(annotate(graph), rules)
  expect(operatorsIn(result)).toBe(remaining)
  expectSameResults(graph, result, options)
  return result
}

/** Expects two graphs to give the same for random inputs. */
export function expectSameResults(
  before: Graph,
  after: Graph,
  { symbols = {}, feeds = {}, tolerance = 1e-5 }: CheckOptions = {},
): void {
  validate(after)
  expect(after.outputs.map(({ name }) => name)).toEqual(before.outputs.map(({ name }) => name))
  const open = requiredInputs(before).filter(({ name }) => !(name in feeds))
  const all = new Map<string, Tensor>([
    ...randomFeeds(open, { symbols: new Map(Object.entries(symbols)) }),
    ...Object.entries(feeds),
  ])
  const wanted = runReference(before, all)
  for (const [name, value] of runReference(after, all)) {
    const other = wanted.get(name)
    if (!isTensor(value) || !isTensor(other)) throw new Error(`${name} is no tensor`)
    expect(value.shape).toEqual(other.shape)
    const bounds = { relative: tolerance, absolute: tolerance }
    expect(`${name}: ${firstDifference(value, other, bounds) ?? 'same'}`).toBe(`${name}: same`)
    expect(numbers(value).every(Number.isFinite)).toBe(true)
  }
}

export const float: typeof floatAttribute = floatAttribute
