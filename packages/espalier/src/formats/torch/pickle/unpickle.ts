/**
 * A pickle machine that can run nothing: all opcodes of protocols 0 to 5 (those of CPython's `pickletools`), over
 * plain data. Where Python would import a class or call a function, the name is looked up in a table of known,
 * harmless ones; a name that is not there is refused, or becomes an inert object where the caller asks for that.
 */
import { EspalierError } from '../../../errors.ts'
import {
  add,
  append,
  COST,
  call,
  drop,
  find,
  loadPersistent,
  type Machine,
  malformed,
  mark,
  newDict,
  newMachine,
  newSet,
  type PickleOptions,
  pop,
  popGroup,
  popTuple,
  push,
  recall,
  remember,
  setState,
  store,
  top,
} from './machine.ts'
import type { PyGlobal, PyValue } from './python.ts'
import type { PickleReader } from './reader.ts'
import { decodeUtf8, parseFloat64, parseInteger, parseQuoted, parseRawUnicode, textOrBytes } from './text.ts'

const MAX_PROTOCOL = 5
const STOP = 0x2e

/**
 * Runs one pickle and leaves `reader` behind it. Throws `malformed` or `truncated` when it is broken, `unsafe` when
 * it asks for a class or function that is not known, `too-large` when its objects would take too much memory.
 */
export function unpickle(reader: PickleReader, options: PickleOptions): PyValue {
  const machine = newMachine(reader, options)
  let offset = reader.position
  try {
    for (;;) {
      offset = reader.position
      const opcode = reader.uint8()
      if (opcode === STOP) return pop(machine)
      const operation = operations[opcode]
      if (operation === undefined) throw malformed('the pickle has an unknown opcode', { got: `${opcode}` })
      machine.charge(COST.operation)
      operation(machine)
    }
  } catch (error) {
    throw error instanceof EspalierError ? error.at({ offset }) : error
  }
}

type Operation = (m: Machine) => void

/** An operation that makes a value. */
const value =
  (make: (m: Machine) => PyValue): Operation =>
  m =>
    push(m, make(m))

/** An operation that adds the last group of values to the container below it. */
const onGroup =
  (change: (m: Machine, target: PyValue, items: readonly PyValue[]) => void): Operation =>
  m => {
    const items = popGroup(m)
    change(m, top(m), items)
  }

/** By opcode: characters in protocols 0 and 1, numbers from 0x80 later. */
const operations = listByOpcode([
  // the pickle itself
  [0x80, checkProtocol], // PROTO
  [0x95, checkFrame], // FRAME
  // constants
  [char('N'), value(() => null)], // NONE
  [0x88, value(() => true)], // NEWTRUE
  [0x89, value(() => false)], // NEWFALSE
  // integers
  [char('I'), value(m => parseIntegerOrBool(m.reader.line()))], // INT
  [char('J'), value(m => m.reader.int32())], // BININT
  [char('K'), value(m => m.reader.uint8())], // BININT1
  [char('M'), value(m => m.reader.uint16())], // BININT2
  [char('L'), value(m => parseInteger(m.reader.line()))], // LONG
  [0x8a, value(m => m.reader.integer(m.reader.uint8()))], // LONG1
  [0x8b, value(m => m.reader.integer(m.reader.uint32()))], // LONG4
  // floating-point numbers
  [char('F'), value(m => parseFloat64(m.reader.line()))], // FLOAT
  [char('G'), value(m => m.reader.float64())], // BINFLOAT
  // text
  [char('V'), value(m => parseRawUnicode(m.reader.line()))], // UNICODE
  [char('X'), value(m => m.reader.utf8(m.reader.uint32()))], // BINUNICODE
  [0x8c, value(m => m.reader.utf8(m.reader.uint8()))], // SHORT_BINUNICODE
  [0x8d, value(m => m.reader.utf8(m.reader.uint64()))], // BINUNICODE8
  // the strings of Python 2
  [char('S'), value(m => textOrBytes(parseQuoted(m.reader.line())))], // STRING
  [char('T'), value(m => textOrBytes(m.reader.bytes(m.reader.uint32())))], // BINSTRING
  [char('U'), value(m => textOrBytes(m.reader.bytes(m.reader.uint8())))], // SHORT_BINSTRING
  // bytes
  [char('B'), value(m => m.reader.bytes(m.reader.uint32()))], // BINBYTES
  [char('C'), value(m => m.reader.bytes(m.reader.uint8()))], // SHORT_BINBYTES
  [0x8e, value(m => m.reader.bytes(m.reader.uint64()))], // BINBYTES8
  [0x96, value(m => m.reader.bytes(m.reader.uint64()))], // BYTEARRAY8
  [0x97, outOfBand], // NEXT_BUFFER
  [0x98, outOfBand], // READONLY_BUFFER
  // the stack
  [char('('), mark], // MARK
  [char('0'), drop], // POP
  [char('1'), m => void popGroup(m)], // POP_MARK
  [char('2'), value(top)], // DUP
  // the memo
  [char('p'), m => remember(m, parseIndex(m.reader.line()))], // PUT
  [char('q'), m => remember(m, m.reader.uint8())], // BINPUT
  [char('r'), m => remember(m, m.reader.uint32())], // LONG_BINPUT
  [0x94, m => remember(m, m.memo.size)], // MEMOIZE
  [char('g'), value(m => recall(m, parseIndex(m.reader.line())))], // GET
  [char('h'), value(m => recall(m, m.reader.uint8()))], // BINGET
  [char('j'), value(m => recall(m, m.reader.uint32()))], // LONG_BINGET
  // tuples and lists
  [char(')'), value(m => popTuple(m, 0))], // EMPTY_TUPLE
  [0x85, value(m => popTuple(m, 1))], // TUPLE1
  [0x86, value(m => popTuple(m, 2))], // TUPLE2
  [0x87, value(m => popTuple(m, 3))], // TUPLE3
  [char('t'), value(popGroup)], // TUPLE
  [char(']'), value(m => popTuple(m, 0))], // EMPTY_LIST
  [char('l'), value(popGroup)], // LIST
  [char('a'), appendOne], // APPEND
  [char('e'), onGroup(append)], // APPENDS
  // dicts and sets
  [char('}'), value(m => newDict(m))], // EMPTY_DICT
  [char('d'), value(m => newDict(m, popGroup(m)))], // DICT
  [char('s'), storeOne], // SETITEM
  [char('u'), onGroup(store)], // SETITEMS
  [0x8f, value(m => newSet(m))], // EMPTY_SET
  [0x90, onGroup(add)], // ADDITEMS
  [0x91, value(m => newSet(m, popGroup(m)))], // FROZENSET
  // classes, functions and objects
  [char('c'), value(findInLines)], // GLOBAL
  [0x93, value(findOnStack)], // STACK_GLOBAL
  [char('R'), value(callOnStack)], // REDUCE
  [0x81, value(callOnStack)], // NEWOBJ
  [0x92, value(callWithKeywords)], // NEWOBJ_EX
  [char('i'), value(m => call(m, findInLines(m), popGroup(m)))], // INST
  [char('o'), value(callGroup)], // OBJ
  [char('b'), build], // BUILD
  [0x82, extension], // EXT1
  [0x83, extension], // EXT2
  [0x84, extension], // EXT4
  // objects that are kept elsewhere
  [char('P'), value(m => loadPersistent(m, decodeUtf8(m.reader.line())))], // PERSID
  [char('Q'), value(m => loadPersistent(m, pop(m)))], // BINPERSID
])

