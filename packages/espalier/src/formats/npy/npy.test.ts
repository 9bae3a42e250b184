/** npy: conformance, files as NumPy writes them, and what is refused with which reason. */
import { describe, expect, test } from 'vitest'
import type { DType } from '../../tensor/dtype.ts'
import { float32, sameTensor, type Tensor, tensor, tensorBytes, zeros } from '../../tensor/tensor.ts'
import { formatSuite, singleTensors } from '../format.suite.ts'
import { fuzzSuite } from '../fuzz.suite.ts'
import { concatBytes } from '../io/bytes.ts'
import { type Mutator, splice } from '../mutations.suite.ts'
import { decodeNpy, encodeNpy, npy, readNpy } from './index.ts'

const dtypes: DType[] = ['bool', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64']
dtypes.push('float16', 'float32', 'float64', 'complex64', 'complex128', 'string')

formatSuite({ format: npy, contents: singleTensors(dtypes) })

/** A file with this header text, unpadded as in the oldest files, and data. */
function file(header: string, data: ArrayLike<number> = [], major = 1): Uint8Array {
  const text = new TextEncoder().encode(header)
  const prefix = Uint8Array.of(0x93, ...new TextEncoder().encode('NUMPY'), major, 0)
  const length = new Uint8Array(major === 1 ? 2 : 4)
  length.set([text.length & 255, text.length >> 8])
  return concatBytes([prefix, length, text, Uint8Array.from(data)])
}

const header = (descr: string, shape: string, fortran = 'False') =>
  `{'descr': ${descr}, 'fortran_order': ${fortran}, 'shape': ${shape}, }`

const encodeAll = (value: Tensor) => concatBytes(encodeNpy(value))
const fortran = file(header("'>i2'", '(2, 3)', 'True'), [0, 1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6])

const setHeader =
  (change: (text: string, choices: Parameters<Mutator>[1]) => string): Mutator =>
  (bytes, choices) => {
    if (bytes.length < 12 || bytes[6] !== 1) return bytes
    const end = 10 + bytes[8]! + 256 * bytes[9]!
    const text = new TextDecoder('latin1').decode(bytes.subarray(10, end))
    return splice(bytes, 0, Math.min(end, bytes.length), file(change(text, choices).slice(0, 65_535)))
  }

fuzzSuite({
  name: 'npy',
  seeds: [
    encodeAll(float32([1, 2, 3, 4, 5, 6], [2, 3])),
    encodeAll(tensor('string', [3], ['a', 'bcd', '🌿'])),
    encodeAll(zeros('complex128', [2, 0, 3])),
    encodeAll(tensor('bool', [], Uint8Array.of(1))),
    fortran,
    file(header("'|S3'", '(2,)'), [97, 98, 0, 99, 0, 0]),
    file(header("'<U0'", '(3,)')),
    file(header("'<f4'", '(1,)'), [0, 0, 0, 0], 2),
    file(header("'<f4'", '(1,)'), [0, 0, 0, 0], 3),
  ],
  parse: decodeNpy,
  structural: {
    'an extent': setHeader((text, { pick }) =>
      text.replace(
        /\d+(?=[,)])/,
        pick(['0', '1', '2', '-1', '4294967296', '9007199254740991', '6, 0', '1, 6', '1L']),
      ),
    ),
    'an element type': setHeader((text, { pick }) =>
      text.replace(
        /'[<>|]\w+'/,
        `'${pick(['<f8', '>c16', '|O', '|S0', '<U0', '<U1', '>U1', '|S2147483648', '|b1'])}'`,
      ),
    ),
    'the memory order': setHeader(text =>
      text.replace(/False|True/, word => (word === 'True' ? 'False' : 'True')),
    ),
    'deep nesting': setHeader((text, { int, pick }) =>
      text.replace(/\d+(?=[,)])/, pick(['(', '[', '{']).repeat(int(5000))),
    ),
  },
})

