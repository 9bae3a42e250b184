import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concatBytes } from '../io/bytes.ts'
import { type ByteSource, checkRange, memorySource } from '../io/source.ts'
import { openZip } from './read.ts'
import { deflatedPart, encodeZip, storedPart, type ZipPart } from './write.ts'

const ascii = (text: string) => new TextEncoder().encode(text)
const zeros = (length: number) => new Uint8Array(length)

async function contentsOf(file: Uint8Array): Promise<Record<string, number[]>> {
  const entries = await openZip(memorySource(file))
  const contents: Record<string, number[]> = {}
  for (const entry of entries.values()) contents[entry.name] = [...(await entry.read())]
  return contents
}

/** A file of two entries, `a` (stored or deflated) and `bb` (stored), whose records lie at known places. */
async function sample(method: 'stored' | 'deflated' = 'stored') {
  const content = Uint8Array.from({ length: 300 }, (_, i) => i % 7)
  const first = method === 'stored' ? storedPart('a', [content]) : await deflatedPart('a', [content])
  const pieces = [...encodeZip([first, storedPart('bb', [Uint8Array.of(1, 2, 3)])])]
  const starts = pieces.map((_, index) =>
    pieces.slice(0, index).reduce((sum, piece) => sum + piece.length, 0),
  )
  const at = (index: number) => (index < 0 ? starts.at(index)! : starts[index]!)
  return {
    file: concatBytes(pieces),
    local: [at(0), at(2)],
    data: [at(1), at(3)],
    central: [at(-3), at(-2)],
    end: at(-1),
  }
}

type Sample = Awaited<ReturnType<typeof sample>>

/** The sample with little-endian numbers stored over it: [position, bytes, value]. */
function damaged(
  { file }: Sample,
  ...edits: readonly [at: number, width: 1 | 2 | 4, value: number][]
): Uint8Array {
  const copy = file.slice()
  const view = new DataView(copy.buffer)
  for (const [at, width, value] of edits)
    if (width === 1) view.setUint8(at, value)
    else if (width === 2) view.setUint16(at, value, true)
    else view.setUint32(at, value, true)
  return copy
}

describe('round trip', () => {
  const names = fc.uniqueArray(fc.string({ minLength: 1, unit: 'binary' }), { maxLength: 5 })
  const contents = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 3 })

  test('any names and contents, stored or deflated, plain or 64-bit', async () => {
    await fc.assert(
      fc.asyncProperty(
        names,
        fc.infiniteStream(contents),
        fc.boolean(),
        fc.boolean(),
        async (names, stream, zip64, pack) => {
          const given = names.map(name => [name, stream.next().value as Uint8Array[]] as const)
          const parts: ZipPart[] = []
          for (const [name, chunks] of given)
            parts.push(pack ? await deflatedPart(name, chunks) : storedPart(name, chunks))
          const read = await contentsOf(concatBytes(encodeZip(parts, { zip64 })))
          expect(read).toEqual(
            Object.fromEntries(given.map(([name, chunks]) => [name, [...concatBytes(chunks)]])),
          )
        },
      ),
      { numRuns: 60 },
    )
  })

  test('chunks are passed through, and data is aligned and read in place', async () => {
    const content = ascii('content')
    const pieces = [...encodeZip([storedPart('one', [content]), storedPart('a longer name', [content])])]
    expect(pieces.filter(piece => piece === content)).toHaveLength(2)
    const file = concatBytes(pieces)
    for (const entry of (await openZip(memorySource(file))).values()) {
      const bytes = await entry.read()
      expect(bytes.buffer).toBe(file.buffer)
      expect(bytes.byteOffset % 64).toBe(0)
      expect(bytes).toEqual(content)
      expect(entry.size).toBe(7)
    }
  })

  test('deflating makes repetition small, and large pieces survive', async () => {
    const content = Uint8Array.from({ length: 1_000_000 }, (_, i) => (i >> 10) & 255)
    const file = concatBytes(encodeZip([await deflatedPart('x', [content, content])]))
    expect(file.length).toBeLessThan(20_000)
    const read = await (await openZip(memorySource(file))).get('x')!.read()
    expect(read.length).toBe(2_000_000)
    expect(read.every((byte, i) => byte === content[i % 1_000_000])).toBe(true)
  })

  test('beyond 4 GiB', async () => {
    const gap = zeros(2 ** 26)
    const huge: ZipPart = {
      name: 'huge',
      method: 0,
      size: 65 * 2 ** 26,
      crc32: 0,
      chunks: Array(65).fill(gap),
    }
    const source = virtualSource([...encodeZip([huge, storedPart('far', [ascii('away')])])])
    const entries = await openZip(source)
    expect(entries.get('huge')!.size).toBe(65 * 2 ** 26)
    expect(await entries.get('far')!.read()).toEqual(ascii('away'))
  })

  test('more than 65,535 entries', async () => {
    const parts = Array.from({ length: 65_536 }, (_, i) => storedPart(`${i}`, []))
    expect((await openZip(memorySource(concatBytes(encodeZip(parts))))).size).toBe(65_536)
  })

  test('an empty archive, and one with a comment', async () => {
    const empty = concatBytes(encodeZip([]))
    expect(await contentsOf(empty)).toEqual({})
    const commented = concatBytes([empty, zeros(40)])
    commented[empty.length - 2] = 40
    expect(await contentsOf(commented)).toEqual({})
  })

  test.each([[''], ['x'.repeat(65_536)], ['a'], ['\ud800']])('refuses to write a bad name', name => {
    const parts = [storedPart('a', []), storedPart(name, [])]
    expect(() => [...encodeZip(parts)]).toThrow(expect.objectContaining({ code: 'bad-argument' }))
  })
})

