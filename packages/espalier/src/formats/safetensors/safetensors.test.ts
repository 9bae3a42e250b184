/** safetensors: conformance, every rule of the header, lazy reading, and the layout that is written. */
import { describe, expect, test } from 'vitest'
import { type DType, dtypeInfo } from '../../tensor/dtype.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { float32, sameTensor, type Tensor, tensor, tensorBytes, zeros } from '../../tensor/tensor.ts'
import { encode, formatSuite, manyTensors, randomTensor } from '../format.suite.ts'
import type { FileContents } from '../format.ts'
import { fuzzSuite } from '../fuzz.suite.ts'
import { concatBytes } from '../io/bytes.ts'
import { withSource } from '../io/files.ts'
import { memorySource } from '../io/source.ts'
import { type Mutator, splice } from '../mutations.suite.ts'
import { realFile } from '../testdata.suite.ts'
import { encodeSafetensors, openSafetensors, readSafetensors, safetensors } from './index.ts'

const dtypes: DType[] = [
  'float64',
  'float32',
  'float16',
  'bfloat16',
  'float8e4m3fn',
  'float8e5m2',
  'float8e8m0',
]
dtypes.push('float8e4m3fnuz', 'float8e5m2fnuz', 'float4e2m1', 'int64', 'int32', 'int16', 'int8', 'uint64')
dtypes.push('uint32', 'uint16', 'uint8', 'bool', 'complex64')

const fillsBytes = ({ dtype, shape }: Tensor) => (sizeOf(shape) * dtypeInfo(dtype).bits) % 8 === 0
const small = new Map<string, Tensor>([
  ['w', float32([1, 2, 3, 4], [2, 2])],
  ['"é\\/', randomTensor('int8', [3])],
])
const metadata = new Map([
  ['format', 'pt'],
  ['ключ "\n', '✓'],
])

formatSuite({
  format: safetensors,
  contents: { ...manyTensors(dtypes, fillsBytes), remarks: { kind: 'tensors', tensors: small, metadata } },
})

/** A file with this header text and so many bytes of data. */
function file(header: string | Uint8Array, dataLength = 0): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header
  const length = new Uint8Array(8)
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true)
  return concatBytes([length, text, new Uint8Array(dataLength)])
}

const entry = (dtype: string, shape: unknown, offsets: unknown) =>
  `{"dtype":"${dtype}","shape":${JSON.stringify(shape)},"data_offsets":${JSON.stringify(offsets)}}`

/** Rewrites the header text and its length. */
const inHeader =
  (change: (text: string, choices: Parameters<Mutator>[1]) => string): Mutator =>
  (bytes, choices) => {
    if (bytes.length < 8) return bytes
    const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
    const text = new TextDecoder().decode(bytes.subarray(8, 8 + length))
    const changed = new TextEncoder().encode(change(text, choices))
    const head = file(changed)
    return splice(bytes, 0, Math.min(bytes.length, 8 + length), head)
  }

