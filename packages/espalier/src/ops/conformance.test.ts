/**
 * What every operator has to keep, whatever it computes: schemas that can be read, errors that are
 * `EspalierError`s, and types inferred that agree with values computed. Operators are given random inputs of
 * the types in their own schemas, so that a new one is tested as soon as it is exported.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EspalierError } from '../errors.ts'
import { evaluateDim } from '../graph/dim.ts'
import { type Dim, tensorType, type ValueType } from '../graph/graph.ts'
import { type DType, dtypeInfo, isDType } from '../tensor/dtype.ts'
import { fromNumbers, full } from '../tensor/elements.ts'
import { broadcastShapes, formatShape, sizeOf } from '../tensor/shape.ts'
import { isTensor, type RuntimeValue, type Tensor, tensor, zeros } from '../tensor/tensor.ts'
import * as onnx from './onnx/index.ts'
import type { Op } from './op.ts'
import { type AttributeSchema, type Parameter, parseParameter, type Schema } from './schema.ts'
import { evaluateOp, inferOp } from './support/testing.ts'

const operators: readonly (readonly [name: string, op: Op])[] = Object.entries<Op>(onnx)

describe('schemas', () => {
  test.each(operators)('%s', (exported, op) => {
    expect(op.name).toBe(exported)
    expect(op.doc).toMatch(/^\S.*[.!]$/)
    const versions = Object.keys(op.versions).map(Number)
    expect(versions.length).toBeGreaterThan(0)
    expect(versions.every(version => Number.isInteger(version) && version > 0)).toBe(true)
    if (op.deprecated !== undefined) expect(op.deprecated).toBeGreaterThanOrEqual(Math.max(...versions))
    for (const [version, schema] of Object.entries(op.versions))
      expect(faultsOf(schema).map(fault => `version ${version}: ${fault}`)).toEqual([])
  })
})

function faultsOf(schema: Schema): string[] {
  const faults: string[] = []
  const types = schema.types ?? {}
  for (const [name, list] of Object.entries(types)) {
    if (new Set(list).size !== list.length) faults.push(`type ${name} names something twice`)
    for (const type of list) if (!isTypeName(type)) faults.push(`type ${name}: "${type}" is no type`)
  }
  const used = new Set<string>()
  for (const side of ['inputs', 'outputs'] as const) {
    const names = new Set<string>()
    for (const [index, text] of schema[side].entries()) {
      const { name, type, variadic } = parseParameter(text)
      if (names.has(name)) faults.push(`${side} name "${name}" twice`)
      if (!Object.hasOwn(types, type) && !isTypeName(type)) faults.push(`${text}: unknown type`)
      if (variadic && index < schema[side].length - 1) faults.push(`${text}: only the last may repeat`)
      names.add(name)
      used.add(type)
    }
  }
  for (const name of Object.keys(types)) if (!used.has(name)) faults.push(`type ${name} is not used`)
  for (const [name, attribute] of Object.entries(schema.attributes ?? {}))
    if (!isSound(attribute)) faults.push(`attribute ${name}: ${JSON.stringify(attribute)}`)
  return faults
}

function isTypeName(text: string): boolean {
  return isDType(text.replace(/^optional\((.*)\)$/, '$1').replace(/^seq\((.*)\)$/, '$1'))
}

/** Whether default and choices are of the attribute's type. */
function isSound({ type, required, default: value, choices }: AttributeSchema): boolean {
  if (choices !== undefined && type !== 'string' && type !== 'strings') return false
  if (value === undefined) return true
  const list = Array.isArray(value) ? value : [value]
  if (required || Array.isArray(value) !== type.endsWith('s')) return false
  if (choices !== undefined && !list.every(item => choices.includes(item))) return false
  switch (type) {
    case 'int':
    case 'ints':
      return list.every(Number.isSafeInteger)
    case 'float':
    case 'floats':
      return list.every(item => typeof item === 'number')
    case 'string':
    case 'strings':
      return list.every(item => typeof item === 'string')
    default:
      return false
  }
}

// ---- random inputs

interface Call {
  readonly version: number
  readonly inputs: readonly (Tensor | undefined)[]
  readonly outputs: number
}

