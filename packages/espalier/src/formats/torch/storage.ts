/**
 * Storages: the flat arrays that the tensors of a checkpoint are views of. Here a storage is a type, a size and a
 * way to read its bytes; nothing is read before a tensor is asked for.
 */
import { EspalierError } from '../../errors.ts'
import { byteLength, type DType, isDType } from '../../tensor/dtype.ts'
import { describePy, isPyGlobal, type PyStorage, type PyValue } from './pickle/python.ts'

/** Bytes somewhere in a file that one or more storages share. */
export interface StorageBytes {
  /** What messages call it. */
  readonly key: string
  /** Number of elements, of the type that it first came up with. */
  readonly length: number
  readonly byteLength: number
  /** Whether numbers in them are big-endian. */
  readonly bigEndian: boolean
  /** Reads all of them. A buffer of its own, or a view where the file is in memory: not to be written to. */
  load(): Promise<Uint8Array>
}

/** A storage with the place of its bytes. */
export interface Storage extends PyStorage {
  readonly bytes: StorageBytes
  /** Where in `bytes` it begins. */
  readonly byteOffset: number
}

/** Types by the names of storage classes, without module and `Storage`. */
const storageTypes: ReadonlyMap<string, DType> = new Map([
  ['Double', 'float64'],
  ['Float', 'float32'],
  ['Half', 'float16'],
  ['BFloat16', 'bfloat16'],
  ['Long', 'int64'],
  ['Int', 'int32'],
  ['Short', 'int16'],
  ['Char', 'int8'],
  ['Byte', 'uint8'],
  ['Bool', 'bool'],
  ['ComplexFloat', 'complex64'],
  ['ComplexDouble', 'complex128'],
  ['Untyped', 'uint8'],
])

const STORAGE_CLASS = /^torch\.(?:cuda\.|storage\.)?_?([A-Z][A-Za-z0-9]*)Storage$/

/** Whether a name is that of a storage class. */
export function isStorageClass(name: string): boolean {
  return STORAGE_CLASS.test(name)
}

/** Data types by their names in PyTorch, without `torch.`, where they have others here. */
const torchNames: ReadonlyMap<string, DType> = new Map([
  ['double', 'float64'],
  ['float', 'float32'],
  ['half', 'float16'],
  ['long', 'int64'],
  ['int', 'int32'],
  ['short', 'int16'],
  ['cfloat', 'complex64'],
  ['cdouble', 'complex128'],
  ['float8_e4m3fn', 'float8e4m3fn'],
  ['float8_e4m3fnuz', 'float8e4m3fnuz'],
  ['float8_e5m2', 'float8e5m2'],
  ['float8_e5m2fnuz', 'float8e5m2fnuz'],
  ['float8_e8m0fnu', 'float8e8m0'],
])

/** Types of PyTorch that have no counterpart here. */
const OTHER_DTYPES = /^(complex32|chalf|q?u?int[1-7]|(quint|qint)\d+(x\d)?|float4_e2m1fn_x2|bits\w+)$/

/** Whether a name is that of a `torch.dtype`. */
export function isTorchDType(name: string): boolean {
  if (!name.startsWith('torch.')) return false
  const short = name.slice('torch.'.length)
  return torchNames.has(short) || (isDType(short) && short !== 'string') || OTHER_DTYPES.test(short)
}

/** The data type of a `torch.dtype`. Throws `unsupported-format` for those without a counterpart. */
export function dtypeOf(value: PyValue | undefined): DType {
  const name = isPyGlobal(value) && isTorchDType(value.name) ? value.name.slice('torch.'.length) : undefined
  const dtype = name === undefined ? undefined : (torchNames.get(name) ?? (isDType(name) ? name : undefined))
  if (dtype !== undefined) return dtype
  if (name !== undefined)
    throw new EspalierError('unsupported-format', `tensors of torch.${name} are not supported`)
  throw new EspalierError('malformed', 'not a torch.dtype', { got: describePy(value) })
}

/** What the persistent identifier of a storage says. */
export interface StorageId {
  readonly key: string
  readonly dtype: DType
  /** Number of elements. */
  readonly length: number
  /** Its part of the storage `key`, in elements, where it is a view: in legacy files only. */
  readonly view?: { readonly offset: number; readonly length: number }
}

/**
 * Reads `("storage", class, key, location, size)`, with a view behind it in legacy files. Where the storage was -
 * CPU or GPU - plays no part. Throws `malformed`, or `unsupported-format` for quantised types.
 */
export function parseStorageId(id: PyValue): StorageId {
  if (!Array.isArray(id) || id[0] !== 'storage' || id.length < 5 || id.length > 6)
    throw new EspalierError('malformed', 'the pickle refers to something else than a storage', {
      got: describePy(Array.isArray(id) ? id[0] : id),
    })
  const [, type, key, , length, view = null] = id
  if (typeof key !== 'string' || !isSize(length))
    throw new EspalierError('malformed', 'the pickle refers to a storage without key or size')
  const result = { key, dtype: storageType(type), length }
  if (view === null) return result
  const [, offset, viewLength] = Array.isArray(view) ? view : []
  if (!isSize(offset) || !isSize(viewLength) || offset + viewLength > length)
    throw new EspalierError('malformed', `a view of storage "${key}" leaves it`)
  return { ...result, view: { offset, length: viewLength } }
}

function storageType(type: PyValue | undefined): DType {
  const name = isPyGlobal(type) ? STORAGE_CLASS.exec(type.name)?.[1] : undefined
  const dtype = name === undefined ? undefined : storageTypes.get(name)
  if (dtype !== undefined) return dtype
  if (name !== undefined)
    throw new EspalierError('unsupported-format', `tensors of ${name}Storage are not supported`, {
      ...(name.startsWith('Q') && { hint: 'Save dequantised tensors' }),
    })
  throw new EspalierError('malformed', 'the pickle refers to a storage without a type', {
    got: describePy(type),
  })
}

/** Whether a value is a number of elements. */
export function isSize(value: PyValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/** The storages of one file by key: the same key means the same bytes. */
export interface StorageTable {
  readonly bytes: ReadonlyMap<string, StorageBytes>
  /** The storage that a persistent identifier stands for. */
  resolve(id: PyValue): Storage
}

/** A table that asks `locate` for the bytes of each key when it first comes up. */
export function storageTable(
  locate: (key: string, length: number, byteLength: number) => StorageBytes,
): StorageTable {
  const known = new Map<string, StorageBytes>()
  return {
    bytes: known,
    resolve(id) {
      const { key, dtype, length, view = { offset: 0, length } } = parseStorageId(id)
      const total = byteLength(dtype, length)
      const bytes = known.get(key) ?? locate(key, length, total)
      if (bytes.byteLength !== total)
        throw new EspalierError('malformed', `storage "${key}" has two sizes`, {
          expected: `${bytes.byteLength} bytes`,
          got: `${total}`,
        })
      known.set(key, bytes)
      return {
        type: 'storage',
        dtype,
        length: view.length,
        bytes,
        byteOffset: byteLength(dtype, view.offset),
      }
    },
  }
}
