/**
 * Nodes to steps: every operator of a stage says by its `lower` which kernels do its work. One that cannot becomes a
 * host step, with its reason.
 */
import { locate } from '../../errors.ts'
import { describeNode, type Graph, type Node, nodeName, tensorType } from '../../graph/graph.ts'
import { readsOf } from '../../graph/uses.ts'
import { readAttributes } from '../../ops/attributes.ts'
import type { ConcreteType, KernelTimes, LowerContext } from '../../ops/lower.ts'
import type { Operators } from '../../ops/op.ts'
import { resolve } from '../../ops/registry.ts'
import { dtypeProblems } from '../../ops/typecheck.ts'
import type { Constant, Port } from '../../plan/plan.ts'
import { type Buffer, type HostStep, makeStep, type Operand, type Step } from '../../plan/step.ts'
import type { Target } from '../../plan/target.ts'
import { byteLength } from '../../tensor/dtype.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { graphOfNode, type Stage } from './stage.ts'

/** The steps of a stage, and the memory they name. */
export interface Lowered {
  readonly steps: readonly (Step | HostStep)[]
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  readonly constants: readonly Constant[]
}

export function lowerStage(
  graph: Graph,
  stage: Stage,
  target: Target,
  operators: Operators,
  times?: StageTimes,
): Lowered {
  const lowering = new Lowering(graph, stage, target, operators, times?.(stage))
  for (const node of stage.nodes) lowering.lower(node)
  return lowering.finish()
}

/** What is measured of kernels on the machine, for the nodes of a stage. */
export type StageTimes = (stage: Stage) => KernelTimes

class Lowering {
  readonly #graph: Graph
  readonly #stage: Stage
  readonly #target: Target
  readonly #operators: Operators
  readonly #machine: KernelTimes | undefined
  readonly #weightBytes: number
  readonly #steps: (Step | HostStep)[] = []
  readonly #inputs: Port[]
  /** Where each value lies. */
  readonly #values = new Map<string, Operand>()
  readonly #constants: Constant[] = []
  /** Constants in a layout of a kernel. */
  readonly #laid = new Map<Tensor, Map<string, Operand>>()