describe('files as NumPy writes them', () => {
  const numbers = (bytes: Uint8Array) => {
    const { dtype, shape, data } = decodeNpy(bytes)
    return [dtype, shape, Array.from(data as ArrayLike<unknown>)]
  }

  test.each([1, 2, 3])('version %i.0', major => {
    expect(numbers(file(header("'<i2'", '(3,)'), [1, 0, 2, 0, 255, 255], major))).toEqual([
      'int16',
      [3],
      [1, 2, -1],
    ])
  })

  test('big-endian numbers, the parts of complex ones included', () => {
    expect(numbers(file(header("'>i4'", '()'), [0, 0, 1, 2]))).toEqual(['int32', [], [258]])
    expect(numbers(file(header("'>c8'", '(1,)'), [0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0]))).toEqual([
      'complex64',
      [1],
      [1, -2],
    ])
    expect(numbers(file(header("'>f2'", '(1,)'), [0x3c, 0]))).toEqual(['float16', [1], [0x3c00]])
  })

  test('Fortran order, of numbers, complex numbers and text', () => {
    expect(numbers(fortran)).toEqual(['int16', [2, 3], [1, 2, 3, 4, 5, 6]])
    const texts = file(header("'|S1'", '(2, 2)', 'True'), [97, 98, 99, 100])
    expect(numbers(texts)).toEqual(['string', [2, 2], ['a', 'c', 'b', 'd']])
    const complex = Float32Array.of(1, 10, 2, 20, 3, 30, 4, 40)
    const bytes = file(header("'<c8'", '(2, 1, 2)', 'True'), new Uint8Array(complex.buffer))
    expect(numbers(bytes)).toEqual(['complex64', [2, 1, 2], [1, 10, 3, 30, 2, 20, 4, 40]])
    expect(numbers(file(header("'|u1'", '(3,)', 'True'), [1, 2, 3]))).toEqual(['uint8', [3], [1, 2, 3]])
  })

  test('text: code points, padded; bytes as UTF-8; elements without room', () => {
    const points = [0x42, 0, 0, 0, 0xf6, 0, 0, 0, 0x1f, 0xf3, 1, 0, 0, 0, 0, 0]
    expect(numbers(file(header("'<U2'", '(2,)'), points))).toEqual(['string', [2], ['Bö', '🌟']])
    expect(numbers(file(header("'>U1'", '()'), [0, 0, 0, 0x42]))).toEqual(['string', [], ['B']])
    expect(numbers(file(header("'|S3'", '(2,)'), [0xc3, 0xb6, 0, 0, 97, 0]))).toEqual([
      'string',
      [2],
      ['ö', '\0a'],
    ])
    expect(numbers(file(header("'<U0'", '(2,)')))).toEqual(['string', [2], ['', '']])
  })

  test('any byte but zero is true', () => {
    expect(numbers(file(header("'|b1'", '(3,)'), [0, 9, 1]))).toEqual(['bool', [3], [0, 1, 1]])
  })

  test('other spellings of the header', () => {
    const spellings = [
      `{"shape":(2,),"fortran_order":False,"descr":"|u1"}`,
      "{'descr': u'|u1', 'fortran_order': False, 'shape': (2L,), }   \n",
      "\t{'descr' : b'u1' , 'shape' : [2] , 'fortran_order' : False}",
      "{'descr': '\\x7cu1', 'fortran_order': False, 'shape': (2,)}",
    ]
    for (const text of spellings) expect(numbers(file(text, [5, 6]))).toEqual(['uint8', [2], [5, 6]])
  })

  test('little-endian numbers from memory are views', () => {
    const bytes = encodeAll(float32([1, 2]))
    expect(tensorBytes(decodeNpy(bytes)).buffer).toBe(bytes.buffer)
  })
})

