import { writeFileSync } from 'node:fs'
import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  readNpy,
  readNpz,
  readSafetensors,
  writeIdx,
  writeNpy,
  writeNpz,
  writeSafetensors,
} from '../../formats/index.ts'
import { floatAttribute, graphBuilder } from '../../graph/builder.ts'
import { tensorType } from '../../graph/graph.ts'
import { save } from '../../model.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { float32, int64, sameTensor, tensor } from '../../tensor/tensor.ts'
import { affine, classifier, espalier, type Ran, temporaryFolder, weight } from '../testing.ts'

const path = temporaryFolder()
const run = (...args: string[]): Promise<Ran> => espalier(['run', ...args])
const model = path('affine.onnx')
const x = path('x.npy')
const ran =
  /^ran on the (native|wasm) back end \(\w+(-relaxed)?, \d+ threads?\) in [\d.,]+ ms; a first run, with its plan: espalier bench measures\n/m

/** The error of a run that must fail. */
async function failure(code: number, ...args: string[]): Promise<string> {
  const result = await run(...args)
  const { stderr } = result
  expect([result.code, result.stdout]).toEqual([code, ''])
  return stderr.slice(stderr.indexOf('espalier: error: ')).replaceAll(`${path('')}/`, '')
}

beforeAll(async () => {
  await save(model, affine())
  await save(path('whole.onnx'), affine('int64'))
  await save(path('classifier.onnx'), classifier())
  await writeNpy(x, float32([1, 2, 3, 4, 5, 6], [2, 3]))
  const g = graphBuilder()
  const square = g.node('MatMul', [g.input('x', 'float32', ['n', 3]), g.constant(weight([3, 2]))])
  // An operator without a kernel.
  g.output(g.node('Det', [square]))
  await save(path('determinant.onnx'), g.build())
})

describe('arrays', () => {
  const expected =
    'y  float32 2x3\n  2, 5, 10, 5, 11, 19\n  min 2, max 19, mean 8.66667, standard deviation 5.55778\n'

  test('for the only input, and by name', async () => {
    for (const input of [x, `x=${x}`]) {
      const { code, stdout, stderr } = await run(model, '--input', input)
      expect([code, stdout]).toEqual([0, expected])
      expect(stderr).toMatch(ran)
    }
  })

  test('from archives: by the name of the input, by a name of their own, of one alone', async () => {
    const values = float32([1, 2, 3, 4, 5, 6], [2, 3])
    await writeNpz(path('several.npz'), [
      ['x', values],
      ['other', float32([1])],
    ])
    await writeNpz(path('renamed.npz'), [
      ['a', values],
      ['other', float32([1])],
    ])
    await writeSafetensors(path('one.safetensors'), new Map([['a', values]]))
    for (const input of ['several.npz', 'renamed.npz#a', 'one.safetensors'])
      expect((await run(model, '-i', path(input))).stdout).toBe(expected)
    expect((await run(model, '-i', `x=${path('renamed.npz#a')}`)).stdout).toBe(expected)
    expect(await failure(1, model, '-i', path('renamed.npz'))).toContain(
      'renamed.npz: the file holds several arrays, and none has the name of the input, "x"; expected a, other',
    )
    expect(await failure(1, model, '-i', path('renamed.npz#b'))).toContain(
      'the file holds no array "b"; expected a, other',
    )
  })

  test('converted where that is safe, and said', async () => {
    await writeNpy(path('doubles.npy'), fromNumbers('float64', [1, 3], [1, 2, 3]))
    const { stdout, stderr } = await run(model, '-i', path('doubles.npy'))
    expect(stdout).toMatch(/ 2, 5, 10\n/)
    expect(stderr).toContain('note: input "x": float64 is converted to float32\n')
    await writeNpy(path('row.npy'), fromNumbers('int32', [3], [1, 2, 3]))
    expect((await run(path('whole.onnx'), '-i', path('row.npy'))).stderr).toMatch(
      /note: input "x": the array of shape 3 is taken as 1x3\nnote: input "x": int32 is converted to int64\n/,
    )
    expect(await failure(1, path('whole.onnx'), '-i', path('doubles.npy'))).toContain(
      'tensor "x": the array has another data type than the input; expected int64, got float64',
    )
  })

  test('rows of a data set', async () => {
    await writeIdx(
      path('images.idx'),
      fromNumbers(
        'uint8',
        [5, 4, 4],
        Array.from({ length: 80 }, (_, i) => i),
      ),
    )
    const g = graphBuilder()
    const images = g.input('images', 'float32', ['batch', 1, 4, 4])
    g.output(g.node('Flatten', [images], {}, { outputs: ['flat'] }), tensorType('float32', ['batch', 16]))
    await save(path('flatten.onnx'), g.build())
    const args = [path('flatten.onnx'), '-i', path('images.idx'), '--take', '3:5']
    const { stdout, stderr } = await run(...args)
    expect(stdout).toMatch(/^flat {2}float32 2x16\n {2}48, 49, /)
    expect(stderr).toContain('the array of shape 2x4x4 is taken as 2x1x4x4')
    expect(stderr).toContain('uint8 is converted to float32, with values from 0 to 255')
    expect((await run(...args, '--scale', '1/2', '--mean', '24')).stdout).toMatch(/\n {2}0, 0.5, 1, /)
    expect(await failure(1, path('flatten.onnx'), '-i', path('images.idx'), '--take', '6')).toContain(
      'the array does not have these rows; expected rows within 0 to 5, got 0 to 6',
    )
    expect(await failure(2, ...args, '--take', '1')).toContain('--take is given twice')
  })
})

