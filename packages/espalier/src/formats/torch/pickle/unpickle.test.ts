import { describe, expect, test } from 'vitest'
import { EspalierError } from '../../../errors.ts'
import { type ByteSource, memorySource } from '../../io/source.ts'
import { golden, latin1 } from '../golden.suite.ts'
import { builtinGlobals } from './builtins.ts'
import type { PickleOptions } from './machine.ts'
import type { PyValue } from './python.ts'
import { pickleReader } from './reader.ts'
import { unpickle } from './unpickle.ts'

const builtins: PickleOptions = { globals: name => builtinGlobals.get(name), unknownGlobals: 'refuse' }

/** Runs a pickle given as text in which each character is a byte. */
function run(text: string, options: Partial<PickleOptions> = {}): PyValue {
  return unpickle(pickleReader(memorySource(latin1(text))), { ...builtins, ...options })
}

function failure(text: string, options: Partial<PickleOptions> = {}): EspalierError {
  try {
    const value = run(text, options)
    throw new Error(`read ${String(value)}`)
  } catch (error) {
    if (error instanceof EspalierError) return error
    throw error
  }
}

const int32 = (value: number) => String.fromCharCode(...[0, 8, 16, 24].map(shift => (value >>> shift) & 255))
const text32 = (text: string) => `X${int32(text.length)}${text}`

describe('what Python wrote', () => {
  const pickles = JSON.parse(new TextDecoder().decode(golden('values.json'))) as string[]
  const recursive: PyValue[] = []
  recursive.push(recursive)

  test.each(pickles.map((base64, protocol) => [protocol, atob(base64)] as const))(
    'protocol %i',
    (_, text) => {
      const read = run(text) as Map<string, PyValue>
      expect(read.get('recursive')).toEqual([expect.any(Array)])
      expect((read.get('recursive') as PyValue[])[0]).toBe(read.get('recursive'))
      const [first, second] = read.get('shared') as PyValue[]
      expect(first).toEqual([1])
      expect(first).toBe(second)
      read.delete('recursive')
      read.delete('shared')
      expect(Object.fromEntries(read)).toEqual({
        constants: [null, true, false],
        integers: [
          ...[0, -1, 255, 256, 65536, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 53 - 1],
          ...[2n ** 53n, -(2n ** 70n), 2n ** 3000n],
        ],
        floats: [0, -0.5, 1e300, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
        text: ['', `a'b"c`, 'line\nfeed \\u0041', 'ä🌿', 'x'.repeat(300)],
        bytes: [latin1(''), latin1('\0\xff\n'), latin1('x'.repeat(300)), latin1('ab')],
        tuples: [[], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4]],
        sets: [new Set(), new Set([1, 2]), new Set([3])],
        dicts: [
          new Map(),
          new Map<PyValue, PyValue>([
            ['a', 1],
            [2, null],
            [[3, 4], 'tuple'],
          ]),
          new Map([
            ['b', 1],
            ['a', 2],
          ]),
        ],
        object: {
          type: 'object',
          class: 'argparse.Namespace',
          args: [],
          state: new Map<PyValue, PyValue>([
            ['a', 1],
            ['b', [2]],
          ]),
        },
        complex: { type: 'object', class: 'builtins.complex', args: [1.5, -2], state: null },
        global: { type: 'global', name: 'collections.OrderedDict' },
      })
    },
  )
})

