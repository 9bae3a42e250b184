import { readFile as readBytes } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import type { DType } from '../../tensor/dtype.ts'
import { numbers } from '../../tensor/elements.ts'
import { sameTensor, type Tensor } from '../../tensor/tensor.ts'
import { formatSuite } from '../format.suite.ts'
import { concatBytes } from '../io/bytes.ts'
import { readSafetensors } from '../safetensors/index.ts'
import { realFile } from '../testdata.suite.ts'
import { encodeZip, storedPart } from '../zip/write.ts'
import { golden, goldenPath, latin1 } from './golden.suite.ts'
import { readTorch, readTorchObject, torch } from './index.ts'
import type { PyTensor, PyValue } from './pickle/python.ts'

formatSuite({
  format: torch,
  samples: Object.fromEntries(
    ['tensors', 'tensors-legacy', 'training-legacy', 'objects-protocol-1', 'plain-tensor', 'module'].map(
      name => [name, golden(`${name}.pt`)],
    ),
  ),
})

/** A tensor as plain values: type, shape, elements. */
function plain(value: Tensor | undefined): [DType, readonly number[], number[]] | undefined {
  return value && [value.dtype, value.shape, [...numbers(value)]]
}

const counted = (length: number) => Array.from({ length }, (_, i) => i)

describe.each(['tensors.pt', 'tensors-legacy.pt'])('%s, as PyTorch wrote it', file => {
  const complex = [0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0]
  const expected: Record<string, [DType, number[], number[]]> = {
    ...Object.fromEntries(
      (
        ['float64', 'float32', 'float16', 'bfloat16', 'int64', 'int32', 'int16', 'int8', 'uint8'] as DType[]
      ).map(dtype => [dtype, [dtype, [2, 3], counted(6)]]),
    ),
    complex64: ['complex64', [2, 3], complex],
    complex128: ['complex128', [2, 3], complex],
    bool: ['bool', [2, 3], [0, 1, 0, 1, 0, 1]],
    contiguous: ['float32', [4, 6], counted(24)],
    transposed: ['float32', [6, 4], counted(24).map(i => (i % 4) * 6 + (i >> 2))],
    slice: ['float32', [2, 6], counted(12).map(i => i + 6)],
    strided: ['float32', [3, 3], [7, 9, 11, 13, 15, 17, 19, 21, 23]],
    flat: ['float32', [24], counted(24)],
    scalar: ['float32', [], [3.5]],
    empty: ['float32', [0, 3], []],
    expanded: ['float32', [3, 2], [1, 2, 1, 2, 1, 2]],
    permuted: ['int16', [4, 2, 3], counted(24).map(i => (i % 6) * 4 + Math.floor(i / 6))],
    wide: ['int64', [3, 2], [0, 3, 1, 4, 2, 5]],
    wider: ['complex128', [3, 2], [0, 0, 3, 0, 1, 0, 4, 0, 2, 0, 5, 0]],
    channels_last: ['float32', [1, 2, 2, 2], counted(8)],
  }

  test('every type and every kind of view', async () => {
    const { tensors, metadata } = await readTorch(golden(file))
    expect(metadata).toBeUndefined()
    expect(Object.fromEntries([...tensors].map(([name, value]) => [name, plain(value)]))).toEqual(expected)
  })

  test('tensors of one storage share its bytes; from a path these are aligned', async () => {
    const { tensors } = await readTorch(goldenPath(file))
    const [whole, slice] = ['contiguous', 'slice'].map(name => tensors.get(name)!.data as Float32Array)
    expect(slice!.buffer).toBe(whole!.buffer)
    expect(slice!.byteOffset).toBe(24)
    expect(whole!.byteOffset).toBe(0)
    expect(tensors.get('flat')!.data).toMatchObject({ buffer: whole!.buffer })
  })
})

test('tensors in a zip file in memory are views of it', async () => {
  const bytes = golden('tensors.pt')
  const { tensors } = await readTorch(bytes)
  expect((tensors.get('contiguous')!.data as Float32Array).buffer).toBe(bytes.buffer)
})

