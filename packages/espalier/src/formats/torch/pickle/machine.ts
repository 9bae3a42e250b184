/**
 * The parts of the pickle machine: its stack, its memo, the containers it fills and the names it may mention. What
 * each opcode does with them is in unpickle.ts. Every part accounts for the memory it takes, so that a small file
 * cannot ask for a lot of it.
 */
import { type ErrorDetails, EspalierError } from '../../../errors.ts'
import {
  describePy,
  isPyGlobal,
  isPyObject,
  type PyGlobal,
  type PyMap,
  type PyObject,
  type PyValue,
} from './python.ts'
import type { PickleReader } from './reader.ts'

/** What a known function may use. */
export interface PickleContext {
  /** Accounts for `bytes` of memory that a value takes. Throws `too-large` when a pickle asks for too much. */
  charge(bytes: number): void
  /** Calls another class or function that the pickle has named, by its rule. Throws `malformed` where there is none. */
  call(callee: PyValue, args: PyValue): PyValue
}

/** What calling a known class or function gives. Throws `malformed` for arguments it does not take. */
export type PickleFunction = (args: readonly PyValue[], context: PickleContext) => PyValue

/** What a pickle may do with a known name: call it, make an inert object of it, or only mention it. */
export type GlobalRule = PickleFunction | 'inert' | 'data'

/** Names that are not known are refused, or become inert objects. */
export type UnknownGlobals = 'refuse' | 'placeholder'

export interface PickleOptions {
  /** The rule for a module and name, as `collections.OrderedDict`; `undefined` when it is not known. */
  readonly globals: (name: string) => GlobalRule | undefined
  readonly unknownGlobals: UnknownGlobals
  /** The pickle that this one is part of, which pays for its memory. */
  readonly outer?: PickleContext
  /** Gives the object that a persistent identifier stands for. Left out, there are none. */
  readonly persistent?: (id: PyValue) => PyValue
  /** Takes the state that a pickle sets on anything but a {@link PyObject}. Left out, it is dropped. */
  readonly setState?: (target: PyValue, state: PyValue, context: PickleContext) => void
}

export interface Machine extends PickleContext {
  readonly reader: PickleReader
  readonly options: PickleOptions
  readonly stack: PyValue[]
  /** Heights of the stack at which groups of values begin. */
  readonly marks: number[]
  readonly memo: Map<number, PyValue>
  /** Every name the pickle has mentioned. */
  readonly names: Map<string, { readonly value: PyGlobal; readonly rule: GlobalRule }>
  /** Calls that are under way, one inside the other. */
  depth: number
}

/** What values take on the heap, in bytes, about. */
export const COST = {
  operation: 16,
  memo: 48,
  list: 64,
  dict: 200,
  object: 120,
  item: 16,
  entry: 48,
} as const

/** Memory that objects may take: this much in any case, this much more for each byte of pickle, and this at most. */
const FREE_BYTES = 2 ** 26
const BYTES_PER_BYTE = 64
const MAX_BYTES = 2 ** 30
/** Most entries of a dict, a set or the memo: JavaScript's own limit is 2^24. */
const MAX_ENTRIES = 2 ** 23
/** Most calls inside calls; two are usual. */
const MAX_DEPTH = 8

export function newMachine(reader: PickleReader, options: PickleOptions): Machine {
  const start = reader.position
  let spent = 0
  const charge = (bytes: number) => {
    options.outer?.charge(bytes)
    spent += bytes
    if (spent <= FREE_BYTES) return
    if (spent > Math.min(MAX_BYTES, FREE_BYTES + BYTES_PER_BYTE * (reader.position - start)))
      throw new EspalierError('too-large', 'the objects in the pickle would take too much memory')
  }
  const machine: Machine = {
    reader,
    options,
    charge,
    call: (callee, args) => call(machine, callee, args),
    stack: [],
    marks: [],
    memo: new Map(),
    names: new Map(),
    depth: 0,
  }
  return machine
}

export function malformed(summary: string, details: ErrorDetails = {}): EspalierError {
  return new EspalierError('malformed', summary, details)
}

export function push(m: Machine, value: PyValue): void {
  m.stack.push(value)
}

/** The value on top of the stack; a mark hides what is below it. */
export function top(m: Machine): PyValue {
  if (m.stack.length > (m.marks.at(-1) ?? 0)) return m.stack.at(-1)!
  throw malformed('the pickle uses a value that it has not made')
}

export function pop(m: Machine): PyValue {
  const value = top(m)
  m.stack.pop()
  return value
}

export function mark(m: Machine): void {
  m.marks.push(m.stack.length)
}

/** The values above the last mark, which is removed with them. */
export function popGroup(m: Machine): PyValue[] {
  const start = m.marks.pop()
  if (start === undefined) throw malformed('the pickle ends a group that it has not begun')
  m.charge(COST.list)
  return m.stack.splice(start)
}

/** Removes the top value, or the mark when that is on top. */
export function drop(m: Machine): void {
  if (m.marks.at(-1) === m.stack.length) m.marks.pop()
  else pop(m)
}

/** The last `count` values as one: a tuple. */
export function popTuple(m: Machine, count: number): PyValue[] {
  m.charge(COST.list)
  const items = new Array<PyValue>(count)
  for (let i = count - 1; i >= 0; i--) items[i] = pop(m)
  return items
}

export function remember(m: Machine, index: number): void {
  checkEntries(m.memo.size + 1)
  m.charge(COST.memo)
  m.memo.set(index, top(m))
}