describe('pictures', () => {
  const red = { width: 8, height: 6, channels: 3, background: { r: 255, g: 0, b: 51 } } as const

  test('are scaled to the input, normalised and given channels first', async () => {
    await sharp({ create: red }).png().toFile(path('red.png'))
    const { code, json } = await espalier([
      'run',
      path('classifier.onnx'),
      '-i',
      path('red.png'),
      '--value',
      'image',
      '--mean',
      '0.5,0,0',
      '--std',
      '0.5,1,0.2',
      '--json',
    ])
    expect(code).toBe(0)
    expect(json.outputs.image.shape).toEqual([1, 3, 4, 4])
    const planes = [1, 0, 1].flatMap(value => new Array(16).fill(value))
    for (const [index, value] of json.outputs.image.data.entries())
      expect(value).toBeCloseTo(planes[index]!, 6)
  })

  test('need an input for pictures, a file, and normalisation that fits', async () => {
    expect(await failure(1, model, '-i', path('red.png'))).toContain(
      'red.png, tensor "x": this input does not take a picture; expected a shape such as 1x3xHxW or 1xHxWx3, got float32 nx3',
    )
    expect(await failure(1, path('classifier.onnx'), '-i', path('gone.jpg'))).toContain(
      'gone.jpg: cannot open: no such file',
    )
    expect(await failure(1, path('classifier.onnx'), '-i', path('red.png'), '--mean', '1,2')).toContain(
      '"mean": one value, or one for each channel; expected 1 or 3, got 2',
    )
    writeFileSync(path('text.png'), 'not a picture')
    expect(await failure(1, path('classifier.onnx'), '-i', path('text.png'))).toContain(
      'text.png: cannot decode the picture',
    )
  })
})

describe('random inputs', () => {
  test('are the same with the same seed, and another with another', async () => {
    const outputs = await Promise.all(
      [[], ['--seed', '0'], ['--seed', '1'], ['-s', 'n=2']].map(
        async args => (await run(model, '-r', ...args)).stdout,
      ),
    )
    expect(outputs[0]).toMatch(/^y {2}float32 1x3\n/)
    expect(outputs[1]).toBe(outputs[0])
    expect(outputs[2]).not.toBe(outputs[0])
    expect(outputs[3]).toMatch(/^y {2}float32 2x3\n/)
  })

  test('take a batch of 1 and say so; other symbols must be given', async () => {
    expect((await run(model, '-r')).stderr).toContain('note: n is taken as 1; --symbol n=N for another\n')
    const g = graphBuilder()
    g.output(g.node('Relu', [g.input('x', 'float32', [1, 'length'])], {}, { outputs: ['y'] }))
    await save(path('sequence.onnx'), g.build())
    expect(await failure(1, path('sequence.onnx'), '-r')).toBe(
      'espalier: error: sequence.onnx, tensor "x": the shape is not fixed; got float32 1xlength. Give a value to length; on the command line --symbol length=N\n',
    )
    expect((await run(path('sequence.onnx'), '-r', '-s', 'length=3')).stdout).toMatch(/^y {2}float32 1x3/)
  })
})