  constructor(
    graph: Graph,
    stage: Stage,
    target: Target,
    operators: Operators,
    machine: KernelTimes | undefined,
  ) {
    this.#machine = machine
    this.#weightBytes = [...stage.constants.values()].reduce((sum, constant) => sum + bytesOf(constant), 0)
    this.#graph = graph
    this.#stage = stage
    this.#target = target
    this.#operators = operators
    this.#inputs = stage.inputs.map(name => {
      const type = stage.types.get(name)!
      const buffer: Buffer = { name, bytes: bytesOf(type), space: 'input' }
      this.#values.set(name, { buffer, offset: 0 })
      return { name, ...type, buffer }
    })
  }

  lower(node: Node): void {
    const reason = locate({ node: describeNode(node) }, () => this.#tryKernels(node))
    if (reason !== undefined) this.#steps.push(this.#hostStep(node, reason))
  }

  /** Emits the steps of a node, or says why there are none. */
  #tryKernels(node: Node): string | undefined {
    const { op, schema, version } = resolve(this.#operators, this.#graph, node)
    if (op.lower === undefined) return 'the operator has no kernel'
    const types = node.inputs.map(name => {
      const type = name === '' ? undefined : this.#typeOf(name)
      return type && tensorType(type.dtype, type.shape)
    })
    if (dtypeProblems(node, schema, types).length > 0) return 'the data types are not what the operator takes'
    const steps: Step[] = []
    let note: string | undefined
    const made = new Map<string, Operand>()
    const name = (index: number): string => node.inputs[index] ?? ''
    const inputType = (index: number): ConcreteType => this.#typeOf(name(index))
    const context: LowerContext = {
      node,
      version,
      attributes: readAttributes(node, schema),
      outputCount: node.outputs.length,
      hasInput: index => name(index) !== '',
      hasOutput: index => (node.outputs[index] ?? '') !== '',
      target: this.#target,
      type: inputType,
      outputType: index => this.#typeOf(node.outputs[index]!),
      constant: index => (name(index) === '' ? undefined : this.#stage.constants.get(name(index))),
      input: index => this.#operandOf(name(index)),
      optionalInput: index => (name(index) === '' ? undefined : this.#operandOf(name(index))),
      output: index => {
        const output = node.outputs[index]!
        let operand = made.get(output)
        if (operand === undefined) {
          operand = arenaOperand(output, bytesOf(this.#typeOf(output)))
          made.set(output, operand)
        }
        return operand
      },
      alias: (output, input, offset = 0) => {
        const source = this.#operandOf(name(input))
        made.set(node.outputs[output]!, { ...source, offset: source.offset + offset })
      },
      scratch: bytes => arenaOperand(`scratch of ${nodeName(node)}`, bytes),
      table: data => this.#tableOf(nodeName(node), data),
      packed: (layout, source, bytes, pack) => {
        const from: Buffer = { name: `source of ${nodeName(node)}`, bytes: bytesOf(source), space: 'input' }
        return this.#laidOut(nodeName(node), layout, source, bytes, buffer => {
          const step = pack({ buffer: from, offset: 0 }, { buffer, offset: 0 })
          return { kind: 'packed', buffer, layout, source, from, pack: step }
        })
      },
      made: (layout, source, bytes, make) =>
        this.#laidOut(nodeName(node), layout, source, bytes, buffer => ({
          kind: 'made',
          buffer,
          layout,
          source,
          make,
        })),
      weightBytes: this.#weightBytes,
      machine: this.#machine,
      note: text => {
        note = text
      },
      emit: (kind, values) => {
        steps.push(makeStep(kind, values, [nodeName(node)], note))
        note = undefined
      },
    }
    const reason = op.lower(context)
    if (reason !== undefined) return reason
    for (const [index, output] of node.outputs.entries()) if (output !== '') context.output(index)
    for (const [output, operand] of made) this.#values.set(output, operand)
    this.#steps.push(...steps)
    return undefined
  }

  #hostStep(node: Node, reason: string): HostStep {
    const reads = [...new Set(readsOf(node))]
    const inputs = reads.map(name => {
      const constant = this.#stage.constants.get(name)
      return { name, source: constant ?? { name, ...this.#typeOf(name), operand: this.#operandOf(name) } }
    })
    const outputs = node.outputs
      .filter(name => name !== '')
      .map(name => {
        const type = this.#typeOf(name)
        const operand = arenaOperand(name, bytesOf(type))
        this.#values.set(name, operand)
        return { name, ...type, operand }
      })
    return {
      kind: 'host',
      graph: graphOfNode(this.#graph, node, reads),
      inputs,
      outputs,
      origin: [nodeName(node)],
      reason,
    }
  }

  /** Binds outputs to blocks of their own: the buffer that holds one where that is possible, a copy otherwise. */
  finish(): Lowered {
    const moved = new Map<Buffer, Buffer>()
    const steps = [...this.#steps]
    const outputs = this.#stage.outputs.map((name): Port => {
      const type = this.#typeOf(name)
      const bytes = bytesOf(type)
      const source = this.#operandOf(name)
      const buffer: Buffer = { name, bytes, space: 'output' }
      const own = source.buffer.space === 'arena' && source.offset === 0 && source.buffer.bytes === bytes
      if (own && !moved.has(source.buffer)) moved.set(source.buffer, buffer)
      else steps.push(copyStep(source, { buffer, offset: 0 }, bytes, name))
      return { name, ...type, buffer }
    })
    return {
      steps: moved.size === 0 ? steps : steps.map(step => moveBuffers(step, moved)),
      inputs: this.#inputs,
      outputs,
      constants: this.#constants,
    }
  }

  #typeOf(name: string): ConcreteType {
    const type = this.#stage.types.get(name) ?? this.#stage.constants.get(name)
    if (type === undefined) throw new Error(`the type of "${name}" is not known`)
    return type
  }

  #operandOf(name: string): Operand {
    let operand = this.#values.get(name)
    if (operand === undefined) {
      const source = this.#stage.constants.get(name)
      if (source === undefined) throw new Error(`"${name}" is made by nothing`)
      const buffer: Buffer = { name, bytes: bytesOf(source), space: 'constant' }
      this.#constants.push({ kind: 'raw', buffer, source })
      operand = { buffer, offset: 0 }
      this.#values.set(name, operand)
    }
    return operand
  }

  #tableOf(node: string, view: ArrayBufferView): Operand {
    const data = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
    const buffer: Buffer = { name: `table of ${node}`, bytes: data.byteLength, space: 'constant' }
    this.#constants.push({ kind: 'table', buffer, data })
    return { buffer, offset: 0 }
  }

  /** A constant in a layout, once for each source. */
  #laidOut(
    node: string,
    layout: string,
    source: Tensor,
    bytes: number,
    constant: (buffer: Buffer) => Constant,
  ): Operand {
    const layouts = this.#laid.get(source) ?? new Map<string, Operand>()
    this.#laid.set(source, layouts)
    let operand = layouts.get(layout)
    if (operand === undefined) {
      const buffer: Buffer = { name: `${layout} of ${node}`, bytes, space: 'constant' }
      operand = { buffer, offset: 0 }
      layouts.set(layout, operand)
      this.#constants.push(constant(buffer))
    }
    return operand
  }
}

function arenaOperand(name: string, bytes: number): Operand {
  return { buffer: { name, bytes, space: 'arena' }, offset: 0 }
}

function bytesOf({ dtype, shape }: ConcreteType): number {
  return byteLength(dtype, sizeOf(shape))
}

/** A step that copies `bytes` bytes, in elements as large as they divide into. */
function copyStep(x: Operand, y: Operand, bytes: number, name: string): Step {
  const size = [8, 4, 2, 1].find(unit => bytes % unit === 0 && x.offset % unit === 0)!
  const values = { x, y, size, rank: 1, shape: [bytes / size], xStrides: [1], yStrides: [1] }
  return makeStep('copy', values, [name])
}

function moveBuffers(step: Step | HostStep, moved: ReadonlyMap<Buffer, Buffer>): Step | HostStep {
  const move = (operand: Operand): Operand => {
    const buffer = moved.get(operand.buffer)
    return buffer === undefined ? operand : { ...operand, buffer }
  }
  if (step.kind === 'host')
    return {
      ...step,
      inputs: step.inputs.map(input =>
        'operand' in input.source
          ? { ...input, source: { ...input.source, operand: move(input.source.operand) } }
          : input,
      ),
      outputs: step.outputs.map(output => ({ ...output, operand: move(output.operand) })),
    }
  const values = Object.entries(step.values).map(([field, value]) => [
    field,
    typeof value === 'object' && 'buffer' in value ? move(value) : value,
  ])
  return { ...step, values: Object.fromEntries(values) }
}