function listByOpcode(
  entries: readonly (readonly [opcode: number, operation: Operation])[],
): (Operation | undefined)[] {
  const list = new Array<Operation | undefined>(256).fill(undefined)
  for (const [opcode, operation] of entries) list[opcode] = operation
  return list
}

function char(opcode: string): number {
  return opcode.charCodeAt(0)
}

function checkProtocol({ reader }: Machine): void {
  const protocol = reader.uint8()
  if (protocol > MAX_PROTOCOL)
    throw new EspalierError('unsupported-format', 'the pickle has a newer protocol', {
      expected: `at most ${MAX_PROTOCOL}`,
      got: `${protocol}`,
    })
}

/** A frame tells how many bytes to read ahead, which changes nothing here. */
function checkFrame({ reader }: Machine): void {
  const length = reader.uint64()
  if (length > reader.remaining)
    throw new EspalierError('truncated', 'a frame of the pickle is longer than what is left', {
      expected: `${length} bytes`,
      got: `${reader.remaining}`,
    })
}

/** Before protocol 2, booleans were integers of two digits. */
function parseIntegerOrBool(line: Uint8Array): PyValue {
  const [first, second] = line
  if (line.length === 2 && first === char('0')) return second === char('1')
  return parseInteger(line)
}

function parseIndex(line: Uint8Array): number {
  const index = parseInteger(line)
  if (typeof index === 'number' && index >= 0) return index
  throw malformed('the pickle has a wrong place for a value to recall', { got: `${index}` })
}

function appendOne(m: Machine): void {
  const item = pop(m)
  append(m, top(m), [item])
}

function storeOne(m: Machine): void {
  const pair = popTuple(m, 2)
  store(m, top(m), pair)
}

function findInLines(m: Machine): PyGlobal {
  const module = decodeUtf8(m.reader.line())
  return find(m, module, decodeUtf8(m.reader.line()))
}

function findOnStack(m: Machine): PyGlobal {
  const [module, name] = popTuple(m, 2)
  if (typeof module === 'string' && typeof name === 'string') return find(m, module, name)
  throw malformed('the pickle names a class or function with something else than text')
}

function callOnStack(m: Machine): PyValue {
  const [callee, args] = popTuple(m, 2)
  return call(m, callee!, args!)
}

function callWithKeywords(m: Machine): PyValue {
  const [callee, args, kwargs] = popTuple(m, 3)
  return call(m, callee!, args!, kwargs!)
}

function callGroup(m: Machine): PyValue {
  const [callee, ...args] = popGroup(m)
  if (callee === undefined) throw malformed('the pickle makes an object of no class')
  return call(m, callee, args)
}

function build(m: Machine): void {
  const state = pop(m)
  setState(m, top(m), state)
}

function outOfBand(): never {
  throw malformed('the pickle refers to buffers that were to come beside it')
}

function extension(): never {
  throw new EspalierError('unsafe', 'the pickle refers to a class by a number that only its writer knows')
}