describe('outputs', () => {
  test('are saved in the format that the name says', async () => {
    const values = float32([2, 5, 10, 5, 11, 19], [2, 3])
    const { stderr } = await run(model, '-i', x, '-o', path('y.npz'))
    expect(stderr).toContain(`saved y to ${path('y.npz')}`)
    expect(sameTensor((await readNpz(path('y.npz'))).tensors.get('y')!, values)).toBe(true)
    await run(model, '-i', x, '-o', path('y.npy'))
    expect(sameTensor(await readNpy(path('y.npy')), values)).toBe(true)
    await run(model, '-i', x, '-o', path('y.safetensors'), '-v', 'y', '-v', 'scaled')
    const { tensors } = await readSafetensors(path('y.safetensors'))
    expect([...tensors.keys()].sort()).toEqual(['scaled', 'y'])
    expect([...numbers(tensors.get('scaled')!)]).toEqual([1, 4, 9, 4, 10, 18])
  })

  test('that cannot be saved', async () => {
    expect(await failure(1, model, '-i', x, '-o', path('y.txt'))).toMatch(
      /y\.txt: the name does not say which format/,
    )
    expect(await failure(2, model, '-i', x, '-o', path('y.onnx'))).toContain('outputs are arrays')
    expect(await failure(1, model, '-i', x, '-o', path('no/y.npz'))).toContain('there is no folder no')
  })

  test('as JSON: figures and elements, cut off past a thousand', async () => {
    const { json } = await run(model, '-i', x, '--json')
    expect(json).toMatchObject({
      file: model,
      backEnd: expect.stringMatching(/^(native|wasm)$/),
      isa: expect.any(String),
      threads: expect.any(Number),
      outputs: {
        y: {
          dtype: 'float32',
          shape: [2, 3],
          min: 2,
          max: 19,
          truncated: false,
          data: [2, 5, 10, 5, 11, 19],
        },
      },
    })
    expect(json.milliseconds).toBeGreaterThan(0)
    const long = (await run(model, '-r', '-s', 'n=400', '--json')).json.outputs.y
    expect([long.truncated, long.data.length, long.shape]).toEqual([true, 1000, [400, 3]])
    const saved = await run(model, '-i', x, '-o', path('y.npy'), '--json')
    expect(saved.json.saved).toBe(path('y.npy'))
  })

  test('any value of the graph, and no other', async () => {
    expect((await run(model, '-i', x, '--value', 'scaled', '--value', 'scale')).stdout).toMatch(
      /^scaled {2}float32 2x3\n.*\n.*\nscale {2}float32 3\n {2}1, 2, 3\n/,
    )
    expect(await failure(2, model, '-i', x, '--value', 'scaledd')).toContain(
      'the model has no value "scaledd". Did you mean scaled?',
    )
    expect(await failure(2, model, '-i', x, '--value', 'nothing like it')).toContain(
      'inspect --graph shows all',
    )
  })

  test('the largest elements', async () => {
    expect((await run(model, '-i', x, '--top', '2')).stdout).toMatch(
      /\n {2}top 2 of row 0: 2 \(10\), 1 \(5\)\n {2}top 2 of row 1: 2 \(19\), 1 \(11\)\n$/,
    )
    const { stdout } = await run(model, '-r', '-s', 'n=20', '--top', '1')
    expect(stdout).toMatch(/top 1 of row 7: .*\n {2}and 12 more rows\n$/)
    expect(await failure(2, model, '-i', x, '--top', '0')).toContain('expected 1 or more')
  })

  test('with numbers that are none', async () => {
    await writeNpy(path('nan.npy'), float32([1, Number.NaN, Number.POSITIVE_INFINITY], [1, 3]))
    const { code, stdout, stderr } = await run(model, '-i', path('nan.npy'))
    expect(code).toBe(0)
    expect(stdout).toContain('  2, NaN, Infinity\n  min 2, max 2, mean 2, standard deviation 0\n')
    expect(stderr).toContain('warning: "y" holds 1 NaN and 1 infinite among 3 numbers\n')
    expect((await run(model, '-i', path('nan.npy'), '--json')).json.outputs.y).toMatchObject({
      nans: 1,
      infinities: 1,
      data: [2, 'NaN', 'Infinity'],
    })
  })
})

