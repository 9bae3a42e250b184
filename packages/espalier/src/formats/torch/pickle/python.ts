/**
 * Python objects as plain data: what reading a pickle gives. Nothing in here has behaviour. A class or function is
 * its name, an instance is the name of its class with what it was made from, and neither is ever looked up or run.
 */
import type { DType } from '../../../tensor/dtype.ts'
import type { Tensor } from '../../../tensor/tensor.ts'

/**
 * A Python value:
 *
 * | Python | here |
 * |---|---|
 * | `None`, `bool`, `str` | `null`, boolean, string |
 * | `int` | number, or bigint beyond 2^53 |
 * | `float` | number (so 1 and 1.0 are the same) |
 * | `bytes`, `bytearray` | `Uint8Array` |
 * | `list`, `tuple`, `torch.Size`, `deque` | array |
 * | `dict`, `OrderedDict`, `defaultdict`, `Counter` | `Map`, with keys of any kind, in order |
 * | `set`, `frozenset` | `Set` |
 * | `torch.Tensor`, `Parameter`, `numpy.ndarray` | {@link PyTensor} |
 * | a storage that is no tensor's | {@link PyStorage} |
 * | a class, a function, a `torch.dtype` | {@link PyGlobal} |
 * | an instance of any other class | {@link PyObject} |
 *
 * Containers may contain themselves. Attributes set on a `dict` or `list` are dropped (PyTorch sets `_metadata`).
 */
export type PyValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PyValue[]
  | PyMap
  | Set<PyValue>
  | PyTensor
  | PyStorage
  | PyGlobal
  | PyObject

export type PyMap = Map<PyValue, PyValue>

export interface PyTensor {
  readonly type: 'tensor'
  readonly tensor: Tensor
  /** Whether training was to change it. False for NumPy arrays. */
  readonly requiresGrad: boolean
}

/** The type and size of a storage; its elements are in the tensors that use it. */
export interface PyStorage {
  readonly type: 'storage'
  readonly dtype: DType
  /** Number of elements. */
  readonly length: number
}

export interface PyGlobal {
  readonly type: 'global'
  /** Module and name: `torch.float32`. */
  readonly name: string
}

export interface PyObject {
  readonly type: 'object'
  /** Module and name of its class: `argparse.Namespace`. */
  readonly class: string
  /** What its class was called with. */
  readonly args: readonly PyValue[]
  /** Keyword arguments of that call; left out when there were none. */
  readonly kwargs?: PyMap
  /** Its attributes, usually a `Map` by name; `null` when nothing was set. */
  readonly state: PyValue
  /** What was appended to it, when its class is a kind of list. */
  readonly items?: readonly PyValue[]
  /** What was stored in it, when its class is a kind of dict. */
  readonly entries?: PyMap
}

function hasType(value: PyValue | undefined, type: string): boolean {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === type
}

export function isPyTensor(value: PyValue | undefined): value is PyTensor {
  return hasType(value, 'tensor')
}

export function isPyStorage(value: PyValue | undefined): value is PyStorage {
  return hasType(value, 'storage')
}

export function isPyGlobal(value: PyValue | undefined): value is PyGlobal {
  return hasType(value, 'global')
}

export function isPyObject(value: PyValue | undefined): value is PyObject {
  return hasType(value, 'object')
}

/** Whether an integer can be written down at no great cost. */
export function isShort(value: bigint): boolean {
  return BigInt.asIntN(128, value) === value
}

/** What a value is, for messages: `a dict`, `"text"`, `torch.float32`. */
export function describePy(value: PyValue | undefined): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'None'
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value)
  if (typeof value === 'bigint' && !isShort(value)) return 'a long integer'
  if (typeof value !== 'object') return String(value)
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (value instanceof Map) return 'a dict'
  if (value instanceof Set) return 'a set'
  if (value.type === 'global') return value.name
  return value.type === 'object' ? `an object of ${value.class}` : `a ${value.type}`
}
