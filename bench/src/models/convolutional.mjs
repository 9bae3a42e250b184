// ResNet-50 (He et al., 2016), MobileNetV1 (Howard et al., 2017), MobileNetV2 (Sandler et al., 2018) and the CIFAR
// ResNet-20, as torch's exporter writes torchvision's implementations when it is told to keep batch norm: convolution,
// norm and activation are nodes of their own.
import { floatAttribute } from 'espalier/graph'
import { readSafetensors } from 'espalier/safetensors'
import { modelBuilder } from './builder.mjs'

const imageType = size => ['float32', ['batch', 3, size, size]]

/** Input `input` [batch, 3, 224, 224], output `output` [batch, 1000]. */
export function resnet50() {
  const m = modelBuilder({ name: 'resnet50', opset: 13 })
  let x = m.input('input', ...imageType(224))
  x = relu(m, convNorm(m, x, 'conv1', 'bn1', 3, 64, { kernel: 7, stride: 2 }))
  x = m.node('MaxPool', [x], { ceil_mode: 0, kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [2, 2] })
  let from = 64
  for (const [stage, blocks] of [3, 4, 6, 3].entries()) {
    const width = 64 * 2 ** stage
    for (let block = 0; block < blocks; block++) {
      const stride = block === 0 && stage > 0 ? 2 : 1
      x = bottleneck(m, x, `layer${stage + 1}.${block}`, from, width, stride)
      from = 4 * width
    }
  }
  return classify(m, m.node('GlobalAveragePool', [x]), 'fc', from, 1000)
}

function bottleneck(m, x, prefix, from, width, stride) {
  const to = 4 * width
  const layer = (input, index, ...rest) =>
    convNorm(m, input, `${prefix}.conv${index}`, `${prefix}.bn${index}`, ...rest)
  let y = relu(m, layer(x, 1, from, width, { kernel: 1 }))
  y = relu(m, layer(y, 2, width, width, { kernel: 3, stride }))
  y = layer(y, 3, width, to, { kernel: 1, gain: 0.3 })
  const skip =
    from === to && stride === 1
      ? x
      : convNorm(m, x, `${prefix}.downsample.0`, `${prefix}.downsample.1`, from, to, { kernel: 1, stride })
  return relu(m, m.node('Add', [y, skip]))
}

/** Input `input` [batch, 3, 224, 224], output `output` [batch, 1000]. Of full width. */
export function mobilenetV1() {
  const m = modelBuilder({ name: 'mobilenetv1', opset: 13 })
  const repeated = new Array(5).fill([512, 1])
  const blocks = [
    [64, 1],
    [128, 2],
    [128, 1],
    [256, 2],
    [256, 1],
    [512, 2],
    ...repeated,
    [1024, 2],
    [1024, 1],
  ]
  let x = m.input('input', ...imageType(224))
  x = relu(m, convNorm(m, x, 'model.0.0', 'model.0.1', 3, 32, { kernel: 3, stride: 2 }))
  let from = 32
  for (const [index, [to, stride]] of blocks.entries()) {
    const layer = (input, at, ...rest) =>
      relu(m, convNorm(m, input, `model.${index + 1}.${at}`, `model.${index + 1}.${at + 1}`, ...rest))
    x = layer(x, 0, from, from, { kernel: 3, stride, group: from })
    x = layer(x, 3, from, to, { kernel: 1 })
    from = to
  }
  return classify(m, m.node('GlobalAveragePool', [x]), 'fc', from, 1000)
}

/** Input `input` [batch, 3, 224, 224], output `output` [batch, 1000]. */
export function mobilenetV2() {
  const m = modelBuilder({ name: 'mobilenetv2', opset: 13 })
  const settings = [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
  ]
  let x = m.input('input', ...imageType(224))
  x = relu6(m, convNorm(m, x, 'features.0.0', 'features.0.1', 3, 32, { kernel: 3, stride: 2 }))
  let from = 32
  let index = 1
  for (const [expansion, to, blocks, first] of settings)
    for (let block = 0; block < blocks; block++) {
      x = invertedResidual(m, x, `features.${index++}`, from, to, expansion, block === 0 ? first : 1)
      from = to
    }
  x = relu6(m, convNorm(m, x, `features.${index}.0`, `features.${index}.1`, from, 1280, { kernel: 1 }))
  return classify(m, m.node('GlobalAveragePool', [x]), 'classifier.1', 1280, 1000)
}