fuzzSuite({
  name: 'safetensors',
  seeds: [
    encode(safetensors, { kind: 'tensors', tensors: small, metadata }),
    encode(safetensors, manyTensors(dtypes.slice(0, 3)).everything as FileContents),
    encode(safetensors, manyTensors(['bool', 'float8e5m2']).everything as FileContents),
    file('{}'),
  ],
  parse: readSafetensors,
  structural: {
    'a numeral in the header': inHeader((text, { pick, int }) => {
      const numerals = [...text.matchAll(/\d+/g)]
      if (numerals.length === 0) return text
      const { index, 0: digits } = pick(numerals)
      const value = pick([
        `${Number(digits) + 1}`,
        '0',
        '-1',
        '9007199254740991',
        '1e3',
        `${int(300)}`,
        '1.0',
      ])
      return text.slice(0, index) + value + text.slice(index + digits.length)
    }),
    'a type in the header': inHeader((text, { pick }) =>
      text.replace(
        /"(F32|BOOL|F64|I8|F16|F8_E5M2)"/,
        `"${pick(['F4', 'U8', 'F64', 'F6_E2M3', 'X', 'BOOL'])}"`,
      ),
    ),
    'a deep value in the header': inHeader((text, { int }) => {
      const depth = 1 << int(16)
      return text.replace(/\[\d/, `${'['.repeat(depth)}${']'.repeat(depth)},$&`)
    }),
    'a piece of the header': inHeader((text, { int }) => {
      const [start, end] = [int(text.length), int(text.length)]
      return text.slice(0, start) + text.slice(end)
    }),
  },
})

describe('header', () => {
  const refused: [what: string, bytes: Uint8Array, code: string, message: RegExp][] = [
    ['nothing', new Uint8Array(0), 'truncated', /too short/],
    ['a length beyond the limit', file('').fill(0xff, 0, 8), 'too-large', /at most 100000000/],
    ['a length beyond the file', file('{}').fill(100, 0, 1), 'truncated', /end comes first/],
    ['an empty header', file(''), 'malformed', /does not begin with "\{"/],
    ['space before the brace', file(' {}'), 'malformed', /does not begin with "\{"/],
    ['an array', file('[]'), 'malformed', /does not begin/],
    ['bad UTF-8', file(Uint8Array.of(0x7b, 0x22, 0xff, 0x22)), 'malformed', /UTF-8/],
    ['bad JSON', file('{"a":}'), 'malformed', /JSON/],
    ['text after the object', file('{} {}'), 'malformed', /JSON/],
    ['deep nesting', file(`{"a":${'['.repeat(50_000)}`), 'malformed', /JSON/],
    [
      'a name twice',
      file(`{"a":${entry('U8', [0], [0, 0])},"a":${entry('U8', [0], [0, 0])}}`),
      'malformed',
      /twice/,
    ],
    [
      'a name twice, once escaped',
      file(`{"a":${entry('U8', [0], [0, 0])},"\\u0061":1}`),
      'malformed',
      /"a".*twice/,
    ],
    [
      'a field twice',
      file('{"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
      'malformed',
      /twice/,
    ],
    ['metadata that is no object', file('{"__metadata__":[]}'), 'malformed', /not an object/],
    ['metadata that is no text', file('{"__metadata__":{"a":1}}'), 'malformed', /"__metadata__.a"/],
    ['an entry that is no object', file('{"a":1}'), 'malformed', /not an object/],
    ['half a surrogate pair', file(`{"\\ud800":${entry('U8', [0], [0, 0])}}`), 'malformed', /Unicode/],
    ['a missing dtype', file('{"a":{"shape":[],"data_offsets":[0,1]}}', 1), 'malformed', /dtype/],
    ['a missing shape', file('{"a":{"dtype":"U8","data_offsets":[0,1]}}', 1), 'malformed', /shape/],
    ['missing offsets', file('{"a":{"dtype":"U8","shape":[1]}}', 1), 'malformed', /data_offsets/],
    [
      'an unknown dtype',
      file(`{"a":${entry('I3', [], [0, 1])}}`, 1),
      'unsupported-format',
      /unknown dtype "I3"/,
    ],
    [
      'a dtype without counterpart',
      file(`{"a":${entry('F6_E2M3', [4], [0, 3])}}`, 3),
      'unsupported-format',
      /F6_E2M3/,
    ],
    ['a negative extent', file(`{"a":${entry('U8', [-1], [0, 1])}}`, 1), 'malformed', /shape/],
    ['a fractional extent', file(`{"a":${entry('U8', [1.5], [0, 1])}}`, 1), 'malformed', /shape/],
    [
      'an overflowing shape',
      file(`{"a":${entry('U8', [2 ** 40, 2 ** 40, 0], [0, 0])}}`),
      'malformed',
      /too large/,
    ],
    ['three offsets', file(`{"a":${entry('U8', [1], [0, 1, 1])}}`, 1), 'malformed', /two integers/],
    ['offsets in reverse', file(`{"a":${entry('U8', [1], [1, 0])}}`, 1), 'malformed', /do not fit/],
    [
      'offsets of another length',
      file(`{"a":${entry('F32', [2], [0, 4])}}`, 4),
      'malformed',
      /expected 8 bytes, got 4/,
    ],
    ['half a byte', file(`{"a":${entry('F4', [3], [0, 2])}}`, 2), 'malformed', /whole bytes/],
    ['a hole', file(`{"a":${entry('U8', [1], [1, 2])}}`, 2), 'malformed', /hole/],
    [
      'an overlap',
      file(`{"a":${entry('U8', [2], [0, 2])},"b":${entry('U8', [2], [1, 3])}}`, 3),
      'malformed',
      /"b".*overlaps/,
    ],
    ['bytes left over', file(`{"a":${entry('U8', [1], [0, 1])}}`, 2), 'malformed', /after the last tensor/],
    ['too little data', file(`{"a":${entry('U8', [4], [0, 4])}}`, 3), 'truncated', /before its data/],
  ]
  test.each(refused)('refuses %s', async (_, bytes, code, message) => {
    const reading = readSafetensors(bytes)
    await expect(reading).rejects.toMatchObject({ code })
    await expect(reading).rejects.toThrow(message)
  })

  test('takes tensors in any order, fields that it does not know, and names that look like numbers', async () => {
    const header = `{"10":${entry('U8', [2], [4, 6])},"2":{"x":[{}],${entry('F32', [], [0, 4]).slice(1)},"e":${entry('I8', [0], [6, 6])}}`
    const { tensors } = await readSafetensors(file(header, 6))
    expect([...tensors].map(([name, { dtype, shape }]) => [name, dtype, shape])).toEqual([
      ['2', 'float32', []],
      ['10', 'uint8', [2]],
      ['e', 'int8', [0]],
    ])
  })

  test('takes __proto__ as the name that it is', async () => {
    const { tensors } = await readSafetensors(file(`{"__proto__":${entry('U8', [1], [0, 1])}}`, 1))
    expect([...tensors.keys()]).toEqual(['__proto__'])
  })

  test('reads any byte but zero as true', async () => {
    const bytes = file(`{"a":${entry('BOOL', [3], [0, 3])}}`, 3)
    bytes.set([0, 7, 1], bytes.length - 3)
    const { tensors } = await readSafetensors(bytes)
    expect([...(tensors.get('a')!.data as Uint8Array)]).toEqual([0, 1, 1])
  })
})

describe('lazy reading', () => {
  test('loads the tensors that are asked for, and nothing else', async () => {
    const bytes = concatBytes(encodeSafetensors(small, metadata))
    const asked: number[] = []
    const source = memorySource(bytes)
    const read = (offset: number, length: number) => {
      asked.push(length)
      return source.read(offset, length)
    }
    await using opened = await openSafetensors({ ...source, read })
    expect(asked.length).toBe(2)
    expect(opened.metadata).toEqual(metadata)
    expect(opened.entries.get('w')).toMatchObject({ dtype: 'float32', shape: [2, 2], end: bytes.length - 3 })
    expect(sameTensor(await opened.load('w'), small.get('w')!)).toBe(true)
    expect(asked.slice(2)).toEqual([16])
    await expect(opened.load('v')).rejects.toMatchObject({ code: 'bad-argument', where: { tensor: 'v' } })
  })

  test('tensors from memory are views', async () => {
    const bytes = concatBytes(encodeSafetensors(small))
    const { tensors } = await readSafetensors(bytes)
    expect(tensorBytes(tensors.get('w')!).buffer).toBe(bytes.buffer)
  })
})

describe('writing', () => {
  test('sorts by size of the type, then by name, and aligns every tensor', () => {
    const tensors: [string, Tensor][] = [
      ['b', zeros('uint8', [3])],
      ['a', zeros('float32', [1])],
      ['c', zeros('int64', [1])],
      ['A', zeros('float32', [1])],
      ['d', zeros('float16', [1])],
    ]
    const [header] = encodeSafetensors(tensors)
    expect(header!.length % 8).toBe(0)
    const text = new TextDecoder().decode(header!.subarray(8))
    expect(Object.entries(JSON.parse(text) as Record<string, { data_offsets: number[] }>)).toMatchObject([
      ['c', { dtype: 'I64', data_offsets: [0, 8] }],
      ['A', { dtype: 'F32', data_offsets: [8, 12] }],
      ['a', { data_offsets: [12, 16] }],
      ['d', { dtype: 'F16', data_offsets: [16, 18] }],
      ['b', { dtype: 'U8', shape: [3], data_offsets: [18, 21] }],
    ])
  })

  test('passes the bytes of the tensors through', () => {
    const value = float32([1, 2, 3])
    const [, data] = encodeSafetensors([['w', value]])
    expect(data!.buffer).toBe(value.data.buffer)
  })

  test('refuses what it cannot hold', () => {
    const write = (...tensors: [string, Tensor][]) => [...encodeSafetensors(tensors)]
    const value = float32([1])
    expect(() => write(['a', tensor('string', [1], ['x'])])).toThrow(
      /tensor "a": safetensors cannot hold string/,
    )
    expect(() => write(['a', zeros('int4', [2])])).toThrow(/cannot hold int4/)
    expect(() => write(['a', zeros('complex128', [2])])).toThrow(/cannot hold complex128/)
    expect(() => write(['a', zeros('float4e2m1', [3])])).toThrow(/whole bytes/)
    expect(() => write(['a', value], ['a', value])).toThrow(/two tensors/)
    expect(() => write(['__metadata__', value])).toThrow(/reserved/)
    expect(() => write(['\ud800', value])).toThrow(/Unicode/)
    expect(() => [...encodeSafetensors([], new Map([['a', '\udc00']]))]).toThrow(/Unicode/)
  })
})

const bart = realFile('g2p-bart', 'us_bart.safetensors')
const resnet = realFile('models', 'cifar10', 'resnet20-12fca82f.safetensors')

describe.skipIf(bart === undefined || resnet === undefined)('real models', () => {
  test('a model saved by the reference implementation is written back to the byte', async () => {
    const { tensors, metadata } = await readSafetensors(bart!)
    expect([...tensors.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0)).toBe(751_551)
    const original = await withSource(bart!, source => source.read(0, source.size))
    expect(Buffer.compare(concatBytes(encodeSafetensors(tensors, metadata)), original)).toBe(0)
  })

  test('a model in another order keeps its tensors', async () => {
    const { tensors, metadata } = await readSafetensors(resnet!)
    expect(metadata!.get('source')).toBe('resnet20-12fca82f.th')
    const again = await readSafetensors(concatBytes(encodeSafetensors(tensors, metadata)))
    expect(again.tensors.size).toBe(97)
    for (const [name, value] of tensors) expect(sameTensor(again.tensors.get(name)!, value)).toBe(true)
  })
})
