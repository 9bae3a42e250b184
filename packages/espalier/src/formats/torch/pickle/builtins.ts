/**
 * The classes and functions of Python itself that pickles of plain data mention, as operations on plain data; and
 * classes that only hold data, which become inert objects. None of them can reach anything outside of its arguments.
 */
import type { EspalierError } from '../../../errors.ts'
import { COST, checkEntries, type GlobalRule, malformed, type PickleContext } from './machine.ts'
import { describePy, isPyGlobal, type PyMap, type PyValue } from './python.ts'

/** Rules by module and name. */
export const builtinGlobals: ReadonlyMap<string, GlobalRule> = new Map<string, GlobalRule>([
  ['builtins.dict', dict],
  ['builtins.list', list],
  ['builtins.tuple', list],
  ['builtins.set', set],
  ['builtins.frozenset', set],
  ['builtins.bytes', bytes],
  ['builtins.bytearray', bytes],
  ['builtins.complex', 'inert'],
  ['builtins.range', 'inert'],
  ['builtins.slice', 'inert'],
  ['builtins.object', 'inert'],
  ['builtins.bool', 'data'],
  ['builtins.float', 'data'],
  ['builtins.int', 'data'],
  ['builtins.str', 'data'],
  ['collections.Counter', dict],
  ['collections.OrderedDict', dict],
  ['collections.defaultdict', defaultdict],
  ['collections.deque', deque],
  ['copyreg.__newobj__', newObject],
  ['copyreg._reconstructor', reconstruct],
  ['_codecs.encode', encode],
  ['argparse.Namespace', 'inert'],
  ['types.SimpleNamespace', 'inert'],
  ['datetime.date', 'inert'],
  ['datetime.datetime', 'inert'],
  ['datetime.time', 'inert'],
  ['datetime.timedelta', 'inert'],
  ['datetime.timezone', 'inert'],
  ['decimal.Decimal', 'inert'],
  ['fractions.Fraction', 'inert'],
  ['pathlib.Path', 'inert'],
  ['pathlib.PosixPath', 'inert'],
  ['pathlib.PurePath', 'inert'],
  ['pathlib.PurePosixPath', 'inert'],
  ['pathlib.PureWindowsPath', 'inert'],
  ['pathlib.WindowsPath', 'inert'],
  ['uuid.UUID', 'inert'],
])

/** The error for a known function that is called in an unknown way. */
export function badCall(name: string, args: readonly PyValue[]): EspalierError {
  const got = args.slice(0, 4).map(describePy).join(', ')
  return malformed(`the pickle calls ${name} in a way that is not known`, {
    got: args.length > 4 ? `${got} and ${args.length - 4} more` : got || 'no arguments',
  })
}

/** The elements of a list or set, as an array of its own. */
function copyItems(name: string, args: readonly PyValue[], context: PickleContext): PyValue[] {
  const [items = []] = args
  if (args.length > 1 || !(Array.isArray(items) || items instanceof Set)) throw badCall(name, args)
  context.charge(COST.list + COST.item * (Array.isArray(items) ? items.length : items.size))
  return [...items]
}

function list(args: readonly PyValue[], context: PickleContext): PyValue {
  return copyItems('list', args, context)
}

function set(args: readonly PyValue[], context: PickleContext): PyValue {
  const items = copyItems('set', args, context)
  checkEntries(items.length)
  context.charge(COST.dict + items.length * COST.entry)
  return new Set(items)
}

/** `deque(items, maxlen)`, without its bound. */
function deque(args: readonly PyValue[], context: PickleContext): PyValue {
  return copyItems('deque', args.slice(0, 1), context)
}

/** From nothing, from another dict, or from a list of pairs. */
function dict(args: readonly PyValue[], context: PickleContext): PyValue {
  const [from = []] = args
  if (args.length > 1 || !(Array.isArray(from) || from instanceof Map)) throw badCall('dict', args)
  const count = Array.isArray(from) ? from.length : from.size
  checkEntries(count)
  context.charge(COST.dict + count * COST.entry)
  if (from instanceof Map) return new Map(from)
  const result: PyMap = new Map()
  for (const pair of from) {
    if (!Array.isArray(pair) || pair.length !== 2) throw badCall('dict', args)
    result.set(pair[0]!, pair[1]!)
  }
  return result
}

/** `defaultdict(factory, items)`; the factory, which would run for missing keys, is forgotten. */
function defaultdict(args: readonly PyValue[], context: PickleContext): PyValue {
  return dict(args.slice(1), context)
}

/** From nothing, from bytes, or from text in Latin-1; not from a number, which would be a size. */
function bytes(args: readonly PyValue[], context: PickleContext): PyValue {
  const [from = new Uint8Array(0), ...encoding] = args
  if (typeof from === 'string') return encode([from, ...encoding], context)
  if (encoding.length > 0 || !(from instanceof Uint8Array)) throw badCall('bytes', args)
  return from
}

/** `_codecs.encode(text, "latin1")`: how protocols before 3 write bytes. */
function encode(args: readonly PyValue[], context: PickleContext): PyValue {
  const [text, encoding] = args
  if (typeof text !== 'string' || typeof encoding !== 'string' || args.length !== 2)
    throw badCall('encode', args)
  context.charge(text.length)
  if (/^utf-?8$/i.test(encoding)) return new TextEncoder().encode(text)
  if (!/^(latin-?1|iso-?8859-1|ascii)$/i.test(encoding)) throw badCall('encode', args)
  const result = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 255) throw badCall('encode', args)
    result[i] = code
  }
  return result
}

/** `__newobj__(class, ...args)`: an instance, from its arguments. */
function newObject([cls = null, ...args]: readonly PyValue[], context: PickleContext): PyValue {
  return context.call(cls, args)
}

/** `_reconstructor(class, base, value)`: an instance whose contents are `value`, of a class that builds on `base`. */
function reconstruct(args: readonly PyValue[], context: PickleContext): PyValue {
  const [cls, base, contents] = args
  if (args.length !== 3 || !isPyGlobal(base)) throw badCall('_reconstructor', args)
  return context.call(cls!, base.name === 'builtins.object' ? [] : [contents!])
}
