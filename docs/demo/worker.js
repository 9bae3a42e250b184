/**
 * Makes the encoder, compresses it in two ways, and times it: the files that a user would have, read and run by Espalier
 * and by onnxruntime-web in turn. Told `{ size, single, blocks }`, tells `{ progress, share }`, and at the end
 * `{ rows, facts }` or `{ error }`.
 */
import { fromNumbers, statistics } from 'espalier'
import { weightViews } from 'espalier/analysis'
import { compress } from 'espalier/compress'
import { encodeEspalier, readEspalier } from 'espalier/formats'
import { encoder } from 'espalier/models'
import { encodeOnnx, parseOnnx } from 'espalier/onnx'
import { benchmark, largestDifference, session } from 'espalier/runtime'
import { openPeer } from './peer.js'
import { sizes } from './sizes.js'

/** Milliseconds that all sides together are timed for, about, and the fewest and most runs of each. */
const BUDGET = 6000
const RUNS = [8, 200]
/** Words of the vocabulary: bytes. */
const WORDS = 256

self.onmessage = async ({ data }) => {
  try {
    self.postMessage(await measure(data))
  } catch (error) {
    self.postMessage({ error: error?.message ?? String(error) })
  }
}

const say = (progress, share) => self.postMessage({ progress, share })

async function measure({ size, single, blocks }) {
  const { title, ...shape } = sizes[size]
  say('building the model', 0.02)
  const graph = encoder({ ...shape, words: WORDS })
  const feeds = randomTokens(shape.tokens)
  const dense = joined(encodeOnnx(graph))
  const sides = []
  const ort = { engine: 'onnxruntime-web', ours: false }
  const espalier = { engine: 'Espalier', ours: true }

  say('onnxruntime-web: reading the dense model', 0.1)
  const peer = await openPeer(dense)
  const denseOutputs = await peer.run(feeds)
  sides.push({ ...ort, model: 'dense, float32', bytes: dense.length, run: () => peer.run(feeds) })

  say('Espalier: reading the dense model', 0.15)
  const own = await open(parseOnnx(dense), feeds, denseOutputs)
  sides.push({ ...espalier, model: 'dense, float32', bytes: dense.length, ...own })

  const forms = [
    { model: `${percent(single)} zeros, float32`, options: { sparsity: single } },
    {
      model: `${percent(blocks)} zeros in fours, int8`,
      options: { sparsity: blocks, pattern: 'block4', quantize: 'int8-dynamic' },
    },
  ]
  for (const [index, { model, options }] of forms.entries()) {
    say(`compressing: ${model}`, 0.2 + 0.2 * index)
    const { graph: small } = await compress(graph, options)
    const file = joined(encodeEspalier(small, { views: weightViews(small) }).chunks)
    say(`reading: ${model}`, 0.3 + 0.2 * index)
    // onnxruntime-web gets the same model with its zeros spelled out: to compare outputs, and in 8 bits to be timed too.
    const spelled = joined(encodeOnnx(small))
    const judge = await openPeer(spelled)
    const compressed = await open(await readEspalier(file), feeds, await judge.run(feeds))
    if (options.quantize === undefined) await judge.release()
    else
      sides.splice(1, 0, {
        ...ort,
        model,
        bytes: spelled.length,
        run: () => judge.run(feeds),
      })
    sides.push({ ...espalier, model, bytes: file.length, ...compressed })
  }
  const timings = await time(sides)
  return {
    rows: sides.map(({ run: _, isa: __, ...row }, index) => {
      const { median, min } = timings[index]
      return { ...row, median, least: min }
    }),
    facts: {
      Model: `${shape.layers} layers, ${shape.width} wide, ${shape.tokens} tokens, ${statistics(graph).parameters.toLocaleString('en')} parameters`,
      Espalier: `WebAssembly, kernels ${own.isa}, one thread`,
      'onnxruntime-web': `${peer.version}, WebAssembly, one thread`,
      Runs: `${timings[0].times.length} each, by turns`,
      Browser: navigator.userAgent,
    },
  }
}

/** A session of ours that has run once, and how far its outputs are from those expected. */
async function open(graph, feeds, expected) {
  const opened = await session(graph, { backend: 'wasm', threads: 1 })
  const { difference } = largestDifference(await opened.run(feeds), expected)
  return { run: () => opened.run(feeds), isa: opened.isa, difference }
}

async function time(sides) {
  say('timing', 0.6)
  const started = performance.now()
  for (const { run } of sides) await run()
  const runs = Math.round(BUDGET / (performance.now() - started))
  let told = 0
  return benchmark(
    sides.map(({ engine, run }) => ({ name: engine, run })),
    {
      runs: Math.min(RUNS[1], Math.max(RUNS[0], runs)),
      warmUp: 1,
      onProgress(done, total) {
        if (performance.now() - told < 50) return
        told = performance.now()
        say('timing', 0.6 + (0.4 * done) / total)
      },
    },
  )
}

/** One row of bytes, the same each time. */
function randomTokens(count) {
  const ids = Array.from({ length: count }, (_, i) => (i * 2654435761) % WORDS)
  return { tokens: fromNumbers('int64', [1, count], ids) }
}

function joined(chunks) {
  const bytes = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

const percent = share => `${Math.round(100 * share)} %`