describe.each(['training.pt', 'training-legacy.pt'])('%s: a checkpoint of a training script', file => {
  test('gives the weights, and what stands beside them as metadata', async () => {
    const { tensors, metadata } = await readTorch(golden(file))
    const names = ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked']
    expect([...tensors.keys()]).toEqual(['0.weight', ...names.map(name => `1.${name}`)])
    expect(plain(tensors.get('0.weight'))).toEqual(['float32', [2, 3], counted(6)])
    expect(plain(tensors.get('1.num_batches_tracked'))).toEqual(['int64', [], [1]])
    expect(Object.fromEntries(metadata!)).toEqual({ epoch: '7', best: '91.5', note: 'tïny' })
  })

  test('gives another entry on request', async () => {
    const { tensors } = await readTorch(golden(file), { key: 'optimizer' })
    expect(tensors.get('state.0.exp_avg')!.shape).toEqual([2, 3])
    await expect(readTorch(golden(file), { key: 'ema' })).rejects.toMatchObject({ code: 'bad-argument' })
  })

  test('gives the whole object', async () => {
    const root = (await readTorchObject(golden(file))) as Map<PyValue, PyValue>
    const groups = (root.get('optimizer') as Map<PyValue, PyValue[]>).get('param_groups')!
    expect((groups[0] as Map<string, PyValue>).get('lr')).toBe(0.25)
    expect(root.get('args')).toMatchObject({
      type: 'object',
      class: 'argparse.Namespace',
      state: new Map<string, unknown>([
        ['arch', 'tiny'],
        ['layers', [3, 2]],
        ['out', { type: 'object', class: 'pathlib.PosixPath', args: ['runs', '1'], state: null }],
      ]),
    })
  })
})

test('module.pt: a whole module gives its state dict', async () => {
  const { tensors } = await readTorch(golden('module.pt'))
  expect([...tensors.keys()].slice(0, 3)).toEqual(['0.weight', '1.weight', '1.bias'])
  expect(plain(tensors.get('0.weight'))).toEqual(['float32', [2, 3], counted(6)])
})

describe.each(['objects.pt', 'objects-protocol-1.pt', 'objects-protocol-5.pt'])(
  '%s: one of every kind of value',
  file => {
    test('is read as documented', async () => {
      const root = (await readTorchObject(golden(file))) as Map<PyValue, PyValue>
      const pair = [...root.keys()].find(Array.isArray)!
      expect([pair, root.get(pair)]).toEqual([[0, 'pair'], 'tuple key'])
      root.delete(pair)
      const tensorOf = (name: string) => plain((root.get(name) as PyTensor).tensor)
      const object = (name: string, ...args: PyValue[]) => ({
        type: 'object',
        class: name,
        args,
        state: null,
      })
      expect(tensorOf('parameter')).toEqual(['float32', [2], [0, 1]])
      expect(root.get('parameter')).toMatchObject({ requiresGrad: true })
      expect(tensorOf('attributed')).toEqual(['float32', [2], [0, 1]])
      expect(root.get('storage')).toMatchObject({ type: 'storage', dtype: 'int32', length: 4 })
      expect(tensorOf('array')).toEqual(['float32', [2, 3], counted(6)])
      expect(tensorOf('fortran')).toEqual(['int64', [2, 3], counted(6)])
      expect(tensorOf('big')).toEqual(['int16', [3], [0, 1, 2]])
      expect(tensorOf('flags')).toEqual(['bool', [2], [1, 0]])
      expect((root.get('words') as PyTensor).tensor).toEqual({
        dtype: 'string',
        shape: [2],
        data: ['a', 'bcd'],
      })
      for (const name of ['parameter', 'attributed', 'storage', 'array', 'fortran', 'big', 'flags', 'words'])
        root.delete(name)
      expect(Object.fromEntries(root)).toEqual({
        none: null,
        true: true,
        int: -3,
        long: 2n ** 70n,
        negative: -(2 ** 40),
        float: 0.1,
        text: 'ä',
        bytes: Uint8Array.of(0, 255),
        bytearray: Uint8Array.of(97, 98),
        complex: object('builtins.complex', 1, 2),
        list: [1, [2]],
        tuple: [1, [2]],
        set: new Set([1, 2]),
        frozenset: new Set([3]),
        5: 'number key',
        ordered: new Map([['a', 1]]),
        default: new Map([['a', [1]]]),
        counter: new Map([
          ['a', 2],
          ['b', 1],
        ]),
        deque: [1, 2],
        size: [2, 3],
        device: object('torch.device', 'cuda', 1),
        dtype: { type: 'global', name: 'torch.bfloat16' },
        date: object('datetime.date', Uint8Array.of(7, 232, 2, 29)),
        type: { type: 'global', name: 'torch.optim.sgd.SGD' },
        float32: 0.5,
        int64: 2n ** 60n,
        bool_: true,
      })
    })
  },
)