describe('what runs it', () => {
  test('any back end, with the same result', async () => {
    const results = await Promise.all(
      ['reference', 'wasm', 'auto'].map(backend =>
        run(model, '-i', x, '--backend', backend, '--threads', '1', '--json'),
      ),
    )
    expect(results.map(({ json }) => [json.threads, json.outputs.y.data])).toEqual(
      new Array(3).fill([1, [2, 5, 10, 5, 11, 19]]),
    )
    const [reference, wasm] = results.map(({ json }) => json)
    expect([reference.backEnd, reference.isa]).toEqual(['reference', undefined])
    expect([wasm.backEnd, wasm.isa]).toEqual(['wasm', expect.stringMatching(/^wasm/)])
    expect((await run(model, '-i', x, '-b', 'reference')).stderr).toMatch(
      /^ran on the reference back end in [\d.,]+ ms; it is exact and not made for speed\n/m,
    )
  })

  test('is explained: what has no kernel first', async () => {
    const { stdout } = await run(model, '-i', x, '--explain', '--threads', '1')
    expect(stdout).toMatch(/\n\nevery operator runs on kernels\n\d steps? on .*, 1 thread; .*\n {2}\w/)
    expect((await run(path('determinant.onnx'), '-i', x, '--explain')).stdout).toMatch(/\n\nno kernel: /)
    const whole = await run(model, '-i', x, '--explain', '--json')
    expect(whole.json.explanation[0]).toBe('every operator runs on kernels')
  })

  test('and is dumped in place of running: graphs after passes, and the plan', async () => {
    const graph = await run(model, '--dump', 'fuse')
    expect([graph.code, graph.stderr]).toEqual([0, ''])
    expect(graph.stdout).toMatch(
      /^graph affine \(onnx 21.*\{\n {2}input x: float32 nx3\n(.*\n)+ {2}output y: .*\n\}\n$/,
    )
    const scaled = await run(model, '--dump', 'normalize', '--value', 'scaled', '--json')
    expect(scaled.json).toMatchObject({ stage: 'normalize', text: expect.stringContaining('output scaled') })
    const plan = await run(model, '-i', x, '--dump', 'plan', '--threads', '2')
    expect(plan.stdout).toMatch(
      /^plan \(\w.*, 2 threads, \d+ bytes of arena\) \{\n {2}input x@\d+: float32 2x3\n/,
    )
    expect(await failure(1, model, '-r', '--dump', 'plan', '-b', 'reference')).toContain(
      'the reference has no plan',
    )
  })

  test('is refused when it does not exist', async () => {
    expect(await failure(2, model, '--dump', 'fusion')).toContain(
      '--dump: there is no stage "fusion"; expected fold, shapes, normalize, quantize, layout, fuse, plan',
    )
    expect(await failure(2, model, '-b', 'gpu')).toContain(
      'there is no back end "gpu"; expected auto, native, wasm, reference. espalier doctor shows',
    )
    expect(await failure(2, model, '--threads', '0')).toContain('expected from 1 to 1024')
  })
})

describe('values that are no tensors of numbers', () => {
  test('sequences in and out', async () => {
    const g = graphBuilder()
    const list = g.inputOf('list', { kind: 'sequence', element: tensorType('float32') })
    g.output(g.node('SequenceErase', [list], {}, { outputs: ['shorter'] }))
    g.output(g.node('SequenceLength', [list], {}, { outputs: ['length'] }))
    await save(path('list.onnx'), g.build())
    await writeNpz(path('list.npz'), [
      ['a', float32([1])],
      ['b', float32([2, 3])],
    ])
    const { stdout } = await run(path('list.onnx'), '-i', path('list.npz'))
    expect(stdout).toBe('shorter  sequence of 1\n  shorter[0]  float32 1\n    1\nlength  int64 scalar\n  2\n')
    expect(await failure(1, path('list.onnx'), '-i', path('list.npz'), '-o', path('l.npz'))).toContain(
      'tensor "shorter": only tensors can be saved; got a sequence. Name the values to save with --value',
    )
    expect(
      (await run(path('list.onnx'), '-i', path('list.npz'), '--json')).json.outputs.shorter,
    ).toMatchObject([{ data: [1] }])
    expect(await failure(1, path('list.onnx'), '-r')).toContain(
      'random numbers do not make a value for this input; got sequence of float32',
    )
  })

  test('optionals', async () => {
    const g = graphBuilder()
    const maybe = g.inputOf('maybe', { kind: 'optional', element: tensorType('float32', [2]) })
    g.output(g.node('OptionalHasElement', [maybe], {}, { outputs: ['given'] }))
    g.output(g.node('Identity', [maybe], {}, { outputs: ['same'] }))
    await save(path('maybe.onnx'), g.build())
    const empty = await run(path('maybe.onnx'))
    expect(empty.stderr).toContain('note: input "maybe" is optional and left empty\n')
    expect(empty.stdout).toBe('given  bool scalar\n  0\nsame  empty optional\n')
    await writeNpy(path('two.npy'), float32([1, 2]))
    expect((await run(path('maybe.onnx'), '-i', path('two.npy'))).stdout).toMatch(
      /^given {2}bool scalar\n {2}1\nsame {2}float32 2\n/,
    )
  })

  test('strings and 64-bit integers, exact', async () => {
    const g = graphBuilder()
    g.output(
      g.node('Identity', [g.constant(tensor('string', [2], ['a\nb', 'c']))], {}, { outputs: ['text'] }),
    )
    g.output(g.node('Identity', [g.input('n', 'int64', [1])], {}, { outputs: ['m'] }))
    await save(path('text.onnx'), g.build())
    await writeNpy(path('n.npy'), tensor('int64', [1], BigInt64Array.of(2n ** 60n + 1n)))
    const { stdout } = await run(path('text.onnx'), '-i', path('n.npy'))
    expect(stdout).toBe('text  string 2\n  "a\\nb", "c"\nm  int64 1\n  1152921504606846977\n')
  })
})

describe('what is refused', () => {
  test.each([
    [1, [], 'no value for "x" (float32 nx3). Give --input x=FILE, or --random'],
    [1, ['-i', x, '-i', `x=${x}`], 'tensor "x": two files feed this input'],
    [1, ['-i', path('none.npy')], 'none.npy: cannot open: no such file or folder'],
    [1, ['-i', model], 'affine.onnx: the file holds a model, and no values for an input'],
    [2, ['-i', `z=${x}`], 'the model has no input "z"; expected x'],
    [2, ['-r', '-s', 'm=2'], 'the model has no symbolic dimension "m"; expected n\n'],
    [2, ['-r', '--mean', 'a'], '--mean is not made of numbers: "a"'],
    [2, ['-r', '--scale', '1,2'], '--scale is one number for all channels'],
    [2, ['-r', '--seed', '-1'], '--seed is not a whole number in range: "-1"'],
  ] as const)('exit code %d: %j', async (code, args, message) => {
    expect(await failure(code, model, ...args)).toContain(message)
  })

  test('shapes that do not fit, and files that feed no input in particular', async () => {
    await writeNpy(path('wide.npy'), weight([2, 4]))
    expect(await failure(1, model, '-i', path('wide.npy'))).toContain(
      'tensor "x": the input has another shape; expected nx3, got 2x4',
    )
    const g = graphBuilder()
    g.output(g.node('Add', [g.input('a', 'float32', [1]), g.input('b', 'float32', [1])]))
    await save(path('two.onnx'), g.build())
    expect(await failure(1, path('two.onnx'), '-i', x)).toContain(
      'x.npy: it is not said which input this file is for; expected a or b',
    )
  })

  test('models that cannot run: all missing operators in one message', async () => {
    const g = graphBuilder({ opsets: { 'com.example': 1 } })
    const y = g.node('First', [g.input('x', 'float32', [1])], {}, { domain: 'com.example', name: 'n1' })
    g.output(g.node('Second', [y], { gain: floatAttribute(2) }, { domain: 'com.example', name: 'n2' }))
    await save(path('missing.onnx'), g.build())
    expect(await failure(1, path('missing.onnx'))).toMatch(
      /2 operators of this graph cannot run:\n.*First.*\n.*Second/,
    )
    expect(await failure(1, x, '-r')).toContain('x.npy: the file holds tensors, not a model')
  })
})

test('progress of the reference goes to standard error, node by node', async () => {
  const { stderr, stdout } = await espalier(['run', model, '-r', '-b', 'reference'], { tick: 6000 })
  expect(stderr).toMatch(/^running node: 1 of 2$/m)
  expect(stdout).toMatch(/^y /)
})

test('a sum of two inputs from several files', async () => {
  const g = graphBuilder()
  g.output(
    g.node('Add', [g.input('a', 'int64', ['n']), g.input('b', 'int64', ['n'])], {}, { outputs: ['sum'] }),
  )
  await save(path('sum.onnx'), g.build())
  await writeNpy(path('a.npy'), int64([1, 2]))
  await writeNpy(path('b.npy'), int64([10, 20]))
  const { stdout } = await run(path('sum.onnx'), '-i', `a=${path('a.npy')}`, '-i', `b=${path('b.npy')}`)
  expect(stdout).toMatch(/^sum {2}int64 2\n {2}11, 22\n/)
})
