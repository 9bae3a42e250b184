/**
 * Real models on real inputs: the reference executor gives what onnxruntime gives, and what is written after reading is
 * still the same model. onnxruntime's outputs are stored in golden/; where onnxruntime is installed (see bench/), it is
 * asked too, and `UPDATE_GOLDEN=1` stores its answers again.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { annotate, checkModel, foldConstants, statistics } from '../src/analysis/index.ts'
import { readOnnx, writeOnnx } from '../src/formats/onnx/index.ts'
import type { Graph } from '../src/graph/index.ts'
import { load } from '../src/model.ts'
import { runReference } from '../src/runtime/index.ts'
import type { Tensor } from '../src/tensor/index.ts'
import { bitDifferences, differences } from './models/compare.ts'
import { misfits, readGolden, samplesOf, writeGolden } from './models/golden.ts'
import { dataPresent, type RealModel, realModels } from './models/inputs.ts'
import { openPeer, peerInstalled } from './models/peer.ts'

const folder = mkdtempSync(join(tmpdir(), 'espalier-models-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

type Run = (feeds: ReadonlyMap<string, Tensor>) => Promise<ReadonlyMap<string, Tensor>>

/** Outputs of every run, by `run/output`; states are carried from one run to the next. */
async function runAll(model: RealModel, run: Run): Promise<Map<string, Tensor>> {
  const outputs = new Map<string, Tensor>()
  let carried = new Map<string, Tensor>()
  for (const { name, feeds } of await model.runs()) {
    const results = await run(new Map([...carried, ...Object.entries(feeds)]))
    for (const [output, value] of results) outputs.set(`${name}/${output}`, value)
    carried = new Map(Object.entries(model.state ?? {}).map(([from, to]) => [to, results.get(from)!]))
  }
  return outputs
}

const reference =
  (graph: Graph): Run =>
  async feeds =>
    runReference(graph, feeds) as ReadonlyMap<string, Tensor>

/** Outputs of all runs of a file by onnxruntime. */
async function peerRuns(model: RealModel, path: string = model.path): Promise<Map<string, Tensor>> {
  const peer = await openPeer(path)
  const outputs = await runAll(model, peer.run)
  await peer.close()
  return outputs
}

describe.skipIf(!dataPresent)('real models', () => {
  describe.each(realModels)('$name', model => {
    let graph: Graph
    let live: ReadonlyMap<string, Tensor> | undefined
    beforeAll(async () => {
      graph = await load(model.path)
      live = peerInstalled ? await peerRuns(model) : undefined
      if (live !== undefined && process.env.UPDATE_GOLDEN !== undefined)
        writeGolden(model.name, samplesOf(live))
    })

    test('is valid and has known operators only', () => {
      expect(checkModel(graph)).toEqual({ problems: [], missing: [] })
    })

    test('gives the outputs of onnxruntime, stored and live', { timeout: 180_000 }, async () => {
      const outputs = await runAll(model, reference(graph))
      expect(misfits(outputs, readGolden(model.name))).toEqual([])
      if (live !== undefined) expect(differences(outputs, live)).toEqual([])
    })

    test('has the parameters and products that are counted by hand', () => {
      const symbols = new Map(symbolsOfInputs(graph).map(symbol => [symbol, 1]))
      const { parameters, macs } = statistics(graph, { symbols })
      expect({ parameters, macs }).toEqual(figures[model.name])
    })

    describe.skipIf(!peerInstalled)('onnxruntime', () => {
      test('still gives what is stored', () => {
        expect(misfits(live!, readGolden(model.name))).toEqual([])
      })

      test.each([
        ['gives the same bits after reading and writing', false, (read: Graph) => read],
        [
          'gives the same bits with weights in a file of their own, and joined again',
          true,
          (read: Graph) => read,
        ],
        ['gives the same bits with all types stated', false, annotate],
      ] as const)('%s', async (title, externalData, change) => {
        const path = join(folder, `${model.name}-${title.replaceAll(' ', '-')}.onnx`)
        await writeOnnx(path, change(await readOnnx(model.path)), { externalData })
        expect(bitDifferences(await peerRuns(model, path), live!)).toEqual([])
        if (!externalData) return
        await writeOnnx(path, await readOnnx(path))
        expect(bitDifferences(await peerRuns(model, path), live!)).toEqual([])
      })

      test('gives the same outputs after constants are folded', async () => {
        const path = join(folder, `${model.name}-folded.onnx`)
        const folded = foldConstants(graph)
        expect(folded.nodes.length).toBeLessThanOrEqual(graph.nodes.length)
        await writeOnnx(path, annotate(folded), { externalData: true })
        expect(differences(await peerRuns(model, path), live!)).toEqual([])
      })
    })
  })
})