test('recursive.pt: a list that contains itself', async () => {
  expect([...(await readTorch(golden('recursive.pt'))).tensors.keys()]).toEqual(['0'])
  const root = (await readTorchObject(golden('recursive.pt'))) as PyValue[]
  expect(root[1]).toBe(root)
})

test('plain-tensor.pt: a tensor with a file of its own inside the pickle', async () => {
  const { tensors } = await readTorch(golden('plain-tensor.pt'))
  expect(plain(tensors.get('w'))).toEqual(['float32', [2, 3], counted(6)])
})

test.each([
  ['sparse.pt', /sparse tensors are not supported/],
  ['quantized.pt', /quantised tensors are not supported/],
  ['torchscript.pt', /TorchScript.*state_dict/],
])('%s is refused by name', async (file, message) => {
  await expect(readTorch(golden(file))).rejects.toMatchObject({
    code: 'unsupported-format',
    message: expect.stringMatching(message),
  })
})

// Files made by hand, for what PyTorch 1.13 does not write.

const text = (value: string) => `X${String.fromCharCode(value.length)}\0\0\0${value}`
const storage = (type: string, key: string, length: number) =>
  `(${text('storage')}ctorch\n${type}\n${text(key)}${text('cpu')}K${String.fromCharCode(length)}tQ`
const rebuild = (place: string, size: string, more = '') =>
  `ctorch._utils\n_rebuild_tensor_v2\n(${place}K\0${size}K\x01\x85\x89)${more}tR`

/** A zip checkpoint of `a/data.pkl` and other entries. */
function zipped(pickle: string, entries: Record<string, Uint8Array> = {}): Uint8Array {
  const all = { 'data.pkl': latin1(`\x80\x02${pickle}.`), ...entries }
  return concatBytes(encodeZip(Object.entries(all).map(([name, bytes]) => storedPart(`a/${name}`, [bytes]))))
}

/** A legacy checkpoint: the object's pickle, the list of keys, and the storages. */
function legacy(pickle: string, keys: string[] = [], data = ''): Uint8Array {
  const magic = '\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.'
  const list = `\x80\x02(${keys.map(text).join('')}l.`
  return latin1(`${magic}\x80\x02M\xe9\x03.\x80\x02}.\x80\x02${pickle}.${list}${data}`)
}

const count64 = (count: number) => String.fromCharCode(count).padEnd(8, '\0')

