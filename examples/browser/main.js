/** Loads an ONNX model in the page, runs it in a session, and shows what comes out and how long it takes. */
import {
  floatAttribute,
  fromNumbers,
  graphBuilder,
  isTensor,
  numbers,
  randomFeeds,
  requiredInputs,
  statistics,
} from 'espalier'
import { inputShape, symbolsOf } from 'espalier/graph'
import { encodeOnnx, parseOnnx } from 'espalier/onnx'
import { session } from 'espalier/runtime'

const find = id => document.getElementById(id)
find('threads').value = crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency) : 1
find('form').addEventListener('submit', event => {
  event.preventDefault()
  run(find('file').files[0], Number(find('threads').value))
})

/** Milliseconds for which runs are repeated. */
const patience = 1000

async function run(file, threads) {
  find('run').disabled = true
  find('result').hidden = true
  say('Running…')
  try {
    const bytes = file ? new Uint8Array(await file.arrayBuffer()) : exampleModel()
    const graph = parseOnnx(bytes)
    const warnings = []
    const began = performance.now()
    const model = await session(graph, { backend: 'wasm', threads, onWarning: text => warnings.push(text) })
    const prepared = performance.now() - began
    const { outputs, first, times } = await measure(model, feedsFor(graph))
    showFacts({
      Model: `${file?.name ?? 'the example'}, ${(bytes.length / 1e6).toFixed(2)} MB`,
      Size: `${graph.nodes.length} nodes, ${statistics(graph).parameters.toLocaleString('en')} parameters`,
      'Runs on': `${model.backend}, kernels ${model.isa}, threads ${model.threads}`,
      Session: `made in ${milliseconds(prepared)}`,
      'First run': milliseconds(first),
      Then: `${milliseconds(median(times))} each, the median of ${times.length} runs`,
    })
    find('outputs').replaceChildren(
      ...Object.entries(outputs).map(([name, value]) => showOutput(name, value)),
    )
    find('result').hidden = false
    say(warnings.join('\n'))
    model.dispose()
  } catch (error) {
    say(error.message, 'error')
  }
  find('run').disabled = false
}

async function measure(model, feeds) {
  const timed = async () => {
    const start = performance.now()
    const outputs = await model.run(feeds)
    return { outputs, time: performance.now() - start }
  }
  const { outputs, time: first } = await timed()
  const times = []
  for (const end = performance.now() + patience; performance.now() < end; ) times.push((await timed()).time)
  if (times.length === 0) times.push(first)
  return { outputs, first, times }
}

/** Random inputs, with 1 for every dimension that the model leaves open. */
function feedsFor(graph) {
  const inputs = requiredInputs(graph)
  const open = inputs.flatMap(input => inputShape(input) ?? []).flatMap(symbolsOf)
  return randomFeeds(inputs, { symbols: new Map(open.map(name => [name, 1])) })
}

/** A classifier of 64 x 64 pictures with random weights, as the bytes of an ONNX file. */
function exampleModel() {
  const g = graphBuilder({ name: 'example' })
  let seed = 1
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647 - 0.5
  const weight = (...shape) => {
    const count = shape.reduce((a, b) => a * b)
    const scale = Math.sqrt((24 * shape[0]) / count)
    return g.constant(
      fromNumbers(
        'float32',
        shape,
        Float64Array.from({ length: count }, () => random() * scale),
      ),
    )
  }
  const channels = [3, 32, 64, 128]
  let x = g.input('picture', 'float32', ['batch', 3, 64, 64])
  for (let layer = 1; layer < channels.length; layer++) {
    x = g.node('Conv', [x, weight(channels[layer], channels[layer - 1], 3, 3)], { pads: [1, 1, 1, 1] })
    x = g.node('MaxPool', [g.node('Relu', [x])], { kernel_shape: [2, 2], strides: [2, 2] })
  }
  x = g.node('Flatten', [g.node('GlobalAveragePool', [x])])
  x = g.node('Gemm', [x, weight(10, 128)], { transB: 1, alpha: floatAttribute(2) })
  g.output(g.node('Softmax', [x], {}, { outputs: ['classes'] }))
  return joined(encodeOnnx(g.build()))
}

function joined(parts) {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

function showFacts(facts) {
  find('facts').replaceChildren(
    ...Object.entries(facts).flatMap(([name, value]) => [element('dt', name), element('dd', value)]),
  )
}

/** The first values of an output, with bars where they are between 0 and 1. */
function showOutput(name, value) {
  const section = element('section')
  const title = element('h2', `${name} `)
  section.append(title)
  if (!isTensor(value)) {
    title.append(element('span', 'not a tensor'))
    return section
  }
  title.append(element('span', `${value.dtype} ${value.shape.join(' × ')}`))
  const shown = value.dtype === 'string' ? [...value.data.slice(0, 16)] : [...numbers(value).slice(0, 16)]
  const areShares = shown.every(number => number >= 0 && number <= 1)
  for (const [index, number] of shown.entries()) {
    const row = element('div')
    row.className = 'value'
    const bar = element('span')
    if (areShares) {
      bar.className = 'bar'
      bar.style.width = `${100 * number}%`
    }
    row.append(element('span', index), element('span', areShares ? number.toFixed(4) : String(number)), bar)
    section.append(row)
  }
  return section
}

function say(text, kind = '') {
  find('status').textContent = text
  find('status').className = kind
}

function element(tag, text = '') {
  const made = document.createElement(tag)
  made.textContent = text
  return made
}

const median = times => [...times].sort((a, b) => a - b)[times.length >> 1]
const milliseconds = time => `${time.toFixed(time < 10 ? 2 : 0)} ms`