describe('files of other writers', () => {
  test('sizes in a data descriptor, names in code page 437, unknown extra fields', async () => {
    const { file, local, central, data } = await sample()
    const given = damaged(
      { file } as Sample,
      [local[0]! + 6, 2, 8],
      [local[0]! + 14, 4, 0],
      [local[0]! + 18, 4, 0],
      [local[0]! + 22, 4, 0],
      [central[0]! + 8, 2, 8],
      [local[0]! + 30, 1, 0x81],
      [central[0]! + 46, 1, 0x81],
    )
    const entries = await openZip(memorySource(given))
    expect([...entries.keys()]).toEqual(['ü', 'bb'])
    expect(await entries.get('ü')!.read()).toEqual(file.subarray(data[0], data[0]! + 300))
  })

  test('a CRC-32 that was not computed is accepted only where that is said', async () => {
    const given = await sample()
    const source = memorySource(damaged(given, [given.local[0]! + 14, 4, 0], [given.central[0]! + 16, 4, 0]))
    const read = async (zeroCrcIsNone: boolean) => (await openZip(source, { zeroCrcIsNone })).get('a')!.read()
    expect((await read(true)).length).toBe(300)
    await expect(read(false)).rejects.toMatchObject({ code: 'malformed' })
  })
})

describe('refuses', () => {
  const cases: [what: string, code: string, make: (s: Sample) => Uint8Array][] = [
    ['an empty file', 'truncated', () => zeros(0)],
    ['other bytes', 'truncated', () => zeros(500)],
    ['a file that is cut off', 'truncated', s => s.file.subarray(0, s.file.length - 1)],
    ['bytes added in front', 'malformed', s => concatBytes([zeros(8), s.file])],
    ['a split archive', 'unsupported-format', s => damaged(s, [s.end + 4, 2, 1])],
    ['a directory outside the file', 'malformed', s => damaged(s, [s.end + 16, 4, s.file.length])],
    ['a directory that is too long', 'malformed', s => damaged(s, [s.end + 12, 4, s.file.length])],
    ['more entries than are there', 'malformed', s => damaged(s, [s.end + 10, 2, 3])],
    ['fewer entries than are there', 'malformed', s => damaged(s, [s.end + 10, 2, 1])],
    ['a 64-bit record that is not there', 'malformed', s => damaged(s, [s.end + 16, 4, 0xffffffff])],
    ['a name that runs out of the directory', 'malformed', s => damaged(s, [s.central[1]! + 28, 2, 999])],
    ['two entries of one name', 'malformed', s => duplicateName(s)],
    ['entries that share a header', 'malformed', s => damaged(s, [s.central[1]! + 42, 4, 0])],
    [
      'an entry that begins inside another',
      'malformed',
      s => damaged(s, [s.central[1]! + 42, 4, s.data[0]!]),
    ],
    ['an entry that runs into the next', 'malformed', s => damaged(s, [s.central[0]! + 20, 4, 400])],
    ['an entry that runs into the directory', 'malformed', s => damaged(s, [s.central[1]! + 20, 4, 400])],
    ['an entry outside the file', 'malformed', s => damaged(s, [s.central[1]! + 42, 4, 0x7fffffff])],
    ['an entry without a header', 'malformed', s => damaged(s, [s.local[0]!, 1, 0])],
    ['a header with another name', 'malformed', s => damaged(s, [s.local[0]! + 30, 1, 99])],
    ['a header with another size', 'malformed', s => damaged(s, [s.local[0]! + 22, 4, 299])],
    ['a header with another method', 'malformed', s => damaged(s, [s.local[0]! + 8, 2, 8])],
    [
      'an extra field that pushes data into the next entry',
      'malformed',
      s => damaged(s, [s.local[0]! + 28, 2, 400]),
    ],
    [
      'a stored entry of two sizes',
      'malformed',
      s => damaged(s, [s.central[0]! + 24, 4, 299], [s.local[0]! + 22, 4, 299]),
    ],
    ['damaged content', 'malformed', s => damaged(s, [s.data[0]!, 1, 99])],
    ['an encrypted entry', 'unsupported-format', s => damaged(s, [s.central[0]! + 8, 2, 1])],
    ['another compression', 'unsupported-format', s => damaged(s, [s.central[0]! + 10, 2, 14])],
    [
      'a name that is not UTF-8',
      'malformed',
      s => damaged(s, [s.central[0]! + 8, 2, 0x800], [s.central[0]! + 46, 1, 0xff]),
    ],
  ]

  test.each(cases)('%s', async (_, code, make) => {
    await expect(contentsOf(make(await sample()))).rejects.toMatchObject({ name: 'EspalierError', code })
  })

  const deflatedCases: [what: string, edit: (s: Sample) => Uint8Array][] = [
    ['more content than declared', s => resized(s, 299)],
    ['less content than declared', s => resized(s, 301)],
    ['a size that so few bytes cannot hold', s => resized(s, 0x7fffffff)],
    ['bytes that are not deflated', s => damaged(s, [s.data[0]!, 4, 0xffffffff])],
  ]

  test.each(deflatedCases)('a deflated entry with %s', async (_, edit) => {
    const file = edit(await sample('deflated'))
    await expect(contentsOf(file)).rejects.toMatchObject({ name: 'EspalierError', code: 'malformed' })
  })

  test('an error names file and place', async () => {
    const given = await sample()
    const source = memorySource(damaged(given, [given.data[1]!, 1, 99]), 'weights.zip')
    const entry = (await openZip(source)).get('bb')!
    await expect(entry.read()).rejects.toMatchObject({
      message: expect.stringMatching(/^weights\.zip at byte 364: zip entry "bb" is damaged.*expected 0x/),
    })
  })
})