describe('refused', () => {
  const good = header("'<f4'", '(1,)')
  const refused: [what: string, bytes: Uint8Array, code: string, message: RegExp][] = [
    [
      'other bytes',
      new TextEncoder().encode('PK\x03\x04 something else'),
      'unsupported-format',
      /not an npy file/,
    ],
    ['version 4', file(good, [0, 0, 0, 0], 4), 'unsupported-format', /version 4.0/],
    ['a header beyond the file', file(good).fill(0xff, 8, 10), 'truncated', /end comes first/],
    ['a header beyond reason', file(good, [], 2).fill(0xff, 8, 12), 'too-large', /header/],
    ['bad UTF-8', splice(file(good, [0, 0, 0, 0], 3), 20, 1, Uint8Array.of(0xff)), 'malformed', /UTF-8/],
    ['a list', file('[]'), 'malformed', /not a dictionary/],
    ['a missing field', file("{'descr': '<f4', 'shape': ()}"), 'malformed', /other fields/],
    ['another field', file(`${good.slice(0, -1)} 'x': 1}`), 'malformed', /other fields/],
    ['a field twice', file(`${good.slice(0, -1)} 'shape': 1}`), 'malformed', /twice/],
    [
      'code',
      file(header('__import__("os")', '()')),
      'malformed',
      /byte 20: .*expected True, False or None, got __import__/,
    ],
    ['text after the dictionary', file(`${good} 1`), 'malformed', /expected the end/],
    ['text without an end', file("{'descr"), 'malformed', /closing '/],
    ['deep nesting', file(`{'descr': ${'('.repeat(1000)}`), 'malformed', /nested/],
    ['a number as shape', file(header("'<f4'", '(1)')), 'malformed', /shape/],
    ['a negative extent', file(header("'<f4'", '(-1,)')), 'malformed', /shape/],
    ['a fraction', file(header("'<f4'", '(1.5,)')), 'malformed', /expected a value, got "1.5/],
    ['a leading zero', file(header("'<f4'", '(01,)')), 'malformed', /a value/],
    ['a huge extent', file(header("'<f4'", '(99999999999999999999,)')), 'malformed', /below 2\^53/],
    ['a huge product', file(header("'<f4'", `(${2 ** 40}, ${2 ** 40})`)), 'too-large', /addressed/],
    ['65 axes', file(header("'<f4'", `(${'1, '.repeat(65)})`), [0, 0, 0, 0]), 'malformed', /64 axes/],
    ['1 for True', file(header("'<f4'", '(1,)', '1'), [0, 0, 0, 0]), 'malformed', /neither True nor False/],
    ['too little data', file(good, [0, 0, 0]), 'truncated', /expected 4 bytes after the header, got 3/],
    ['too much data', file(good, [0, 0, 0, 0, 0]), 'malformed', /expected 4 bytes/],
    ['empty strings without end', file(header("'<U0'", '(1000000,)')), 'too-large', /empty strings/],
    ['a code point beyond Unicode', file(header("'<U1'", '()'), [0, 0, 0x11, 0]), 'malformed', /1114112/],
    ['bytes that are no text', file(header("'|S1'", '()'), [0xff]), 'malformed', /UTF-8/],
    ['Python objects', file(header("'|O'", '()'), [0x80]), 'unsafe', /Python objects.*allow_pickle/],
    [
      'records',
      file(header("[('a', '<f4'), ('b', '<i4', (2,))]", '(1,)')),
      'unsupported-format',
      /fields a, b/,
    ],
    ['records with objects', file(header("[('a', '|O')]", '(1,)')), 'unsafe', /Python objects/],
    ['dates', file(header("'<M8[ns]'", '()')), 'unsupported-format', /dates.*int64/],
    ['raw bytes', file(header("'|V2'", '()'), [0, 0]), 'unsupported-format', /bfloat16/],
    ['extended precision', file(header("'<f16'", '()')), 'unsupported-format', /float64/],
    ['an unknown type', file(header("'<x4'", '()')), 'unsupported-format', /"<x4"/],
    ['a type that is no text', file(header('None', '()')), 'unsupported-format', /records/],
  ]
  test.each(refused)('%s', async (_, bytes, code, message) => {
    const reading = readNpy(bytes)
    await expect(reading).rejects.toMatchObject({ code })
    await expect(reading).rejects.toThrow(message)
    expect(() => decodeNpy(bytes)).toThrow(message)
  })
})

describe('writing', () => {
  test('the header is what NumPy writes, and the data begins at a multiple of 64', () => {
    const text = (value: Tensor) => new TextDecoder().decode([...encodeNpy(value)][0]!.subarray(10))
    expect(text(zeros('float16', [3]))).toBe(
      `{'descr': '<f2', 'fortran_order': False, 'shape': (3,), }${' '.repeat(60)}\n`,
    )
    expect(text(zeros('bool', []))).toMatch(
      /^{'descr': '\|b1', 'fortran_order': False, 'shape': \(\), } +\n$/,
    )
    expect(text(zeros('string', [2]))).toMatch(/'<U1'.*\(2,\)/)
    expect([...encodeNpy(zeros('int64', [2, 3]))].map(({ length }) => length)).toEqual([128, 48])
  })

  test('as many axes as NumPy has, and no more', () => {
    const ones = (rank: number) => zeros('uint8', new Array<number>(rank).fill(1))
    expect(sameTensor(decodeNpy(encodeAll(ones(64))), ones(64))).toBe(true)
    expect(() => encodeAll(ones(65))).toThrow(/65 axes; expected at most 64/)
  })

  test('types that NumPy does not have are refused with a way out', () => {
    expect(() => encodeAll(zeros('bfloat16', [1]))).toThrow(
      /cannot hold bfloat16.*float32 first, or write safetensors/s,
    )
    expect(() => encodeAll(zeros('float8e4m3fn', [1]))).toThrow(/cannot hold float8e4m3fn/)
    expect(() => encodeAll(zeros('int4', [1]))).toThrow(/int8/)
    expect(() => encodeAll(tensor('string', [1], ['a\0']))).toThrow(/zero character/)
  })

  test('exactly one tensor', () => {
    const write = (...tensors: [string, Tensor][]) => [
      ...npy.encode!({ kind: 'tensors', tensors: new Map(tensors) }),
    ]
    const value = float32([1])
    expect(() => write()).toThrow(/exactly one tensor.*got none/)
    expect(() => write(['a', value], ['b', value])).toThrow(/got 2: a, b.*npz/)
    expect(sameTensor(decodeNpy(concatBytes(write(['a', value]))), value)).toBe(true)
  })
})