/** Versions of an operator that can be called with tensors alone. */
function callable(op: Op): number[] {
  return Object.entries(op.versions)
    .filter(
      ([, { inputs, types, attributes }]) =>
        Object.values(attributes ?? {}).every(({ required }) => !required) &&
        inputs.every(text => dtypesOf(parseParameter(text), types).length > 0),
    )
    .map(([version]) => Number(version))
}

function dtypesOf({ type }: Parameter, types: Schema['types']): DType[] {
  return (types?.[type] ?? [type]).filter(isDType)
}

/** Small shapes that often fit each other. */
const shapes = fc.array(fc.constantFrom(2, 1, 3, 0), { maxLength: 4 })

/** A call with random inputs, of the shapes that `shape` makes. */
function drawCall(
  g: fc.GeneratorValue,
  op: Op,
  shape: (index: number) => readonly number[],
  least = -3,
): Call {
  const version = g(fc.constantFrom, ...callable(op))
  const { inputs, outputs, types } = op.versions[version]!
  const chosen = new Map<string, DType>()
  const parameters = inputs.map(parseParameter).flatMap(parameter => {
    if (parameter.variadic) return new Array<Parameter>(g(fc.integer, { min: 1, max: 3 })).fill(parameter)
    return [parameter]
  })
  return {
    version,
    outputs: outputs.length,
    inputs: parameters.map((parameter, index) => {
      if (parameter.optional && !g(fc.boolean)) return undefined
      const dtype = chosen.get(parameter.type) ?? g(fc.constantFrom, ...dtypesOf(parameter, types))
      if (parameter.homogeneous) chosen.set(parameter.type, dtype)
      return drawTensor(g, dtype, shape(index), least)
    }),
  }
}

/** Small integers from `least` on, in an order that a drawn number decides. */
function drawTensor(g: fc.GeneratorValue, dtype: DType, shape: readonly number[], least: number): Tensor {
  const count = sizeOf(shape)
  const first = g(fc.nat, 8)
  const value = (index: number): number => least + ((first + 5 * index) % 9)
  if (dtype === 'string')
    return tensor(
      'string',
      shape,
      Array.from({ length: count }, (_, index) => 'abc'.slice(value(index) - least)),
    )
  const parts = dtypeInfo(dtype).kind === 'complex' ? 2 * count : count
  return fromNumbers(
    dtype,
    shape,
    Float64Array.from({ length: parts }, (_, index) => value(index)),
  ) as Tensor
}

/** What a call gives; `undefined` when the operator refuses it, which must be an `EspalierError`. */
function outcome<T>(call: () => T): T | undefined {
  try {
    return call()
  } catch (error) {
    if (error instanceof EspalierError) return undefined
    throw error
  }
}

// ---- agreement of inference and evaluation

/** How an inferred type disagrees with a value, if it does. Symbols have the values in `bindings`. */
function disagreement(
  type: ValueType | undefined,
  value: RuntimeValue | undefined,
  bindings: ReadonlyMap<string, number>,
): string | undefined {
  if (type === undefined || value === undefined || value === null) return undefined
  if (!isTensor(value)) {
    if (type.kind === 'optional') return disagreement(type.element, value, bindings)
    if (type.kind !== 'sequence') return `a sequence is called ${type.kind}`
    return value.map(item => disagreement(type.element, item, bindings)).find(text => text !== undefined)
  }
  if (type.kind !== 'tensor') return type.kind === 'optional' ? undefined : `a tensor is called ${type.kind}`
  const fits = (extent: Dim, axis: number): boolean =>
    extent === null || evaluateDim(extent, bindings) === value.shape[axis]
  const agrees =
    type.dtype === value.dtype &&
    (type.shape === undefined || (type.shape.length === value.shape.length && type.shape.every(fits)))
  const inferred = `${type.dtype} ${type.shape === undefined ? '?' : formatShape(type.shape)}`
  return agrees ? undefined : `inferred ${inferred}, computed ${value.dtype} ${formatShape(value.shape)}`
}

/** Types in which every extent but 1 is a symbol named after it. */
function symbolic(input: Tensor | undefined): ValueType | undefined {
  return (
    input &&
    tensorType(
      input.dtype,
      input.shape.map(extent => (extent === 1 ? 1 : `n${extent}`)),
    )
  )
}

const bindings = new Map([0, 2, 3].map(extent => [`n${extent}`, extent]))