export function recall(m: Machine, index: number): PyValue {
  const value = m.memo.get(index)
  if (value !== undefined) return value
  throw malformed('the pickle recalls a value that it has not stored', { got: `number ${index}` })
}

type Building = { -readonly [K in keyof PyObject]: PyObject[K] } & { items?: PyValue[] }

/** Adds to the end of a list, or of an object whose class is a kind of list. */
export function append(m: Machine, target: PyValue, items: readonly PyValue[]): void {
  let list: PyValue[] | undefined
  if (Array.isArray(target)) list = target
  else if (isPyObject(target)) list = (target as Building).items ??= []
  if (list === undefined)
    throw malformed('the pickle appends to what is not a list', { got: describePy(target) })
  m.charge(items.length * COST.item)
  for (const item of items) list.push(item)
}

/** Stores keys and values, given in turn, in a dict or in an object whose class is a kind of dict. */
export function store(m: Machine, target: PyValue, pairs: readonly PyValue[]): void {
  let map: PyMap | undefined
  if (target instanceof Map) map = target
  else if (isPyObject(target)) map = (target as Building).entries ??= new Map()
  if (map === undefined)
    throw malformed('the pickle stores into what is not a dict', { got: describePy(target) })
  if (pairs.length % 2 !== 0) throw malformed('the pickle has a dict key without a value')
  checkEntries(map.size + pairs.length / 2)
  m.charge((pairs.length / 2) * COST.entry)
  for (let i = 0; i < pairs.length; i += 2) map.set(pairs[i]!, pairs[i + 1]!)
}

export function add(m: Machine, target: PyValue, items: readonly PyValue[]): void {
  if (!(target instanceof Set))
    throw malformed('the pickle adds to what is not a set', { got: describePy(target) })
  checkEntries(target.size + items.length)
  m.charge(items.length * COST.entry)
  for (const item of items) target.add(item)
}

export function newDict(m: Machine, pairs: readonly PyValue[] = []): PyMap {
  m.charge(COST.dict)
  const dict: PyMap = new Map()
  store(m, dict, pairs)
  return dict
}

export function newSet(m: Machine, items: readonly PyValue[] = []): Set<PyValue> {
  m.charge(COST.dict)
  const set = new Set<PyValue>()
  add(m, set, items)
  return set
}

export function checkEntries(count: number): void {
  if (count > MAX_ENTRIES)
    throw new EspalierError('too-large', 'the pickle has a container with too many entries')
}

/** Modules that Python 3 renamed, as its own unpickler knows them. */
const PYTHON2_MODULES: ReadonlyMap<string, string> = new Map([
  ['__builtin__', 'builtins'],
  ['copy_reg', 'copyreg'],
])

/** The class or function of a name, which stays a name. Throws `unsafe` when it is not known. */
export function find(m: Machine, module: string, name: string): PyGlobal {
  const full = `${PYTHON2_MODULES.get(module) ?? module}.${name}`
  const known = m.names.get(full)
  if (known !== undefined) return known.value
  const rule = m.options.globals(full) ?? (m.options.unknownGlobals === 'placeholder' ? 'inert' : undefined)
  if (rule === undefined) throw unsafe(full)
  const value: PyGlobal = { type: 'global', name: full }
  m.charge(COST.object + COST.entry)
  m.names.set(full, { value, rule })
  return value
}

function unsafe(name: string): EspalierError {
  return new EspalierError(
    'unsafe',
    `the pickle asks for the class or function ${name.slice(0, 200)}, which is not known to be harmless`,
    {
      hint: 'Nothing was run. Save model.state_dict() alone, or read it with { unknownGlobals: "placeholder" }, which makes inert data of such objects',
    },
  )
}

/** Calls a class or function by its rule. */
export function call(m: Machine, callee: PyValue, args: PyValue, kwargs: PyValue = new Map()): PyValue {
  if (!isPyGlobal(callee) || !Array.isArray(args) || !(kwargs instanceof Map))
    throw malformed('the pickle calls what cannot be called', {
      got: `${describePy(callee)} with ${describePy(args)}`,
    })
  const rule = m.names.get(callee.name)?.rule
  if (rule === undefined || rule === 'data')
    throw malformed('the pickle calls what is not a function', { got: callee.name })
  m.charge(COST.object)
  if (rule === 'inert') return inertObject(callee.name, args, kwargs)
  if (kwargs.size > 0) throw malformed(`the pickle calls ${callee.name} with keyword arguments`)
  if (m.depth >= MAX_DEPTH) throw malformed('the pickle has calls inside calls inside calls')
  m.depth++
  const result = rule(args, m)
  m.depth--
  return result
}

/** An instance of a class that is not known better: what it was made from, and nothing else. */
export function inertObject(name: string, args: readonly PyValue[], kwargs: PyMap = new Map()): PyObject {
  return { type: 'object', class: name, args, ...(kwargs.size > 0 && { kwargs }), state: null }
}

export function setState(m: Machine, target: PyValue, state: PyValue): void {
  if (typeof target !== 'object' || target === null)
    throw malformed('the pickle sets the state of what has none', { got: describePy(target) })
  if (isPyObject(target)) (target as Building).state = state
  else m.options.setState?.(target, state, m)
}

export function loadPersistent(m: Machine, id: PyValue): PyValue {
  const load = m.options.persistent
  if (load === undefined)
    throw malformed('the pickle refers to an object outside of it', { got: describePy(id) })
  return load(id)
}
