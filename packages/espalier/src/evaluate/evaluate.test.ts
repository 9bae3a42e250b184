import { statSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { classifier, temporaryFolder } from '../cli/testing.ts'
import { pruneMagnitude } from '../compress/magnitude.ts'
import { graphBuilder } from '../graph/builder.ts'
import type { Graph } from '../graph/graph.ts'
import { save } from '../model.ts'
import { fromNumbers } from '../tensor/elements.ts'
import { normal, randomKey } from '../tensor/random.ts'
import { float32, int64, type Tensor } from '../tensor/tensor.ts'
import { evaluate, evaluateAll } from './evaluate.ts'

const path = temporaryFolder()
const options = { runs: 1, session: { threads: 1, onWarning: () => {} } } as const

/** Scores are the inputs: three classes, and a second output that is none. */
function identity(rows: number | string): Graph {
  const g = graphBuilder({ name: 'identity' })
  const x = g.input('x', 'float32', [rows, 3])
  g.output(g.node('Identity', [x], {}, { outputs: ['y'] }))
  g.output(g.node('ReduceSum', [x], { keepdims: 0 }, { outputs: ['sum'] }))
  return g.build()
}

/** Rows of class k mod 3. */
function rows(count: number): Tensor<'float32'> {
  return float32(
    Array.from({ length: 3 * count }, (_, i) => (i % 3 === Math.floor(i / 3) % 3 ? 1 : 0)),
    [count, 3],
  )
}

const classes = (count: number): Tensor => int64(Array.from({ length: count }, (_, k) => k % 3))

describe('evaluate', () => {
  test('accuracy over all rows, in batches, with bytes and milliseconds', async () => {
    const progress: number[] = []
    const labels = int64(Array.from({ length: 70 }, (_, k) => (k < 35 ? k % 3 : (k + 1) % 3)))
    const found = await evaluate(
      identity('n'),
      { inputs: { x: rows(70) }, labels },
      { ...options, onProgress: (done, total) => progress.push(done / total) },
    )
    expect(found).toMatchObject({ rows: 70, left: 0, batch: 32 })
    expect(found.model).toMatchObject({ name: 'identity', accuracy: { rows: 70, top1: 0.5 } })
    expect(found.model.milliseconds.median).toBeGreaterThan(0)
    expect(found.model.storedBytes).toBeGreaterThan(0)
    expect(found.against).toBeUndefined()
    expect(progress).toEqual([32 / 70, 64 / 70, 1])
    const some = await evaluate(
      identity('n'),
      { inputs: new Map([['x', rows(70)]]), labels },
      { ...options, limit: 35, batch: 10 },
    )
    expect(some).toMatchObject({ rows: 35, batch: 10, model: { accuracy: { rows: 35, top1: 1 } } })
  })

  test('a model of fixed rows leaves the last ones out, and says how many', async () => {
    const data = { inputs: { x: rows(10) }, labels: classes(10) }
    const found = await evaluate(identity(4), data, options)
    expect(found).toMatchObject({ rows: 8, left: 2, batch: 4, model: { accuracy: { rows: 8, top1: 1 } } })
    const beside = await evaluate(identity(4), data, { ...options, against: identity('n'), batch: 9 })
    expect(beside).toMatchObject({ rows: 8, batch: 4, model: { agreement: { top1: 1 } } })
    await expect(evaluate(identity(4), { inputs: { x: rows(3) } }, options)).rejects.toThrow(/another shape/)
  })

  test('what is fed in place of a default is fed to every run', async () => {
    const { initializers, inputs, ...rest } = identity('n')
    const node = { ...rest.nodes[0]!, op: 'Mul', inputs: ['x', 'factor'] }
    const factor = { name: 'factor', type: { kind: 'tensor', dtype: 'float32', shape: [] } } as const
    const graph: Graph = {
      ...rest,
      nodes: [node, ...rest.nodes.slice(1)],
      inputs: [...inputs, factor],
      initializers: new Map([...initializers, ['factor', float32([1], [])]]),
    }
    const data = { inputs: { x: rows(40), factor: float32([-1], []) }, labels: classes(40) }
    expect((await evaluate(graph, data, options)).model.accuracy!.top1).toBe(0)
  })

  test('beside the model it came from: agreement, zeros, bytes of files', async () => {
    const dense = classifier()
    const { graph } = pruneMagnitude(dense, { sparsity: 0.75, smallest: 0 })
    await save(path('dense.onnx'), dense)
    await save(path('small.espalier'), graph)
    const image = fromNumbers('float32', [50, 3, 4, 4], normal(randomKey(3), 50 * 48))
    const found = await evaluate(
      path('small.espalier'),
      { inputs: { image } },
      { ...options, against: path('dense.onnx') },
    )
    const { model, against } = found
    expect(model.storedBytes).toBe(statSync(path('small.espalier')).size)
    expect(against!.storedBytes).toBe(statSync(path('dense.onnx')).size)
    expect(model.sparsity.fraction).toBeCloseTo(0.75, 2)
    expect(against!.sparsity.fraction).toBeLessThan(0.1)
    expect(against!.agreement).toBeUndefined()
    expect(model.agreement!.top1).toBeLessThanOrEqual(1)
    expect(model.agreement!.relativeError.logits).toBeGreaterThan(0.01)
    // A graph that was loaded counts with the bytes of its file.
    const loaded = { file: path('dense.onnx'), graph: dense }
    const { name, storedBytes } = (await evaluate(loaded, { inputs: { image } }, options)).model
    expect([name, storedBytes]).toEqual([loaded.file, against!.storedBytes])
    const same = await evaluate(dense, { inputs: { image } }, { ...options, against: dense })
    expect(same.model.agreement).toEqual({ top1: 1, relativeError: { logits: 0 } })
  })

  test('several models with one', async () => {
    const found = await evaluateAll(
      [identity('n'), identity('n'), identity('n')],
      { inputs: { x: rows(3) } },
      { ...options, output: 'sum' },
    ).catch((error: Error) => error)
    expect(found).toHaveProperty('message', expect.stringMatching(/a score for every class/))
    const { models } = await evaluateAll(
      [identity('n'), identity('n'), identity('n')],
      { inputs: { x: rows(3) } },
      options,
    )
    expect(models.map(({ agreement }) => agreement?.top1)).toEqual([undefined, 1, 1])
  })

  test.each([
    [{ batch: 0 }, /whole number/],
    [{ limit: 1.5 }, /whole number/],
    [{ runs: -1 }, /whole number/],
    [{ output: 'z' }, /no output "z"/],
    [{ output: 'sum' }, /a score for every class/],
  ])('%j is refused', async (wrong, message) => {
    const data = { inputs: { x: rows(6) }, labels: classes(6) }
    await expect(evaluate(identity('n'), data, { ...options, ...wrong })).rejects.toThrow(message)
  })

  test('labels must fit the data, and the models each other', async () => {
    const data = { inputs: { x: rows(6) }, labels: classes(5) }
    await expect(evaluate(identity('n'), data, options)).rejects.toThrow(/one label for every row/)
    const other = { inputs: { image: fromNumbers('float32', [2, 3, 4, 4], normal(randomKey(1), 96)) } }
    await expect(evaluate(classifier(), other, { ...options, against: identity('n') })).rejects.toThrow(
      /no input "image"/,
    )
    await expect(evaluate(path('none.onnx'), data, options)).rejects.toThrow(/none\.onnx/)
  })
})
