/**
 * The element types of npy files: NumPy's type strings such as `<f4`. What has no counterpart here - objects,
 * records, dates, extended precision - is refused with the reason and a way out.
 */
import { EspalierError } from '../../errors.ts'
import type { DType } from '../../tensor/dtype.ts'
import type { Literal } from './literal.ts'

/** How the elements lie in the file. */
export interface Elements {
  readonly dtype: DType
  /** Bytes of an element. */
  readonly width: number
  /** Whether numbers of more than one byte are big-endian. */
  readonly bigEndian: boolean
  /** How text is stored, when `dtype` is `string`: 4-byte code points, or bytes. */
  readonly text?: 'utf-32' | 'bytes'
}

const numeric: ReadonlyMap<string, DType> = new Map([
  ['b1', 'bool'],
  ['i1', 'int8'],
  ['i2', 'int16'],
  ['i4', 'int32'],
  ['i8', 'int64'],
  ['u1', 'uint8'],
  ['u2', 'uint16'],
  ['u4', 'uint32'],
  ['u8', 'uint64'],
  ['f2', 'float16'],
  ['f4', 'float32'],
  ['f8', 'float64'],
  ['c8', 'complex64'],
  ['c16', 'complex128'],
])

/** Reads a header's `descr`. Throws `unsafe` for Python objects, `unsupported-format` for other types without a counterpart. */
export function parseDescr(descr: Literal | undefined): Elements {
  if (typeof descr !== 'string') throw structured(descr)
  const [, order, code, digits] = /^([<>|=]?)([A-Za-z])(\d*)/.exec(descr) ?? []
  const width = Number(digits)
  const bigEndian = order === '>'
  const dtype = numeric.get(`${code}${digits}`)
  if (descr !== `${order}${code}${digits}`) throw unsupported(descr)
  if (dtype !== undefined) return { dtype, width, bigEndian }
  if (code === 'U' && digits !== '' && width <= 2 ** 31)
    return { dtype: 'string', width: 4 * width, bigEndian, text: 'utf-32' }
  if ((code === 'S' || code === 'a') && digits !== '' && width <= 2 ** 31)
    return { dtype: 'string', width, bigEndian: false, text: 'bytes' }
  throw code === 'O' ? objects() : unsupported(descr)
}

/** The type string for a tensor's elements; strings have their own. Throws `bad-dtype` where NumPy has no such type. */
export function descrOf(dtype: DType): string {
  for (const [code, known] of numeric)
    if (known === dtype) return code.endsWith('1') ? `|${code}` : `<${code}`
  throw new EspalierError('bad-dtype', `npy cannot hold ${dtype}: NumPy has no such type`, {
    expected: [...numeric.values(), 'string'].join(', '),
    hint:
      dtype.startsWith('int') || dtype.startsWith('uint')
        ? 'Convert the tensor to int8 or uint8 first'
        : 'Convert the tensor to float32 first, or write safetensors',
  })
}

function objects(): EspalierError {
  return new EspalierError('unsafe', 'the file holds Python objects, which only running code could read', {
    where: { field: 'descr' },
    hint: 'Save plain numbers: numpy.save(..., allow_pickle=False)',
  })
}

function structured(descr: Literal | undefined): EspalierError {
  if (JSON.stringify(descr)?.includes('|O')) return objects()
  const fields = Array.isArray(descr) ? descr.map(field => (Array.isArray(field) ? field[0] : undefined)) : []
  const names = fields.filter(name => typeof name === 'string').slice(0, 8)
  return new EspalierError('unsupported-format', 'arrays of records are not supported', {
    where: { field: 'descr' },
    ...(names.length > 0 && { got: `fields ${names.join(', ')}` }),
    hint: 'Save each field as an array of its own',
  })
}

function unsupported(descr: string): EspalierError {
  return new EspalierError(
    'unsupported-format',
    `elements of type "${descr.slice(0, 40)}" are not supported`,
    {
      where: { field: 'descr' },
      expected: `${[...numeric.keys()].join(', ')}, U or S`,
      ...(/[Mm]8/.test(descr) && { hint: 'Save dates and durations as integers: array.view("int64")' }),
      ...(/V\d/.test(descr) && {
        hint: 'bfloat16 and float8 reach npy files as raw bytes: save them as float32, or as safetensors',
      }),
      ...(/[fgFG](12|16)|c(24|32)/.test(descr) && { hint: 'Save extended precision as float64' }),
    },
  )
}