function symbolsOfInputs(graph: Graph): string[] {
  const dims = graph.inputs.flatMap(({ type }) => (type?.kind === 'tensor' ? (type.shape ?? []) : []))
  return dims.filter(dim => typeof dim === 'string')
}

/** Elements of all constants, and multiply-accumulates for a batch of one: counted from the architectures. */
const figures: Readonly<Record<string, { readonly parameters: number; readonly macs: number }>> = {
  magika: {
    // What its makers state.
    parameters: 784_519,
    // A table of 257 rows as a product, a convolution over five rows of four bytes each, the classifier.
    macs: 2048 * 257 * 64 + 508 * 512 * 256 * 5 + 512 * 214,
  },
  dtln: {
    // Two LSTMs with two biases, a layer to a mask of 257 bins, and 64 numbers that cut and join the states.
    parameters: 512 * (257 + 128) + 512 * (128 + 128) + 2 * 8 * 128 + 128 * 257 + 257 + 64,
    macs: 512 * (257 + 128) + 512 * (128 + 128) + 128 * 257,
  },
  'super-resolution': {
    // Four convolutions with biases, and the shapes of two reshapes.
    parameters: 25 * 64 + 64 + 9 * 64 * 64 + 64 + 9 * 64 * 32 + 32 + 9 * 32 * 9 + 9 + 6 + 4,
    macs: 224 * 224 * (25 * 64 + 9 * 64 * 64 + 9 * 64 * 32 + 9 * 32 * 9),
  },
  ultraface: {
    // The weights as in the file; 17,640 anchors of two numbers three times, and constants that compute shapes.
    parameters: 281_135 + 3 * 2 * 17_640 + 28,
    macs: ultrafaceMacs(),
  },
}

/**
 * The convolutions of the RFB-640 network, from its description: a first layer, depth-wise separable blocks at five
 * sizes, a receptive-field block with three branches, an extra block, and two heads at each of four sizes.
 */
function ultrafaceMacs(): number {
  const [half, quarter, eighth, sixteenth, small, least] = [76_800, 19_200, 4_800, 1_200, 300, 80] as const
  const separable = (from: number, to: number, area: number): number => (9 * from + from * to) * area
  const heads = (from: number, anchors: number, area: number): number =>
    separable(from, 4 * anchors, area) + separable(from, 2 * anchors, area)
  const branch = 64 * 8 + 9 * 8 * 16 + 9 * 16 * 16
  const longBranch = 64 * 8 + 9 * 8 * 12 + 9 * 12 * 16 + 9 * 16 * 16
  const layers = [
    9 * 3 * 16 * half,
    separable(16, 32, half),
    ...[separable(32, 32, quarter), separable(32, 32, quarter)],
    ...[separable(32, 64, eighth), separable(64, 64, eighth), separable(64, 64, eighth)],
    (2 * branch + longBranch + 48 * 64 + 64 * 64) * eighth,
    ...[separable(64, 128, sixteenth), separable(128, 128, sixteenth), separable(128, 128, sixteenth)],
    ...[separable(128, 256, small), separable(256, 256, small)],
    ...[256 * 64 * small, separable(64, 256, least)],
    ...[heads(64, 3, eighth), heads(128, 2, sixteenth), heads(256, 2, small)],
    ...[9 * 256 * 12 * least, 9 * 256 * 6 * least],
  ]
  return layers.reduce((sum, layer) => sum + layer)
}