describe('files of other versions', () => {
  test('PyTorch 2: types that have no storage class', async () => {
    const v3 = (dtype: string, length: number) =>
      `ctorch._utils\n_rebuild_tensor_v3\n(${storage('UntypedStorage', '0', 8)}K\x01K${String.fromCharCode(length)}\x85K\x01\x85\x89)ctorch\n${dtype}\ntR`
    const bytes = Uint8Array.of(0, 0, 1, 0, 2, 0, 3, 0)
    for (const [dtype, name, length, values] of [
      ['uint16', 'uint16', 3, [1, 2, 3]],
      ['uint32', 'uint32', 1, [0x30002]],
      ['float8_e4m3fn', 'float8e4m3fn', 2, [0, 2 ** -9]],
    ] as const) {
      const { tensors } = await readTorch(zipped(v3(dtype, length), { 'data/0': bytes }))
      expect(plain(tensors.get('data'))).toEqual([name, [length], values])
    }
    const unknown = readTorch(zipped(v3('float4_e2m1fn_x2', 1), { 'data/0': bytes }))
    await expect(unknown).rejects.toMatchObject({ code: 'unsupported-format' })
  })

  test('PyTorch 0.1: tensors without requires_grad, variables', async () => {
    const tensor = `ctorch._utils\n_rebuild_tensor\n(${storage('FloatStorage', '7', 1)}K\0K\x01\x85K\x01\x85tR`
    const pickle = `}${text('w')}ctorch.autograd.variable\nVariable\n(${tensor}\x88\x89)tRs`
    const { tensors } = await readTorch(legacy(pickle, ['7'], `${count64(1)}\0\0\x80\x3f`))
    expect(plain(tensors.get('w'))).toEqual(['float32', [1], [1]])
  })

  test('legacy storages that are views of others, and classes with their source', async () => {
    const view = storage('CharStorage', '7', 5).replace('tQ', `(${text('8')}K\x02K\x03ttQ`)
    const cls = `(${text('module')}ctorch.nn.modules.linear\nLinear\n${text('f.py')}${text('source')}tQ`
    const pickle = `(${rebuild(view, 'K\x02\x85')}${cls}l`
    const root = (await readTorchObject(
      legacy(pickle, ['7'], `${count64(5)}\x01\x02\x03\x04\x05`),
    )) as PyValue[]
    expect(plain((root[0] as PyTensor).tensor)).toEqual(['int8', [2], [3, 4]])
    expect(root[1]).toEqual({ type: 'global', name: 'torch.nn.modules.linear.Linear' })
  })

  test('NumPy 2 and protocol 5', async () => {
    const dtype = `cnumpy\ndtype\n(${text('f4')}\x89\x88tR(K\x03${text('<')}NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb`
    const array = `cnumpy._core.numeric\n_frombuffer\n(C\x08\0\0\0\0\0\0\x80?${dtype}K\x02\x85${text('C')}tR`
    expect(plain((await readTorch(zipped(array))).tensors.get('data'))).toEqual(['float32', [2], [0, 1]])
  })

  test('big-endian machines', async () => {
    const entries = {
      byteorder: latin1('big'),
      'data/0': Uint8Array.of(1, 2, 3, 4),
      'data/1': Uint8Array.of(5),
    }
    const pickle = `(${rebuild(storage('ShortStorage', '0', 2), 'K\x02\x85')}${rebuild(storage('ByteStorage', '1', 1), 'K\x01\x85')}l`
    const given = zipped(pickle, entries)
    const before = given.slice()
    const { tensors } = await readTorch(given)
    expect([...tensors.values()].map(plain)).toEqual([
      ['int16', [2], [0x102, 0x304]],
      ['uint8', [1], [5]],
    ])
    expect(given).toEqual(before)
    const halves = zipped(rebuild(storage('ComplexFloatStorage', '0', 1), 'K\x01\x85'), {
      byteorder: latin1('big'),
      'data/0': Uint8Array.of(0x3f, 0x80, 0, 0, 0x40, 0, 0, 0),
    })
    expect(plain((await readTorch(halves)).tensors.get('data'))).toEqual(['complex64', [1], [1, 2]])
  })

  test('entries without a checksum', async () => {
    const given = golden('tensors.pt')
    const view = new DataView(given.buffer)
    for (let at = 0; at + 46 <= given.length; at++)
      if (view.getUint32(at, true) === 0x02014b50) view.setUint32(at + 16, 0, true)
    expect((await readTorch(given)).tensors.size).toBe(24)
  })
})

