/**
 * The residual networks for CIFAR-10 (He et al. 2015, section 4.2) with shortcuts that have no weights ("option A": every
 * other pixel, and empty channels), from a checkpoint with the names of torch's usual implementation. A checkpoint says
 * nothing of what is computed; this is what is meant by these names and shapes.
 */
import { EspalierError } from '../errors.ts'
import { floatAttribute, type GraphBuilder, graphBuilder, type Handle } from '../graph/builder.ts'
import { type Graph, tensorType } from '../graph/graph.ts'
import { float32, int64, type Tensor } from '../tensor/tensor.ts'

/** How pictures are normalised for the published checkpoints: as for ImageNet. */
export const cifarNormalization: { readonly mean: readonly number[]; readonly std: readonly number[] } = {
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
}

const STAGES = [1, 2, 3] as const

/** Whether tensors have the names of such a network. */
export function isCifarResNet(tensors: ReadonlyMap<string, Tensor>): boolean {
  const names = unwrapped(tensors)
  return (
    names.has('conv1.weight') &&
    names.has('linear.weight') &&
    STAGES.every(stage => blocksOf(names, stage) > 0) &&
    ![...names.keys()].some(name => name.includes('shortcut') || name.includes('downsample'))
  )
}

/**
 * Input `input`, float32 [batch, 3, 32, 32], normalised; output `output`, float32 [batch, classes], scores. As many blocks as
 * the checkpoint has: ResNet-20, 32, 44, 56, 110. Throws `not-found` for a tensor that the checkpoint lacks.
 */
export function cifarResNet(tensors: ReadonlyMap<string, Tensor>): Graph {
  const names = unwrapped(tensors)
  const blocks = STAGES.map(stage => blocksOf(names, stage))
  const layers = 2 + 2 * blocks.reduce((sum, count) => sum + count, 0)
  const g = graphBuilder({ name: `resnet${layers}` })
  const b: Builder = {
    g,
    weight(name) {
      const found = names.get(name)
      if (found === undefined)
        throw new EspalierError('not-found', 'the checkpoint has no such tensor', { where: { tensor: name } })
      return found
    },
  }
  let x = g.node('Relu', [convNorm(b, g.input('input', 'float32', ['batch', 3, 32, 32]), 'conv1', 'bn1', 1)])
  for (const [index, stage] of STAGES.entries())
    for (let block = 0; block < blocks[index]!; block++)
      x = basicBlock(b, x, `layer${stage}.${block}`, block === 0 && index > 0 ? 2 : 1)
  x = g.node('Flatten', [g.node('GlobalAveragePool', [x])])
  const head = b.weight('linear.weight')
  const y = g.node(
    'Gemm',
    [x, g.constant(head, 'linear.weight'), g.constant(b.weight('linear.bias'), 'linear.bias')],
    { transB: 1 },
    { name: 'linear', outputs: ['output'] },
  )
  g.output(y, tensorType('float32', ['batch', head.shape[0]!]))
  return g.build()
}

interface Builder {
  readonly g: GraphBuilder
  weight(name: string): Tensor
}

/** Names without the `module.` that training on several devices puts in front. */
function unwrapped(tensors: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> {
  return new Map(Array.from(tensors, ([name, tensor]) => [name.replace(/^module\./, ''), tensor]))
}

function blocksOf(names: ReadonlyMap<string, Tensor>, stage: number): number {
  let count = 0
  while (names.has(`layer${stage}.${count}.conv2.weight`)) count++
  return count
}

function basicBlock(b: Builder, x: Handle, name: string, stride: 1 | 2): Handle {
  const { g } = b
  const inner = g.node('Relu', [convNorm(b, x, `${name}.conv1`, `${name}.bn1`, stride)])
  const y = convNorm(b, inner, `${name}.conv2`, `${name}.bn2`, 1)
  const [to, from] = b.weight(`${name}.conv1.weight`).shape as [number, number]
  const skip = to === from && stride === 1 ? x : shortcut(b, x, (to - from) / 2, stride)
  return g.node('Relu', [g.node('Add', [y, skip])])
}

/** Every other pixel in both directions, between channels of zeros. */
function shortcut({ g }: Builder, x: Handle, channels: number, stride: number): Handle {
  const list = (...values: number[]): Handle => g.constant(int64(values))
  const taken = g.node('Slice', [
    x,
    list(0, 0),
    list(2 ** 31 - 1, 2 ** 31 - 1),
    list(2, 3),
    list(stride, stride),
  ])
  return g.node('Pad', [taken, list(0, channels, 0, 0, 0, channels, 0, 0), g.constant(float32([0], []))])
}

function convNorm({ g, weight }: Builder, x: Handle, conv: string, norm: string, stride: number): Handle {
  const y = g.node(
    'Conv',
    [x, g.constant(weight(`${conv}.weight`), `${conv}.weight`)],
    { pads: [1, 1, 1, 1], strides: [stride, stride] },
    { name: conv },
  )
  const parameters = ['weight', 'bias', 'running_mean', 'running_var'].map(part =>
    g.constant(weight(`${norm}.${part}`), `${norm}.${part}`),
  )
  return g.node('BatchNormalization', [y, ...parameters], { epsilon: floatAttribute(1e-5) })
}
