import { existsSync, readdirSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { type FileContents, readFile, writeNpy, writeNpz, writeSafetensors } from '../../formats/index.ts'
import { realFile } from '../../formats/testdata.suite.ts'
import { graphBuilder } from '../../graph/builder.ts'
import type { Graph } from '../../graph/graph.ts'
import { load, save } from '../../model.ts'
import { randomFeeds } from '../../runtime/random-feeds.ts'
import { runReference } from '../../runtime/reference.ts'
import { fromNumbers } from '../../tensor/elements.ts'
import { float32, int64, sameTensor, type Tensor, tensor } from '../../tensor/tensor.ts'
import { affine, classifier, espalier, type Ran, temporaryFolder, weight } from '../testing.ts'

const path = temporaryFolder()
const convert = (from: string, to: string, ...args: string[]): Promise<Ran> =>
  espalier(['convert', path(from), path(to), ...args])

const tensors = new Map<string, Tensor>([
  ['layer.weight', weight([4, 8])],
  ['layer.bias', fromNumbers('float16', [4], [1, 2, 3, 4])],
  ['step', int64(3)],
  ['mask', fromNumbers('bool', [2], [0, 1])],
])

async function tensorsOf(name: string): Promise<Extract<FileContents, { kind: 'tensors' }>> {
  const contents = await readFile(path(name))
  if (contents.kind !== 'tensors') throw new Error(`${name} holds a graph`)
  return contents
}

async function expectTensors(name: string, expected: ReadonlyMap<string, Tensor>): Promise<void> {
  const found = (await tensorsOf(name)).tensors
  expect([...found.keys()].sort()).toEqual([...expected.keys()].sort())
  for (const [key, value] of expected) expect(sameTensor(found.get(key)!, value), key).toBe(true)
}

/** Outputs for one input: what a graph means. */
function meaning(graph: Graph, x: Tensor = weight([2, 3, 4, 4])): Tensor {
  const [input, output] = [graph.inputs[0]!.name, graph.outputs[0]!.name]
  return runReference(graph, { [input]: x }).get(output) as Tensor
}

beforeAll(async () => {
  await writeSafetensors(path('t.safetensors'), tensors, new Map([['format', 'pt']]))
  await save(path('m.onnx'), classifier())
})

describe('tensors', () => {
  test('between formats that hold several, with their remarks', async () => {
    const { code, stdout, stderr } = await convert('t.safetensors', 't.npz')
    expect([code, stdout, stderr]).toEqual([0, `wrote ${path('t.npz')}: 4 tensors\n`, ''])
    await expectTensors('t.npz', tensors)
    await convert('t.npz', 'back.safetensors')
    await expectTensors('back.safetensors', tensors)
    expect((await tensorsOf('back.safetensors')).metadata).toEqual(new Map([['format', 'pt']]))
  })

  test.each(['npy', 'idx', 'pb'])('one of them to %s, which has no remarks', async ending => {
    const { code, stderr } = await convert('t.safetensors', `w.${ending}`, '--tensor', 'layer.weight')
    expect(code).toBe(0)
    expect(stderr).toBe(
      `note: not in ${path(`w.${ending}`)}: 3 other tensors\nnote: not in ${path(`w.${ending}`)}: 1 remark (format)\n`,
    )
    const [value] = (await tensorsOf(`w.${ending}`)).tensors.values()
    expect(sameTensor(value!, tensors.get('layer.weight')!)).toBe(true)
  })

  test('some of them, in the order given', async () => {
    const { json } = await convert('t.safetensors', 'some.npz', '-t', 'step', '-t', 'mask', '--json')
    expect(json).toEqual({
      from: path('t.safetensors'),
      to: path('some.npz'),
      format: 'npz',
      tensors: ['step', 'mask'],
      nodes: 0,
      left: ['2 other tensors'],
    })
    expect([...(await tensorsOf('some.npz')).tensors.keys()]).toEqual(['step', 'mask'])
  })

  test('in place', async () => {
    await writeNpz(path('same.npz'), tensors)
    expect((await convert('same.npz', 'same.npz', '-t', 'step')).code).toBe(0)
    await expectTensors('same.npz', new Map([['step', int64(3)]]))
  })

  test.each([
    ['bfloat16', fromNumbers('bfloat16', [1], [1]), 'npz', 1, 'bad-dtype'],
    ['float16', fromNumbers('float16', [1], [1]), 'idx', 1, 'bad-dtype'],
    ['int64', int64([1]), 'idx', 1, 'bad-dtype'],
    ['bfloat16', fromNumbers('bfloat16', [1], [1]), 'npy', 1, 'bad-dtype'],
  ])('%s is not bent to fit into %s', async (_, value, ending, code, error) => {
    await writeSafetensors(path('odd.safetensors'), new Map([['odd', value]]))
    const ran = await convert('odd.safetensors', `odd.${ending}`, '--json')
    expect(ran.code).toBe(code)
    expect(ran.json.error.code).toBe(error)
    expect(existsSync(path(`odd.${ending}`))).toBe(false)
  })

  test('strings to safetensors are refused', async () => {
    await writeNpy(path('s.npy'), tensor('string', [1], ['a']))
    expect((await convert('s.npy', 's.safetensors', '--json')).json.error.code).toBe('bad-dtype')
  })
})

describe('models', () => {
  test('to models that mean the same, whatever is done on the way', async () => {
    const original = meaning(classifier())
    for (const args of [[], ['--fold'], ['--annotate'], ['--fold', '--annotate', '--external-data']]) {
      const { code, stdout } = await convert('m.onnx', 'n.onnx', ...args)
      expect([code, stdout]).toEqual([0, `wrote ${path('n.onnx')}: 6 nodes, 3 constants\n`])
      expect(sameTensor(meaning(await load(path('n.onnx'))), original)).toBe(true)
    }
    expect(existsSync(path('n.onnx.data'))).toBe(false)
  })

  test('with weights in a file of their own', async () => {
    const g = graphBuilder()
    const x = g.input('x', 'float32', [1, 64])
    g.output(g.node('MatMul', [x, g.constant(weight([64, 8]))], {}, { outputs: ['y'] }))
    await save(path('wide.onnx'), g.build())
    await convert('wide.onnx', 'external.onnx', '--external-data')
    expect(readdirSync(path(''))).toContain('external.onnx.data')
    const back = await load(path('external.onnx'))
    expect(sameTensor(meaning(back, weight([1, 64])), meaning(g.build(), weight([1, 64])))).toBe(true)
    await convert('external.onnx', 'external.onnx', '--external-data')
    expect(
      sameTensor(
        meaning(await load(path('external.onnx')), weight([1, 64])),
        meaning(g.build(), weight([1, 64])),
      ),
    ).toBe(true)
  })

  test('folded: constants are computed', async () => {
    const g = graphBuilder()
    const sum = g.node(
      'Add',
      [g.constant(float32([1, 2])), g.constant(float32([3, 4]))],
      {},
      { outputs: ['sum'] },
    )
    g.output(g.node('Mul', [g.input('x', 'float32', [2]), sum], {}, { outputs: ['y'] }))
    await save(path('sum.onnx'), g.build())
    const { stdout } = await convert('sum.onnx', 'sum.onnx', '--fold')
    expect(stdout).toContain('1 node, 1 constant')
    const folded = await load(path('sum.onnx'))
    expect(sameTensor(folded.initializers.get('sum') as Tensor, float32([4, 6]))).toBe(true)
    expect(sameTensor(meaning(folded, float32([1, 1])), float32([4, 6]))).toBe(true)
  })

  test('annotated: every value has its shape', async () => {
    await convert('m.onnx', 'shapes.onnx', '--annotate')
    expect((await load(path('m.onnx'))).values.has('features')).toBe(false)
    expect((await load(path('shapes.onnx'))).values.get('features')?.type).toMatchObject({
      dtype: 'float32',
      shape: ['batch', 8, 4, 4],
    })
  })

  test('cut: the parts together mean the whole', async () => {
    await convert('m.onnx', 'body.onnx', '--inputs', 'image', '--outputs', 'pooled')
    await convert('m.onnx', 'head.onnx', '--inputs', 'pooled', '--outputs', 'logits')
    const [body, head] = [await load(path('body.onnx')), await load(path('head.onnx'))]
    expect([body.nodes.length, head.nodes.length]).toEqual([5, 1])
    expect(head.inputs[0]?.type).toMatchObject({ shape: ['batch', 4] })
    expect(sameTensor(meaning(head, meaning(body)), meaning(classifier()))).toBe(true)
  })

  test('to tensors: constants only, sparse ones made dense', async () => {
    const graph = affine()
    const sparse = { dtype: 'float32', shape: [3], values: float32([2]), indices: int64([1]) } as const
    await save(path('a.onnx'), {
      ...graph,
      initializers: new Map([...graph.initializers, ['scale', sparse]]),
    })
    const { code, stderr } = await convert('a.onnx', 'a.npz')
    expect(code).toBe(0)
    expect(stderr).toBe(`note: not in ${path('a.npz')}: the graph: 2 nodes; only constants were written\n`)
    await expectTensors(
      'a.npz',
      new Map<string, Tensor>([
        ['scale', float32([0, 2, 0])],
        ['shift', float32([1])],
      ]),
    )
  })
})

describe('what is refused, leaving files as they were', () => {
  test.each([
    [
      ['t.safetensors', 'x.onnx'],
      1,
      't.safetensors: the file holds tensors without a graph, which make no model. Builders',
    ],
    [['m.onnx', 'x.npz', '--fold'], 2, '--fold: this option is for models, and tensors are written'],
    [['m.onnx', 'x.npz', '--external-data'], 2, '--external-data: this option is for models'],
    [
      ['m.onnx', 'x.onnx', '--tensor', 'a'],
      2,
      '--tensor: this option is for files of tensors, and a model is written',
    ],
    [['m.onnx', 'x.onnx', '--inputs', 'image'], 2, '--inputs: the options inputs and outputs go together'],
    [['m.onnx', 'x.onnx', '--outputs', 'logits'], 2, '--outputs: the options inputs and outputs go together'],
    [
      ['m.onnx', 'x.onnx', '--inputs', 'image', '--outputs', 'nowhere'],
      1,
      'm.onnx, tensor "nowhere": the graph has no such value',
    ],
    [['m.onnx', 'x.onnx', '--inputs', 'features,', '--outputs', 'logits'], 2, '--inputs has an empty name'],
    [['t.safetensors', 'x.npz', '-t', 'weight'], 2, '--tensor: there is no tensor "weight"; expected'],
    [['t.safetensors', 'x.npy'], 1, 'npy file holds exactly one tensor; got 4: '],
    [['t.safetensors', 'x.pth'], 1, 'x.pth: PyTorch checkpoint files are read only'],
    [['t.safetensors', 'x.bin'], 1, 'x.bin: '],
    [['t.safetensors', 'x'], 1, 'x: the name does not say which format to write'],
    [['gone.npz', 'x.npy'], 1, 'gone.npz: cannot open: no such file or folder'],
    [['t.safetensors', 'no/x.npz'], 1, 'no/x.npz: cannot write: there is no folder'],
  ])('%j', async ([from, to, ...args], code, message) => {
    const ran = await convert(from!, to!, ...args)
    expect(ran.code).toBe(code)
    expect(ran.stdout).toBe('')
    expect(ran.stderr.replaceAll(`${path('')}/`, '')).toContain(message)
    expect(readdirSync(path('')).filter(name => /^x|tmp$/.test(name))).toEqual([])
  })
})

const checkpoints = [
  'models/cifar10/resnet20-12fca82f.th',
  'models/cifar10/vit_cifar10.pth',
  'models/cifar10/woodfisher_resnet20_cifar10.pth.tar',
  'models/mnist/woodfisher_mnist_25_epoch_93.97.ckpt',
]
describe.skipIf(realFile(checkpoints[0]!) === undefined)('real files', () => {
  test.each(checkpoints)('%s to safetensors to npz', async name => {
    const source = await readFile(realFile(name)!)
    if (source.kind !== 'tensors') throw new Error('no tensors')
    expect((await espalier(['convert', realFile(name)!, path('real.safetensors')])).code).toBe(0)
    expect((await convert('real.safetensors', 'real.npz')).code).toBe(0)
    await expectTensors('real.npz', source.tensors)
    expect((await tensorsOf('real.npz')).metadata).toEqual(source.metadata)
  })

  test('a model cut into halves that together are the whole', async () => {
    const file = realFile('models/onnx/dtln/model_1.onnx')!
    const whole = await load(file)
    const half = (name: string, inputs: string, outputs: string): Promise<Ran> =>
      espalier(['convert', file, path(name), '--inputs', inputs, '--outputs', outputs, '--fold'])
    const middle = whole.nodes.find(({ op }) => op === 'MatMul')!.inputs[0]!
    expect((await half('first.onnx', 'input_2,input_3', middle)).code).toBe(0)
    expect((await half('second.onnx', middle, 'activation_2')).code).toBe(0)
    const feeds = randomFeeds(whole.inputs)
    const between = runReference(await load(path('first.onnx')), feeds)
    const end = runReference(await load(path('second.onnx')), between).get('activation_2') as Tensor
    expect(sameTensor(end, runReference(whole, feeds).get('activation_2') as Tensor)).toBe(true)
  })
})
