/**
 * Magika, a model in daily use, on everything its makers publish results for: files of every type that it knows, and
 * contents at the edges of what it looks at. The labels must be theirs. Its first layer takes a variance as the mean
 * of squares less the square of the mean; in a short file, nearly all padding, two numbers near 0.7 differ by 0.002,
 * and the error of a float32 sum (a few millionths) becomes a thousandth of the variance. So scores of short files are
 * held to 0.005 here; that everything before and after that subtraction is right to 1e-4 is shown below.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { annotate } from '../src/analysis/index.ts'
import { extract, type Graph } from '../src/graph/index.ts'
import { load } from '../src/model.ts'
import { type Prepared, reference, runReference } from '../src/runtime/index.ts'
import type { RuntimeValue, Tensor } from '../src/tensor/index.ts'
import { differences } from './models/compare.ts'
import {
  asksModel,
  dataPresent,
  labelWithoutModel,
  type MagikaConfig,
  magikaConfig,
  magikaFeatures,
  magikaFiles,
  magikaResults,
  realModels,
} from './models/inputs.ts'
import { openPeer, type Peer, peerInstalled, peerOutputs } from './models/peer.ts'

/** Every labelled file takes over a minute; without this variable every seventh is run. */
const everything = process.env.ESPALIER_ALL_FILES !== undefined

/** Most that a score may be off. */
const SCORE = 5e-3

describe.skipIf(!dataPresent)('magika', () => {
  let graph: Graph
  let prepared: Prepared
  let config: MagikaConfig
  let peer: Peer | undefined
  beforeAll(async () => {
    const { path } = realModels.find(({ name }) => name === 'magika')!
    graph = await load(path)
    prepared = reference.prepare(graph)
    config = magikaConfig()
    peer = peerInstalled ? await openPeer(path) : undefined
  })
  afterAll(() => peer?.close())

  interface Answer {
    readonly dl: string
    readonly score: number
  }

  /** The label and its score, from the outputs of the model. */
  function best(outputs: ReadonlyMap<string, RuntimeValue>): Answer {
    const { data } = outputs.get('target_label') as Tensor<'float32'>
    const at = data.indexOf(Math.max(...data))
    return { dl: config.target_labels_space[at]!, score: data[at]! }
  }

  test('labelled files get their label, with the published score', { timeout: 300_000 }, () => {
    const results = new Map(magikaResults('path').map(({ path, prediction }) => [path!, prediction]))
    const files = magikaFiles()
    expect([files.length, results.size]).toEqual([77, 69])
    const wrong: string[] = []
    let close = 0
    const shown = files.filter((_, index) => everything || index % 7 === 0)
    let compared = 0
    for (const { label, file, bytes } of shown) {
      const features = magikaFeatures(bytes, config)
      const asked = asksModel(bytes, features, config)
      const { dl, score } = asked ? best(prepared.run({ bytes: features })) : { dl: 'undefined', score: 1 }
      const output = asked ? (config.overwrite_map[dl] ?? dl) : labelWithoutModel(bytes)
      const published = results.get(`tests_data/basic/${label}/${file}`)
      const error = published === undefined ? 0 : Math.abs(score - published.score)
      if (output !== label || (published !== undefined && dl !== published.dl) || error > SCORE)
        wrong.push(`${label}/${file}: got ${output} (${dl}) ${score}, published ${JSON.stringify(published)}`)
      if (published === undefined) continue
      compared++
      if (error <= 1e-4) close++
    }
    expect(wrong).toEqual([])
    expect(close / compared).toBeGreaterThan(0.8)
  })

  test('contents at the edges of what is looked at', { timeout: 300_000 }, async () => {
    const results = magikaResults('content')
    expect(results).toHaveLength(40)
    const wrong: string[] = []
    for (const [index, { content_base64, prediction }] of results.entries()) {
      const bytes = Buffer.from(content_base64!, 'base64')
      const features = magikaFeatures(bytes, config)
      const expectAnswer = ({ dl, score }: Answer, tolerance: number): void => {
        if (dl !== prediction.dl || Math.abs(score - prediction.score) > tolerance)
          wrong.push(`content ${index}: got ${dl} ${score}, published ${JSON.stringify(prediction)}`)
      }
      if (!asksModel(bytes, features, config)) {
        expect(prediction).toMatchObject({ dl: 'undefined', output: labelWithoutModel(bytes) })
        continue
      }
      // Whether the right bytes are taken is asked of onnxruntime, which is fast; every sixth runs here as well.
      const feeds = new Map([['bytes', features]])
      if (peer !== undefined) expectAnswer(best(await peer.run(feeds)), 1e-5)
      if (index % 6 === 0) expectAnswer(best(prepared.run(feeds)), SCORE)
    }
    expect(wrong).toEqual([])
  })

  test.skipIf(!peerInstalled)('before and after the subtraction, a short file agrees in full', async () => {
    const prefix = 'jax2tf_get_logits_/pjit_get_logits_/MagikaV2'
    const [x, mean, meanOfSquares, variance] = [
      `${prefix}/Reshape:0`,
      `${prefix}/LayerNorm_0/truediv:0`,
      `${prefix}/LayerNorm_0/truediv_1:0`,
      `${prefix}/LayerNorm_0/Sub:0`,
    ] as const
    const typed = annotate(graph)
    const { bytes } = magikaFiles().find(({ file }) => file === 'magika_test_pptx.txt')!
    const feeds = new Map<string, Tensor>([['bytes', magikaFeatures(bytes, config)]])
    const before = extract(typed, ['bytes'], [x, mean, meanOfSquares])
    expect(differences(runReference(before, feeds), await peerOutputs(before, feeds))).toEqual([])

    const cut = runReference(graph, feeds, { outputs: [x, mean, variance] }) as ReadonlyMap<string, Tensor>
    const after = extract(typed, ['bytes', x, mean, variance], ['target_label'])
    const all = new Map([...feeds, ...cut])
    expect(differences(runReference(after, all), await peerOutputs(after, all))).toEqual([])
  })
})