/**
 * Checks a call that works: with all inputs known, with only their types known, and with symbols for extents.
 */
function checkInference(op: Op, { version, inputs, outputs }: Call, values: readonly RuntimeValue[]): void {
  const call = { opset: version, outputs }
  const types = inputs.map(input => input && tensorType(input.dtype, input.shape))
  for (const known of [inputs, types, inputs.map(symbolic)]) {
    const inferred = inferOp(op, known, {}, call)
    const faults = values.map((value, index) => disagreement(inferred[index], value, bindings))
    expect(faults.filter(fault => fault !== undefined)).toEqual([])
  }
}

const described = ({ version, inputs }: Call): string =>
  `version ${version}: ${inputs.map(input => (input ? `${input.dtype} ${formatShape(input.shape)}` : '-')).join(', ')}`

/**
 * Whether an operator computes element by element, with `arity` inputs: it passes shapes through, whatever
 * they are, needs no axis, and does not draw random numbers.
 */
function isElementwise(op: Op, arity: number): boolean {
  const version = callable(op).at(-1)
  if (version === undefined || op.impure === true) return false
  const { inputs, types } = op.versions[version]!
  if (inputs.length !== arity || inputs.some(text => parseParameter(text).variadic)) return false
  const dtypes = inputs.map(text => dtypesOf(parseParameter(text), types).at(-1)!)
  const inferred = (...shapes: (readonly Dim[])[]): string | undefined => {
    const given = shapes.map((shape, index) => tensorType(dtypes[index]!, shape))
    const type = outcome(() => inferOp(op, given, {}, { opset: version }))?.[0]
    return type?.kind === 'tensor' && type.shape ? formatShape(type.shape) : undefined
  }
  const passes =
    arity === 1
      ? inferred(['a', 'b', 5]) === 'axbx5'
      : inferred(['a', 1, 5], ['b', 1]) === 'axbx5' && inferred(['a', 'b'], ['a', 'b']) === 'axb'
  const scalars = dtypes.map(dtype => (dtype === 'string' ? zeros(dtype, []) : full(dtype, [], 1)) as Tensor)
  return passes && outcome(() => evaluateOp(op, scalars, {}, { opset: version })) !== undefined
}

const unary = operators.filter(([, op]) => isElementwise(op, 1))
const binary = operators.filter(([, op]) => isElementwise(op, 2))

describe('element by element', () => {
  test('there are such operators', () => {
    expect(unary.map(([name]) => name)).toEqual(expect.arrayContaining(['Abs', 'Exp', 'Relu']))
    expect(binary.map(([name]) => name)).toEqual(expect.arrayContaining(['Add', 'Equal', 'Pow']))
  })

  test.each([...unary, ...binary])('%s takes every shape that broadcasts', (_, op) => {
    fc.assert(
      fc.property(fc.gen(), g => {
        const whole = g(() => shapes)
        const part = (index: number): readonly number[] =>
          index === 0
            ? whole
            : whole.slice(g(fc.nat, whole.length)).map(extent => (g(fc.boolean) ? extent : 1))
        const call = drawCall(g, op, part, 1) // no zeros, to divide by
        const values = evaluateOp(op, call.inputs, {}, { opset: call.version, outputs: call.outputs })
        const given = call.inputs.filter(input => input !== undefined)
        expect((values[0] as Tensor).shape, described(call)).toEqual(
          broadcastShapes(...given.map(x => x.shape)),
        )
        checkInference(op, call, values)
      }),
      { numRuns: 30 },
    )
  })
})

describe('any input', () => {
  const others = operators.filter(
    ([, op]) => callable(op).length > 0 && !unary.concat(binary).some(([, x]) => x === op),
  )

  test.each(others)('%s computes what it infers, or refuses', (_, op) => {
    fc.assert(
      fc.property(fc.gen(), g => {
        const call = drawCall(g, op, () => g(() => shapes))
        const values = outcome(() =>
          evaluateOp(op, call.inputs, {}, { opset: call.version, outputs: call.outputs }),
        )
        if (values !== undefined) checkInference(op, call, values)
        else outcome(() => inferOp(op, call.inputs, {}, { opset: call.version, outputs: call.outputs }))
      }),
      { numRuns: 40 },
    )
  })
})