function invertedResidual(m, x, prefix, from, to, expansion, stride) {
  const inner = from * expansion
  const layer = (input, name, ...rest) =>
    convNorm(m, input, `${prefix}.conv.${name}.0`, `${prefix}.conv.${name}.1`, ...rest)
  let y = expansion === 1 ? x : relu6(m, layer(x, 0, from, inner, { kernel: 1 }))
  y = relu6(m, layer(y, 1, inner, inner, { kernel: 3, stride, group: inner }))
  y = layer(y, 2, inner, to, { kernel: 1, gain: 0.7 })
  return stride === 1 && from === to ? m.node('Add', [x, y]) : y
}

/**
 * Input `input` [batch, 3, 32, 32], output `output` [batch, 10]. With `file`, the weights of a safetensors file with
 * the names of Idelbayev's implementation; random ones without.
 */
export async function resnet20(file) {
  const m = modelBuilder({ name: 'resnet20', opset: 13 })
  if (file !== undefined) {
    const { tensors } = await readSafetensors(file)
    m.weight = name => m.constant(tensors.get(name), name)
  }
  let x = m.input('input', ...imageType(32))
  x = relu(m, convNorm(m, x, 'conv1', 'bn1', 3, 16, { kernel: 3 }))
  let from = 16
  for (const [stage, width] of [16, 32, 64].entries())
    for (let block = 0; block < 3; block++) {
      x = basicBlock(m, x, `layer${stage + 1}.${block}`, from, width, block === 0 && stage > 0 ? 2 : 1)
      from = width
    }
  const pooled = m.node('AveragePool', [x], { ceil_mode: 0, kernel_shape: [8, 8], strides: [8, 8] })
  return classify(m, pooled, 'linear', from, 10)
}

/** Two convolutions; where the width changes, the shortcut drops every other pixel and pads with empty channels. */
function basicBlock(m, x, prefix, from, to, stride) {
  const layer = (input, index, width, options) =>
    convNorm(m, input, `${prefix}.conv${index}`, `${prefix}.bn${index}`, width, to, { kernel: 3, ...options })
  const y = layer(relu(m, layer(x, 1, from, { stride })), 2, to, { gain: 0.5 })
  return relu(m, m.node('Add', [y, from === to ? x : shortcut(m, x, (to - from) / 2)]))
}

function shortcut(m, x, channels) {
  const everyOther = (input, axis) =>
    m.node('Slice', [input, m.integers([0]), m.integers([2 ** 31 - 1]), m.integers([axis]), m.integers([2])])
  const pads = m.integers([0, channels, 0, 0, 0, channels, 0, 0])
  return m.node('Pad', [everyOther(everyOther(x, 2), 3), pads, m.scalar(0)], { mode: 'constant' })
}

/** Convolution without bias, then batch norm; `gain` is the mean of the norm's scale, small where a branch ends. */
function convNorm(m, x, conv, norm, from, to, { kernel, stride = 1, group = 1, gain = 1 }) {
  const pad = (kernel - 1) / 2
  const fan = (from / group) * kernel * kernel
  const weight = m.weight(`${conv}.weight`, [to, from / group, kernel, kernel], Math.sqrt(2 / fan))
  const y = m.node('Conv', [x, weight], {
    dilations: [1, 1],
    group,
    kernel_shape: [kernel, kernel],
    pads: [pad, pad, pad, pad],
    strides: [stride, stride],
  })
  const parameters = [
    m.weight(`${norm}.weight`, [to], 0.1 * gain, gain),
    m.weight(`${norm}.bias`, [to], 0.1),
    m.weight(`${norm}.running_mean`, [to], 0.1),
    m.weight(`${norm}.running_var`, [to], 0.1, 1),
  ]
  const settings = { epsilon: floatAttribute(1e-5), momentum: floatAttribute(0.9) }
  return m.node('BatchNormalization', [y, ...parameters], settings)
}

const relu = (m, x) => m.node('Relu', [x])
const relu6 = (m, x) => m.node('Clip', [x, m.scalar(0), m.scalar(6)])

function classify(m, pooled, layer, from, classes) {
  const flat = m.node('Flatten', [pooled], { axis: 1 })
  const weight = m.weight(`${layer}.weight`, [classes, from], 1 / Math.sqrt(from))
  const bias = m.weight(`${layer}.bias`, [classes], 0.02)
  const y = m.node('Gemm', [flat, weight, bias], { transB: 1 }, { name: layer, outputs: ['output'] })
  m.output(y, { kind: 'tensor', dtype: 'float32', shape: ['batch', classes] })
  return m.build()
}
