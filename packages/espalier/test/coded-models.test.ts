/**
 * Models written in code beside onnxruntime: the reference executor gives its outputs, stored and live, also after the
 * file was written and read, types were stated, and constants folded; and what is inferred is what comes out.
 */
import { describe, expect, test } from 'vitest'
import { annotate, checkModel, foldConstants, infer, statistics } from '../src/analysis/index.ts'
import { concatBytes } from '../src/formats/io/bytes.ts'
import { encodeOnnx, parseOnnx } from '../src/formats/onnx/index.ts'
import { evaluateDim, type Graph, validate } from '../src/graph/index.ts'
import { runReference } from '../src/runtime/index.ts'
import type { Tensor } from '../src/tensor/index.ts'
import { type CodedModel, codedModels } from './models/coded.ts'
import { bitDifferences, differences } from './models/compare.ts'
import { misfits, readGolden, samplesOf, writeGolden } from './models/golden.ts'
import { peerInstalled, peerOutputs } from './models/peer.ts'

type Run = (feeds: ReadonlyMap<string, Tensor>) => Promise<ReadonlyMap<string, Tensor>>

/** Outputs of all runs, by `run/output`. */
async function runAll({ runs }: CodedModel, run: Run): Promise<Map<string, Tensor>> {
  const outputs = new Map<string, Tensor>()
  for (const [name, feeds] of Object.entries(runs))
    for (const [output, value] of await run(feeds)) outputs.set(`${name}/${output}`, value)
  return outputs
}

const reference =
  (graph: Graph): Run =>
  async feeds =>
    runReference(graph, feeds) as ReadonlyMap<string, Tensor>

const rewritten: readonly (readonly [string, (graph: Graph) => Graph])[] = [
  ['written and read', graph => parseOnnx(concatBytes(encodeOnnx(graph)))],
  ['with all types stated', annotate],
  ['with constants folded', foldConstants],
  ['with all of these', graph => parseOnnx(concatBytes(encodeOnnx(annotate(foldConstants(graph)))))],
]

describe.each(codedModels)('$name', model => {
  const { name, graph, runs, optimize } = model
  const peer =
    (changed: Graph): Run =>
    feeds =>
      peerOutputs(changed, feeds, { optimize })

  test('is valid', () => {
    expect(checkModel(validate(graph))).toEqual({ problems: [], missing: [] })
    expect(statistics(graph).missing).toEqual([])
  })

  test('gives the outputs of onnxruntime, stored and live', async () => {
    const outputs = await runAll(model, reference(graph))
    const live = peerInstalled ? await runAll(model, peer(graph)) : undefined
    if (live !== undefined && process.env.UPDATE_GOLDEN !== undefined) writeGolden(name, samplesOf(live))
    expect(misfits(outputs, readGolden(name))).toEqual([])
    if (live !== undefined) expect(differences(outputs, live)).toEqual([])
  })

  test.each(rewritten)('%s, gives the same', async (_, change) => {
    const changed = change(graph)
    expect(checkModel(changed).problems).toEqual([])
    expect(
      bitDifferences(await runAll(model, reference(changed)), await runAll(model, reference(graph))),
    ).toEqual([])
    if (peerInstalled)
      expect(differences(await runAll(model, peer(changed)), await runAll(model, peer(graph)))).toEqual([])
  })

  test('the inferred extents are those that come out', () => {
    const { types } = infer(graph)
    for (const feeds of Object.values(runs)) {
      const symbols = new Map<string, number>()
      for (const { name: input, type } of graph.inputs)
        if (type?.kind === 'tensor')
          for (const [axis, dim] of (type.shape ?? []).entries())
            if (typeof dim === 'string') symbols.set(dim, feeds.get(input)!.shape[axis]!)
      for (const [output, value] of runReference(graph, feeds) as ReadonlyMap<string, Tensor>) {
        const type = types.get(output)
        const shape = type?.kind === 'tensor' ? type.shape : undefined
        const expected = shape?.map((dim, axis) => evaluateDim(dim, symbols) ?? value.shape[axis])
        expect({ [output]: expected ?? value.shape }).toEqual({ [output]: value.shape })
      }
    }
  })
})