describe('refuses', () => {
  const four = storage('FloatStorage', '0', 4)
  const data = { 'data/0': new Uint8Array(16) }

  test('to run anything', async () => {
    const attack = "cos\nsystem\n(S'touch owned'\ntR"
    for (const bytes of [zipped(attack), legacy(attack), zipped(`}${text('w')}${attack}s`)])
      await expect(readTorch(bytes)).rejects.toMatchObject({
        code: 'unsafe',
        message: expect.stringContaining('os.system'),
      })
    const root = await readTorchObject(zipped(attack), { unknownGlobals: 'placeholder' })
    expect(root).toEqual({ type: 'object', class: 'os.system', args: ['touch owned'], state: null })
  })

  test('to load a storage through a file inside that is no checkpoint', async () => {
    const inner = (bytes: Uint8Array) =>
      `ctorch.storage\n_load_from_bytes\nB${String.fromCharCode(bytes.length & 255, bytes.length >> 8)}\0\0${String.fromCharCode(...bytes)}\x85R`
    await expect(readTorch(zipped(inner(latin1('K\x01.'))))).rejects.toMatchObject({
      code: 'unsupported-format',
    })
    await expect(readTorch(zipped(inner(legacy('K\x01'))))).rejects.toMatchObject({ code: 'malformed' })
    await expect(readTorch(zipped(inner(legacy("cos\nsystem\n(S'x'\ntR"))))).rejects.toMatchObject({
      code: 'unsafe',
    })
    let nested = legacy('N')
    for (let depth = 0; depth < 8; depth++) nested = legacy(inner(nested))
    await expect(readTorch(nested)).rejects.toMatchObject({ code: 'malformed' })
  })

  test.each<[what: string, code: string, bytes: Uint8Array]>([
    ['other bytes', 'unsupported-format', latin1('no checkpoint')],
    ['nothing', 'unsupported-format', latin1('')],
    ['a tar file', 'unsupported-format', latin1(`${'sys_info'.padEnd(257, '\0')}ustar\0`)],
    ['another pickle', 'unsupported-format', latin1('\x80\x02}.')],
    ['another zip file', 'unsupported-format', concatBytes(encodeZip([storedPart('x', [])]))],
    [
      'two pickles',
      'unsupported-format',
      concatBytes(encodeZip([storedPart('a/data.pkl', []), storedPart('b/data.pkl', [])])),
    ],
    [
      'another version',
      'unsupported-format',
      latin1(String.fromCharCode(...legacy('N')).replace('M\xe9\x03', 'M\xea\x03')),
    ],
    ['an unknown byte order', 'malformed', zipped('N', { byteorder: latin1('middle') })],
    ['a tensor beyond its storage', 'malformed', zipped(rebuild(four, 'K\x05\x85'), data)],
    ['a storage that is not there', 'malformed', zipped(rebuild(four, 'K\x04\x85'))],
    [
      'a storage of another size',
      'malformed',
      zipped(rebuild(four, 'K\x04\x85'), { 'data/0': new Uint8Array(15) }),
    ],
    ['one storage of two sizes', 'malformed', zipped(`(${four}${storage('FloatStorage', '0', 3)}t`, data)],
    ['a storage of no type', 'malformed', zipped(storage('float32', '0', 4), data)],
    ['a quantised storage', 'unsupported-format', zipped(storage('QInt8Storage', '0', 4), data)],
    ['a storage that is no storage', 'malformed', zipped('(K\x01tQ')],
    [
      'a tensor that is still to be conjugated',
      'unsupported-format',
      zipped(rebuild(four, 'K\x04\x85', `}${text('conj')}\x88s`), data),
    ],
    ['a parameter of no tensor', 'malformed', zipped(`ctorch._utils\n_rebuild_parameter\n(K\x01\x88)tR`)],
    [
      'a tensor of a type with another type',
      'malformed',
      zipped(`ctorch._tensor\n_rebuild_from_type_v2\n(ctorch\nSize\nctorch\nTensor\n))tR`),
    ],
    [
      'an array without contents',
      'malformed',
      zipped('cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\0\x85C\x01btR'),
    ],
    [
      'a tensor far larger than its file',
      'too-large',
      zipped(`ctorch._utils\n_rebuild_tensor_v2\n(${four}K\0J\0\0\0\x7f\x85K\0\x85\x89)tR`, data),
    ],
    [
      'legacy storages of another size',
      'malformed',
      legacy(rebuild(four, 'K\x04\x85'), ['0'], count64(3) + '\0'.repeat(16)),
    ],
    [
      'legacy storages beyond the end',
      'truncated',
      legacy(rebuild(four, 'K\x04\x85'), ['0'], count64(4) + '\0'.repeat(15)),
    ],
    ['legacy storages that are not listed', 'malformed', legacy(rebuild(four, 'K\x04\x85'))],
    ['legacy storages that nobody uses', 'malformed', legacy('N', ['0'], count64(0))],
    [
      'legacy storages listed twice',
      'malformed',
      legacy(rebuild(four, 'K\x04\x85'), ['0', '0'], (count64(4) + '\0'.repeat(16)).repeat(2)),
    ],
    [
      'a view beyond its legacy storage',
      'malformed',
      legacy(storage('CharStorage', '7', 5).replace('tQ', `(${text('8')}K\x03K\x03ttQ`)),
    ],
  ])('%s', async (_, code, bytes) => {
    await expect(readTorchObject(bytes)).rejects.toMatchObject({ name: 'EspalierError', code })
  })

  test('NumPy arrays that cannot be', async () => {
    const array = (type: string, shape: string, bytes: string) =>
      zipped(
        `cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\0\x85C\x01btR(K\x01${shape}cnumpy\ndtype\n(${text(type)}tR\x89C${String.fromCharCode(bytes.length)}${bytes}tb`,
      )
    await expect(readTorchObject(array('f4', 'K\x02\x85', '12345678'))).resolves.toMatchObject({
      type: 'tensor',
    })
    for (const [type, shape, code] of [
      ['f4', 'K\x03\x85', 'malformed'],
      ['f4', 'N', 'malformed'],
      ['O8', 'K\x01\x85', 'unsupported-format'],
      ['M8[ns]', 'K\x01\x85', 'unsupported-format'],
      ['U0', 'J\0\0\0\x7f\x85', 'malformed'],
    ] as const)
      await expect(readTorchObject(array(type, shape, '12345678'))).rejects.toMatchObject({ code })
  })

  test('and says where', async () => {
    const bytes = zipped(rebuild(four, 'K\x05\x85'), data)
    await expect(readTorch(bytes)).rejects.toMatchObject({
      where: { file: '<bytes>/a/data.pkl', offset: expect.any(Number) },
      message: expect.stringMatching(
        /^<bytes>\/a\/data\.pkl at byte \d+: a tensor of shape 5 leaves its storage "0"/,
      ),
    })
  })
})

