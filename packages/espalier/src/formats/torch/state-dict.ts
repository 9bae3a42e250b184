/**
 * From a Python object to tensors by name. Checkpoints come in many shapes: a bare state dict, a dict with the
 * state dict beside optimiser state and counters, a whole module. The rule that finds the weights is this:
 *
 * 1. A dict that has tensors among its own values, and a module, are what is wanted.
 * 2. Of any other dict, the entry is wanted that comes first in this list and leads to a tensor: `state_dict`,
 *    `model_state_dict`, `model`, `module`, `net`; and this rule applies to it in turn.
 * 3. Where there is none, all tensors are wanted, wherever they are.
 *
 * Names are the keys on the way, joined with dots, as they are: a state dict keeps its own names.
 */
import { EspalierError } from '../../errors.ts'
import type { NamedTensors } from '../format.ts'
import {
  describePy,
  isPyObject,
  isPyTensor,
  isShort,
  type PyObject,
  type PyTensor,
  type PyValue,
} from './pickle/python.ts'

const WEIGHT_KEYS = ['state_dict', 'model_state_dict', 'model', 'module', 'net']

/** Name of a tensor that stands alone, as in every format without names. */
const ALONE = 'data'

/** Deepest nesting of containers. */
const MAX_DEPTH = 100
/** Most characters in all names: an object that holds another twice, and so on, unfolds to far more than the file. */
const MAX_NAMES = 2 ** 24

export interface StateDict {
  readonly tensors: ReadonlyMap<string, PyTensor>
  /** Numbers and texts beside the state dict, such as `epoch`. */
  readonly metadata: NonNullable<NamedTensors['metadata']>
}

/**
 * The weights in a checkpoint. `key` names an entry of the outermost dict and overrules the choice. Throws
 * `bad-argument` when there is no such entry, `malformed` when two tensors get one name.
 */
export function findStateDict(root: PyValue, key?: string): StateDict {
  const metadata = new Map<string, string>()
  let value = root
  if (key !== undefined) {
    collectScalars(root, metadata)
    value = entryOf(root, key)
  }
  for (let depth = 0; ; depth++) {
    const next = depth < MAX_DEPTH ? weightsIn(value) : undefined
    if (next === undefined) break
    collectScalars(value, metadata)
    value = next
  }
  return { tensors: flatten(value), metadata }
}

function entryOf(root: PyValue, key: string): PyValue {
  const value = root instanceof Map ? root.get(key) : undefined
  if (value !== undefined) return value
  const keys =
    root instanceof Map ? [...root.keys()].slice(0, 16).map(describePy).join(', ') : describePy(root)
  throw new EspalierError('bad-argument', `the checkpoint has no entry "${key}"`, { got: keys })
}

/** The entry of a dict in which the weights are, if they are not in the dict itself. */
function weightsIn(value: PyValue): PyValue | undefined {
  if (!(value instanceof Map) || [...value.values()].some(isPyTensor)) return undefined
  return WEIGHT_KEYS.map(key => value.get(key)).find(
    entry => (entry instanceof Map || isPyObject(entry)) && flatten(entry).size > 0,
  )
}

function collectScalars(value: PyValue, metadata: Map<string, string>): void {
  if (!(value instanceof Map)) return
  for (const [key, entry] of value)
    if (typeof key === 'string' && isScalar(entry)) metadata.set(key, String(entry))
}

function isScalar(value: PyValue): value is string | number | bigint | boolean {
  return typeof value === 'bigint' ? isShort(value) : ['string', 'number', 'boolean'].includes(typeof value)
}

/** Every tensor in `root`, by the keys that lead to it. Containers inside themselves are passed over. */
function flatten(root: PyValue): Map<string, PyTensor> {
  const result = new Map<string, PyTensor>()
  const path: string[] = []
  /** Containers that need not be looked into: those around the current value, and those without tensors. */
  const passed = new Set<PyValue>()
  let characters = 0

  const visit = (value: PyValue): void => {
    if (value === null || typeof value !== 'object' || passed.has(value)) return
    if (isPyTensor(value)) add(value)
    const parts = partsOf(value)
    if (parts.length === 0) return
    if (path.length >= MAX_DEPTH) throw new EspalierError('malformed', 'the checkpoint is nested too deeply')
    passed.add(value)
    const before = result.size
    for (const part of parts)
      for (const [key, entry] of part) {
        path.push(nameOf(key))
        visit(entry)
        path.pop()
      }
    if (result.size > before) passed.delete(value)
  }
  const add = (value: PyTensor): void => {
    const name = path.join('.') || ALONE
    if (result.has(name))
      throw new EspalierError('malformed', 'two tensors of the checkpoint have one name', {
        where: { tensor: name },
      })
    characters += name.length
    if (characters > MAX_NAMES)
      throw new EspalierError('too-large', 'the checkpoint unfolds to too many tensors')
    result.set(name, value)
  }
  visit(root)
  return result
}

type Part = Iterable<readonly [PyValue, PyValue]>

/** What a container holds, by key; nothing for other values. */
function partsOf(value: PyValue): Part[] {
  if (value instanceof Map) return [value]
  if (Array.isArray(value)) return [value.entries()]
  return isPyObject(value) ? (modulePartsOf(value) ?? objectPartsOf(value)) : []
}

/** What `state_dict()` of a `torch.nn.Module` would hold; `undefined` for other objects. */
function modulePartsOf({ state }: PyObject): Part[] | undefined {
  if (!(state instanceof Map) || !(state.get('_modules') instanceof Map)) return undefined
  const passing = state.get('_non_persistent_buffers_set')
  const isKept = ([name]: readonly [PyValue, PyValue]) => !(passing instanceof Set && passing.has(name))
  const [parameters, buffers, modules] = ['_parameters', '_buffers', '_modules'].map(name => {
    const part = state.get(name)
    return part instanceof Map ? [...part] : []
  })
  return [parameters!, buffers!.filter(isKept), modules!]
}

/** The attributes of an object (with `__slots__` they are a pair of dicts), and what it contains. */
function objectPartsOf({ state, items = [], entries = new Map() }: PyObject): Part[] {
  const attributes = (Array.isArray(state) ? state : [state]).filter(part => part instanceof Map)
  return [...attributes, items.entries(), entries]
}

function nameOf(key: PyValue): string {
  if (typeof key === 'string') return key
  return Array.isArray(key) ? key.map(describePy).join(',') : describePy(key)
}
