import { describe, expect, test } from 'vitest'
import { weightPlaces } from '../analysis/weight-views.ts'
import type { Graph } from '../graph/graph.ts'
import { validate } from '../graph/validate.ts'
import { largestDifference } from '../runtime/compare.ts'
import { requiredInputs } from '../runtime/feeds.ts'
import { randomFeeds } from '../runtime/random-feeds.ts'
import { runReference } from '../runtime/reference.ts'
import { session } from '../runtime/session.ts'
import { fromNumbers, numbers } from '../tensor/elements.ts'
import { foldIn, normal, randomKey, uniform } from '../tensor/random.ts'
import { sizeOf } from '../tensor/shape.ts'
import { sameTensor, type Tensor } from '../tensor/tensor.ts'
import { cifarResNet, isCifarResNet } from './cifar-resnet.ts'
import { encoder } from './encoder.ts'

/** Outputs of the reference, which sessions agree with. */
async function outputsOf(graph: Graph): Promise<Record<string, Tensor>> {
  const feeds = randomFeeds(requiredInputs(validate(graph)), { symbols: new Map([['batch', 2]]) })
  const expected = Object.fromEntries(runReference(graph, feeds)) as Record<string, Tensor>
  using opened = await session(graph, { onWarning: () => {} })
  expect(largestDifference(await opened.run(feeds), expected).difference).toBeLessThan(1e-4)
  return expected
}

describe('encoder', () => {
  const small = { layers: 2, width: 32, heads: 4, tokens: 8, words: 11, classes: 3 }
  test('gives scores, and has six weights a layer and a classifier to prune', async () => {
    const graph = encoder(small)
    const { classes } = await outputsOf(graph)
    expect(classes!.shape).toEqual([2, 3])
    expect(numbers(classes!).every(Number.isFinite)).toBe(true)
    expect(weightPlaces(graph)).toHaveLength(2 * 6 + 1)
  })
  test('is the same for the same seed', () => {
    const head = (seed: number): Tensor =>
      encoder({ ...small, seed }).initializers.get('classifier.weight') as Tensor
    expect(sameTensor(head(1), head(1))).toBe(true)
    expect(sameTensor(head(1), head(2))).toBe(false)
  })
})

describe('cifarResNet', () => {
  /** A checkpoint of one block a stage. */
  function checkpoint(prefix: string): Map<string, Tensor> {
    const tensors = new Map<string, Tensor>()
    const add = (name: string, ...shape: number[]): void => {
      const key = foldIn(randomKey(1), tensors.size)
      const values = name.endsWith('var') ? uniform(key, shape).map(x => 0.5 + x) : normal(key, shape)
      const scale = shape.length > 1 ? Math.sqrt(shape[0]! / sizeOf(shape)) : 1
      tensors.set(
        prefix + name,
        fromNumbers(
          'float32',
          shape,
          values.map(x => scale * x),
        ),
      )
    }
    const conv = (name: string, norm: string, to: number, from: number): void => {
      add(`${name}.weight`, to, from, 3, 3)
      for (const part of ['weight', 'bias', 'running_mean', 'running_var']) add(`${norm}.${part}`, to)
    }
    conv('conv1', 'bn1', 16, 3)
    for (const [stage, width] of [16, 32, 64].entries()) {
      const name = `layer${stage + 1}.0`
      conv(`${name}.conv1`, `${name}.bn1`, width, stage === 0 ? 16 : width / 2)
      conv(`${name}.conv2`, `${name}.bn2`, width, width)
    }
    add('linear.weight', 10, 64)
    add('linear.bias', 10)
    return tensors
  }

  test('is built from the names of a checkpoint, as deep as that is', async () => {
    const tensors = checkpoint('module.')
    expect(isCifarResNet(tensors)).toBe(true)
    const graph = cifarResNet(tensors)
    expect(graph.name).toBe('resnet8')
    expect((await outputsOf(graph)).output!.shape).toEqual([2, 10])
  })
  test('other checkpoints are not taken for one', () => {
    const tensors = checkpoint('')
    expect(isCifarResNet(tensors)).toBe(true)
    expect(
      isCifarResNet(new Map([...tensors, ['layer2.0.shortcut.0.weight', tensors.get('conv1.weight')!]])),
    ).toBe(false)
    tensors.delete('bn1.running_var')
    expect(() => cifarResNet(tensors)).toThrow(/bn1\.running_var/)
    tensors.delete('linear.weight')
    expect(isCifarResNet(tensors)).toBe(false)
  })
})
