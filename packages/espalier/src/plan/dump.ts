/**
 * A plan as text to read: what it is made for, what it is fed, every step with its operands and numbers. Made to be
 * compared, by eye and by stored snapshots; not a file format.
 */
import { describeType } from '../graph/describe.ts'
import { tensorType } from '../graph/graph.ts'
import { isOperand } from './fields.ts'
import type { Constant, Plan, Port } from './plan.ts'
import { fieldsOf, type HostStep, type HostValue, type Operand, type Step } from './step.ts'

/**
 * The text of a plan. `name@0+64` lies at byte 64 of block 0, the arena; other blocks hold one constant, input or output
 * each. Threads meet before a step with a `*`; the nodes that a step does the work of stand behind `#`. Ends with a line
 * break.
 */
export function dumpPlan(plan: Plan): string {
  const { isa, threads } = plan.target
  const port = ({ buffer, ...type }: Port): string =>
    valueText({ ...type, operand: { buffer, offset: 0 } }, plan)
  return [
    `plan (${isa}, ${threads} thread${threads === 1 ? '' : 's'}, ${plan.arenaBytes} bytes of arena) {`,
    ...plan.inputs.map(value => `  input ${port(value)}`),
    ...plan.constants.map(constant => `  constant ${constantText(constant, plan)}`),
    ...plan.segments.flatMap(segment =>
      segment.kind === 'host'
        ? [`    ${hostText(segment.step, plan)}`]
        : segment.steps.map((step, i) => `  ${segment.barriers[i] ? '*' : ' '} ${stepText(step, plan)}`),
    ),
    ...plan.outputs.map(value => `  output ${port(value)}`),
    '}',
    '',
  ].join('\n')
}

function constantText(constant: Constant, plan: Plan): string {
  const place = operandText({ buffer: constant.buffer, offset: 0 }, plan)
  const size = `${constant.buffer.bytes} bytes`
  if (constant.kind === 'table') return `${place}: ${size}, table`
  const from = typeText(constant.source)
  if (constant.kind === 'raw') return `${place}: ${size}, ${from}`
  return `${place}: ${size}, ${constant.kind === 'packed' ? constant.pack.kind : constant.layout} of ${from}`
}

/** `copy x=a@0 y=b@0+64 size=4 shape=[2,3]  # Transpose_1`; operands that are absent are left out. */
function stepText(step: Step, plan: Plan): string {
  const fields = fieldsOf(step.kind).flatMap(([name, kind]) => {
    const value = step.values[name]
    if (isOperand(kind)) return value === undefined ? [] : [`${name}=${operandText(value as Operand, plan)}`]
    if (typeof value === 'number') return [`${name}=${numberText(value)}`]
    return [`${name}=[${(value as readonly number[]).join(',')}]`]
  })
  return [step.kind, ...fields].join(' ') + originText(step.origin)
}

function hostText(step: HostStep, plan: Plan): string {
  const inputs = step.inputs.map(({ name, source }) =>
    'operand' in source ? valueText(source, plan) : `${quoted(name)}: constant ${typeText(source)}`,
  )
  const outputs = step.outputs.map(value => valueText(value, plan))
  const operator = step.graph.nodes.map(({ op }) => op).join(', ')
  return `reference ${outputs.join(', ')} = ${operator}(${inputs.join(', ')}), ${step.reason}${originText(step.origin)}`
}

function valueText(value: HostValue, plan: Plan): string {
  const { name, operand } = value
  const place = operandText(operand, plan)
  return `${operand.buffer.name === name ? place : `${quoted(name)} = ${place}`}: ${typeText(value)}`
}

function typeText({ dtype, shape }: Pick<HostValue, 'dtype' | 'shape'>): string {
  return describeType(tensorType(dtype, shape))
}

function operandText({ buffer, offset: within }: Operand, plan: Plan): string {
  const place = plan.places.get(buffer)
  if (place === undefined) return `${quoted(buffer.name)}@nowhere`
  const offset = place.offset + within
  return `${quoted(buffer.name)}@${place.space}${offset === 0 ? '' : `+${offset}`}`
}

function originText(origin: readonly string[]): string {
  return origin.length > 0 ? `  # ${origin.join(', ')}` : ''
}

/** A float32 with as many digits as tell it from others in practice. */
function numberText(value: number): string {
  return Number.isInteger(value) ? `${value}` : `${Number(value.toPrecision(6))}`
}

/** A name as it is where it reads as one word, otherwise in quotes. */
function quoted(name: string): string {
  return /^[\w./:-]+$/.test(name) ? name : JSON.stringify(name)
}