describe('opcodes that Python 3 does not write', () => {
  test.each<[what: string, pickle: string, value: PyValue]>([
    ['INT as booleans', '(I00\nI01\nt.', [false, true]],
    ['INT and LONG', '(I-7\nL12L\nL-3\nt.', [-7, 12, -3]],
    [
      'FLOAT',
      '(F1.5e3\nF-.5\nFinf\nF-inf\nt.',
      [1500, -0.5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    ],
    ['STRING', `(S'a\\x41\\n\\'\\101\\\\"'\nS"it's"\nt.`, [`aA\n'A\\"`, "it's"]],
    ['STRING that is not UTF-8', "S'\\xff'\n.", latin1('\xff')],
    ['BINSTRING and SHORT_BINSTRING', `(T${int32(2)}abU\x01\xfft.`, ['ab', latin1('\xff')]],
    ['UNICODE with escapes', 'V\\u00e4\\U0001f33f\xe4\n.', 'ä🌿ä'],
    ['LIST and DICT', '((K\x01K\x02l(K\x03K\x04dt.', [[1, 2], new Map([[3, 4]])]],
    ['APPEND and SETITEM', ']K\x01a}K\x02K\x03s\x86.', [[1], new Map([[2, 3]])]],
    ['DUP, POP and POP_MARK', '(K\x012K\x090(K\x08K\x0710(0t.', [1]],
    ['POP of a mark', 'K\x05(0.', 5],
    ['PUT and GET', '(K\x05p12\n0g12\ng12\nt.', [5, 5]],
    [
      'memo places far apart',
      `(K\x05r${int32(2 ** 31)}r${int32(-1)}0j${int32(-1)}j${int32(2 ** 31)}t.`,
      [5, 5],
    ],
    ['LONG1 of no bytes, and negative', '(\x8a\0\x8a\x02\x00\xfft.', [0, -256]],
    ['INST', '(](K\x01tai__builtin__\nlist\n.', [[1]]],
    ['OBJ', '(c__builtin__\nset\n(K\x01lo.', new Set([1])],
    [
      'STACK_GLOBAL and NEWOBJ_EX',
      `\x8c\x08argparse\x8c\x09Namespace\x93)}X\x01\0\0\0aK\x01s\x92.`,
      namespace(),
    ],
    ['FRAME', `\x80\x04\x95${'\x03'.padEnd(8, '\0')}K\x01.`, 1],
    [
      'BINUNICODE8, BINBYTES8 and BYTEARRAY8',
      `(\x8d${long(1)}a\x8e${long(1)}b\x96${long(1)}ct.`,
      ['a', latin1('b'), latin1('c')],
    ],
  ])('%s', (_, pickle, value) => {
    expect(run(pickle)).toEqual(value)
  })

  test('PERSID and BINPERSID ask for objects outside of the pickle', () => {
    const persistent = (id: PyValue) => `object ${String(id)}`
    expect(run('(Pab\nK\x07Qt.', { persistent })).toEqual(['object ab', 'object 7'])
    expect(failure('K\x07Q.').code).toBe('malformed')
  })
})

function namespace(): PyValue {
  return { type: 'object', class: 'argparse.Namespace', args: [], kwargs: new Map([['a', 1]]), state: null }
}

function long(value: number): string {
  return String.fromCharCode(value).padEnd(8, '\0')
}

describe('known classes and functions', () => {
  test.each<[what: string, pickle: string, value: PyValue]>([
    ['dict of pairs', 'ccollections\nOrderedDict\n(]](K\x01K\x02eatR.', new Map([[1, 2]])],
    ['dict of a dict', 'c__builtin__\ndict\n(}K\x01K\x02stR.', new Map([[1, 2]])],
    ['defaultdict', 'ccollections\ndefaultdict\n(c__builtin__\nlist\ntR.', new Map()],
    ['encode', 'c_codecs\nencode\n(X\x02\0\0\0\xc3\xbfX\x06\0\0\0latin1tR.', latin1('\xff')],
    [
      '_reconstructor of a subclass',
      'ccopy_reg\n_reconstructor\n(ccollections\nOrderedDict\nc__builtin__\ndict\n}tR.',
      new Map(),
    ],
    [
      '__newobj__',
      'ccopy_reg\n__newobj__\n(cargparse\nNamespace\ntR.',
      { type: 'object', class: 'argparse.Namespace', args: [], state: null },
    ],
    ['state of a dict, which is dropped', 'ccollections\nOrderedDict\n)R}X\x01\0\0\0aK\x01sb.', new Map()],
    [
      'a dict subclass',
      'cargparse\nNamespace\n)RK\x01K\x02sK\x03a.',
      {
        type: 'object',
        class: 'argparse.Namespace',
        args: [],
        state: null,
        entries: new Map([[1, 2]]),
        items: [3],
      },
    ],
  ])('%s', (_, pickle, value) => {
    expect(run(pickle)).toEqual(value)
  })

  test.each([
    ['dict of what is no pair', 'c__builtin__\ndict\n(]K\x01atR.'],
    ['dict with keywords', 'c__builtin__\ndict\n)}K\x01K\x02s\x92.'],
    ['bytes of a size', 'c__builtin__\nbytearray\n(J\xff\xff\xff\x7ftR.'],
    ['encode to another encoding', 'c_codecs\nencode\n(X\x01\0\0\0aX\x03\0\0\0hextR.'],
    ['encode of other characters', 'c_codecs\nencode\n(X\x04\0\0\0\xf0\x9f\x8c\xbfX\x06\0\0\0latin1tR.'],
    ['a class that is only a name', 'c__builtin__\nint\n(K\x01tR.'],
    ['what is no class', 'K\x01)R.'],
    ['without a tuple', 'c__builtin__\nset\nK\x01R.'],
    ['a chain of calls', `${'ccopy_reg\n__newobj__\n'}(${'ccopy_reg\n__newobj__\n'.repeat(5000)}tR.`],
  ])('refuses to call %s', (_, pickle) => {
    expect(failure(pickle).code).toBe('malformed')
  })
})

describe('safety', () => {
  const attacks: [what: string, pickle: string][] = [
    ['os.system by GLOBAL', "cos\nsystem\n(S'touch /tmp/owned'\ntR."],
    ['os.system by STACK_GLOBAL', '\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02ls\x85R.'],
    ['os.system by INST', "(S'ls'\nios\nsystem\n."],
    ['os.system by OBJ', "(cos\nsystem\nS'ls'\no."],
    ['eval', "c__builtin__\neval\n(S'1'\ntR."],
    ['getattr', 'cbuiltins\ngetattr\n.'],
    ['an attribute of a known class', '\x80\x04\x8c\x0bcollections\x8c\x14OrderedDict.fromkeys\x93.'],
    ['a module that only looks known', 'ccollections.OrderedDict\n__init__\n.'],
    ['a name of JavaScript', 'c\nconstructor\n.'],
    ['another name of JavaScript', 'cbuiltins\n__proto__\n.'],
    ['an extension', '\x80\x02\x82\x01.'],
  ]

  test.each(attacks)('refuses %s', (_, pickle) => {
    const error = failure(pickle)
    expect(error.code).toBe('unsafe')
    expect(error.where.offset).toBeTypeOf('number')
  })

  test('names what is asked for, and where', () => {
    expect(failure('K\x010cos\nsystem\n.').message).toMatch(/^byte 3: .*os\.system.*placeholder/)
  })

  test('as placeholders, they are inert data', () => {
    const read = run("cos\nsystem\n(S'ls'\ntR}X\x01\0\0\0aK\x01sbK\x05a.", { unknownGlobals: 'placeholder' })
    const state = new Map([['a', 1]])
    expect(read).toEqual({ type: 'object', class: 'os.system', args: ['ls'], state, items: [5] })
  })

  test('keys are only keys', () => {
    const read = run(`}(${text32('__proto__')}}${text32('constructor')}K\x01u.`) as Map<string, PyValue>
    expect([...read.keys()]).toEqual(['__proto__', 'constructor'])
    expect(Object.getPrototypeOf(read)).toBe(Map.prototype)
  })
})

describe('broken pickles', () => {
  const full = '\xff'.repeat(8)
  test.each([
    ['nothing', '', 'truncated'],
    ['no end', 'K\x01', 'truncated'],
    ['no value', '.', 'malformed'],
    ['a mark where a value should be', '(.', 'malformed'],
    ['a group without a beginning', 'K\x01t.', 'malformed'],
    ['too few values', 'K\x01\x87.', 'malformed'],
    ['values below a mark', 'K\x01(\x85.', 'malformed'],
    ['an unknown opcode', '\xf0.', 'malformed'],
    ['a newer protocol', '\x80\x06N.', 'unsupported-format'],
    ['a place that was never stored', 'h\x01.', 'malformed'],
    ['a negative place', 'Np-1\n.', 'malformed'],
    ['a place that is no number', 'Npx\n.', 'malformed'],
    ['a frame beyond the end', `\x95${'\xff\xff\0\0\0\0\0\0'}N.`, 'truncated'],
    ['text beyond the end', `X${int32(-1)}a.`, 'truncated'],
    ['long text beyond the end', `\x8d${full}a.`, 'truncated'],
    ['long bytes beyond the end', `\x8e${full.slice(2)}\x1f\0a.`, 'truncated'],
    ['an integer beyond the end', `\x8b${int32(16000)}a.`, 'truncated'],
    ['an integer that is too long', `\x8b${int32(2 ** 31 - 1)}a.`, 'too-large'],
    ['a decimal that is too long', `I${'9'.repeat(5000)}\n.`, 'too-large'],
    ['a decimal that is none', 'Iab\n.', 'malformed'],
    ['a float that is none', 'F0x10\n.', 'malformed'],
    ['a line without an end', `I${'9'.repeat(200_000)}`, 'truncated'],
    ['a string without quotes', 'Sab\n.', 'malformed'],
    ['a string with a broken escape', "S'\\x4'\n.", 'malformed'],
    ['an escape that is not Unicode', 'V\\U00110000\n.', 'malformed'],
    ['text that is not UTF-8', 'X\x01\0\0\0\xff.', 'malformed'],
    ['appending to a number', 'K\x01K\x02a.', 'malformed'],
    ['storing into a list', ']K\x01K\x02s.', 'malformed'],
    ['an odd dict', '(K\x01d.', 'malformed'],
    ['adding to a list', '](K\x01\x90.', 'malformed'],
    ['the state of a number', 'K\x01}b.', 'malformed'],
    ['an object of no class', '(o.', 'malformed'],
    ['a name that is no text', 'K\x01K\x02\x93.', 'malformed'],
    ['a buffer from elsewhere', '\x97.', 'malformed'],
  ])('%s', (_, pickle, code) => {
    expect(failure(pickle)).toMatchObject({ code, where: { offset: expect.any(Number) } })
  })

  test.each([
    ['copies of a list', `(${'K\x01'.repeat(1000)}lp0\n0${'c__builtin__\nlist\n(g0\ntR'.repeat(40_000)}`],
    [
      'copies of text',
      `X${int32(100_000)}${'x'.repeat(100_000)}p0\n0${'c_codecs\nencode\n(g0\nX\x05\0\0\0asciitR'.repeat(3000)}`,
    ],
    ['empty dicts', '}'.repeat(600_000)],
  ])('refuses to spend memory on %s', (_, pickle) => {
    expect(failure(pickle).code).toBe('too-large')
  })
})

describe('reading through a window', () => {
  /** A source whose reads are copies, as those of a file are. */
  function copying(bytes: Uint8Array): ByteSource {
    const source = memorySource(bytes)
    return { ...source, readSync: (offset, length) => source.readSync(offset, length).slice() }
  }

  test('values across its edges are whole, and the position ends behind the pickle', () => {
    const parts = Array.from({ length: 20_000 }, (_, i) => i)
    const written = parts.map(i =>
      i % 5 === 0 ? text32('é'.repeat(i % 7)).replaceAll('é', 'e') : i % 5 === 1 ? `I${i}\n` : `J${int32(i)}`,
    )
    const long = 'y'.repeat(150_000)
    const pickle = latin1(`(${written.join('')}${text32(long)}V${long}\nl.rest`)
    for (const start of [0, 1, 2, 3]) {
      const bytes = new Uint8Array(start + pickle.length)
      bytes.set(pickle, start)
      const reader = pickleReader(copying(bytes), start)
      const expected = parts.map(i => (i % 5 === 0 ? 'e'.repeat(i % 7) : i))
      expect(unpickle(reader, builtins)).toEqual([...expected, long, long])
      expect(reader.position).toBe(bytes.length - 4)
    }
  })
})
