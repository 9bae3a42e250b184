/**
 * Real models on real inputs: the reference executor gives what onnxruntime gives, and what is written after reading is
 * still the same model. onnxruntime's outputs are stored in golden/; where onnxruntime is installed (see bench/), it is
 * asked too, and `UPDATE_GOLDEN=1` stores its answers again.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { annotate, checkModel, foldConstants, statistics } from '../src/analysis/index.ts'
import { readOnnx, writeOnnx } from '../src/formats/onnx/index.ts'
import type { Graph } from '../src/graph/index.ts'
import { load } from '../src/model.ts'
import { runReference } from '../src/runtime/index.ts'
import type { Tensor } from '../src/tensor/index.ts'
import { firstMisfit, type Golden, readGolden, type Sample, sampleOf, writeGolden } from './models/golden.ts'
import { dataPresent, magikaConfig, type RealModel, realModels } from './models/inputs.ts'
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

const samplesOf = (outputs: ReadonlyMap<string, Tensor>): Golden =>
  Object.fromEntries([...outputs].map(([name, value]): [string, Sample] => [name, sampleOf(value)]))

describe.skipIf(!dataPresent)('real models', () => {
  describe.each(realModels)('$name', model => {
    test('is valid and has known operators only', async () => {
      expect(checkModel(await load(model.path))).toEqual({ problems: [], missing: [] })
    })

    test('gives the outputs of onnxruntime that are stored', { timeout: 180_000 }, async () => {
      const outputs = samplesOf(await runAll(model, reference(await load(model.path))))
      const golden = readGolden(model.name)
      expect(Object.keys(golden)).not.toEqual([])
      for (const [name, wanted] of Object.entries(golden)) {
        expect(outputs[name]?.shape, name).toEqual(wanted.shape)
        expect(firstMisfit(outputs[name]!, wanted), name).toBeUndefined()
      }
    })

    test.skipIf(!peerInstalled)('onnxruntime gives what is stored', async () => {
      const peer = await openPeer(model.path)
      const outputs = samplesOf(await runAll(model, peer.run))
      await peer.close()
      if (process.env.UPDATE_GOLDEN !== undefined) writeGolden(model.name, outputs)
      for (const [name, wanted] of Object.entries(readGolden(model.name)))
        expect(firstMisfit(outputs[name]!, wanted), name).toBeUndefined()
    })

    test.skipIf(!peerInstalled)('onnxruntime gives the same bits after reading and writing', async () => {
      const original = await openPeer(model.path)
      const wanted = await runAll(model, original.run)
      await original.close()
      const graph = await readOnnx(model.path)
      for (const externalData of [false, true]) {
        const path = join(folder, `${model.name}-${externalData}.onnx`)
        await writeOnnx(path, graph, { externalData })
        const copy = await openPeer(path)
        expect(await runAll(model, copy.run)).toEqual(wanted)
        await copy.close()
      }
    })

    test.skipIf(!peerInstalled)(
      'annotated and folded, onnxruntime still runs it to the same outputs',
      async () => {
        const graph = await readOnnx(model.path)
        const path = join(folder, `${model.name}-folded.onnx`)
        await writeOnnx(path, annotate(foldConstants(graph)))
        const peer = await openPeer(path)
        const outputs = samplesOf(await runAll(model, peer.run))
        await peer.close()
        for (const [name, wanted] of Object.entries(readGolden(model.name)))
          expect(firstMisfit(outputs[name]!, wanted), name).toBeUndefined()
      },
    )
  })

  test('magika names the files', { timeout: 300_000 }, async () => {
    const model = realModels.find(({ name }) => name === 'magika')!
    const { target_labels_space: labels, overwrite_map: renamed } = magikaConfig()
    const outputs = await runAll(model, reference(await load(model.path)))
    for (const [name, scores] of outputs) {
      const best =
        labels[
          (scores as Tensor<'float32'>).data.reduce((at, value, i, all) => (value > all[at]! ? i : at), 0)
        ]!
      expect(renamed[best] ?? best, name).toBe(name.split('/')[0])
    }
  })

  test('figures are those worked out by hand', async () => {
    const find = async (name: string): Promise<ReturnType<typeof statistics>> =>
      statistics(await load(realModels.find(model => model.name === name)!.path), {
        symbols: name === 'super-resolution' ? new Map([['batch_size', 1]]) : new Map(),
      })
    // 224 x 224 positions of 5x5x1x64, 3x3x64x64, 3x3x64x32 and 3x3x32x9 products.
    const products = 25 * 64 + 9 * 64 * 64 + 9 * 64 * 32 + 9 * 32 * 9
    expect((await find('super-resolution')).macs).toBe(224 * 224 * products)
    // Two LSTM layers of 4 x 128 gates over 257 and 128 inputs and 128 states, and a 128x257 product.
    expect((await find('dtln')).macs).toBe(512 * (257 + 128) + 512 * (128 + 128) + 128 * 257)
    // The 784,519 parameters that its makers state, and constants that exporters added to shape the graph.
    const magika = await find('magika')
    expect(magika.layers.length).toBeGreaterThan(0)
    expect(magika.parameters).toBeGreaterThanOrEqual(784_519)
    expect(magika.parameters).toBeLessThan(784_519 * 1.01)
  })
})