/** Both entries named `bb`. */
function duplicateName({ file }: Sample): Uint8Array {
  const parts = [storedPart('ab', []), storedPart('bb', [])]
  const copy = concatBytes(encodeZip(parts))
  expect(file.length).toBeGreaterThan(copy.length)
  const text = String.fromCharCode(...copy)
  return Uint8Array.from(text.replaceAll('ab', 'bb'), char => char.charCodeAt(0))
}

/** The first entry with another declared size, in both headers. */
function resized(given: Sample, size: number): Uint8Array {
  return damaged(given, [given.local[0]! + 22, 4, size], [given.central[0]! + 24, 4, size])
}

/** A source over pieces that are not joined. */
function virtualSource(pieces: readonly Uint8Array[]): ByteSource {
  const size = pieces.reduce((sum, piece) => sum + piece.length, 0)
  const source: ByteSource = {
    name: '<virtual>',
    size,
    read: async (offset, length) => source.readSync(offset, length),
    readSync(offset, length) {
      checkRange(source, offset, length)
      const result = new Uint8Array(length)
      let start = 0
      for (const piece of pieces) {
        const from = Math.max(offset - start, 0)
        const to = Math.min(offset + length - start, piece.length)
        if (from < to) result.set(piece.subarray(from, to), start + from - offset)
        start += piece.length
      }
      return result
    },
    close: async () => {},
  }
  return source
}