describe.skipIf(realFile('models') === undefined)('real checkpoints', () => {
  const model = (...parts: string[]) => realFile('models', ...parts)!

  test.each([
    ['resnet20-12fca82f.th', 'resnet20-12fca82f.safetensors'],
    ['vit_cifar10.pth', 'vit_cifar10.safetensors'],
  ])('%s has the bits of %s', async (checkpoint, converted) => {
    const { tensors } = await readTorch(model('cifar10', checkpoint))
    const expected = (await readSafetensors(model('cifar10', converted))).tensors
    expect(tensors.size).toBe(expected.size)
    for (const [name, value] of tensors)
      expect(
        sameTensor(value, (expected.get(name) ?? expected.get(name.replace('module.', '')))!),
        name,
      ).toBe(true)
    const bytes = Uint8Array.from(await readBytes(model('cifar10', checkpoint)))
    for (const [name, value] of (await readTorch(bytes)).tensors)
      expect(sameTensor(value, tensors.get(name)!), name).toBe(true)
  })

  test.each([
    [['cifar10', 'resnet56-4bfd9763.th'], 277, { best_prec1: '93.62' }],
    [
      ['cifar10', 'woodfisher_resnet20_cifar10.pth.tar'],
      128,
      { epoch: '136', arch: 'resnet20_cifar', best_top1: '91.96' },
    ],
    [['mnist', 'woodfisher_mnist_25_epoch_93.97.ckpt'], 6, { epoch: '24' }],
    [['onnx', 'magika-standard_v3_3', 'tests_data', 'basic', 'pytorch', 'example.pth'], 10, undefined],
  ] as const)('%s', async (parts, count, facts) => {
    const { tensors, metadata } = await readTorch(model(...parts))
    expect(tensors.size).toBe(count)
    expect(metadata && Object.fromEntries(metadata)).toEqual(facts)
    for (const value of tensors.values()) expect(numbers(value).every(Number.isFinite)).toBe(true)
  })
})
