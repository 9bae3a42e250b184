/**
 * Applying rules to a graph: every node is tried with the rules for its operator, in the order of the graph and of the
 * list, and what a rule has made is tried at once; this goes on until a sweep changes nothing. The cost is that of the
 * changes and of a few lookups for each node, which is what makes opening a session quick.
 */
import { EspalierError } from '../../errors.ts'
import { attributeOf, type PlainAttribute } from '../../graph/builder.ts'
import { removeUnused } from '../../graph/extract.ts'
import {
  bodiesOf,
  type Graph,
  type Initializer,
  isSparse,
  type Node,
  operatorName,
  type TensorType,
  tensorType,
  type ValueType,
} from '../../graph/graph.ts'
import { defaultsOf } from '../../graph/inputs.ts'
import { sortNodes } from '../../graph/order.ts'
import { Workspace } from '../../graph/workspace.ts'
import { readAttributes } from '../../ops/attributes.ts'
import { operators as standard } from '../../ops/index.ts'
import type { Attributes, Operators } from '../../ops/op.ts'
import { opsetOf, resolve } from '../../ops/registry.ts'
import { numbers } from '../../tensor/elements.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { Change, Draft, Exchange, NodeRule, RuleContext } from './rule.ts'

/** Version of this project's operator set that rules write. */
const ESPALIER_VERSION = 1

/** Replacements for each node of the graph after which rules are taken to undo each other. */
const MOST_CHANGES = 20

export interface ApplyOptions {
  readonly operators?: Operators
  /** Says that the graph is in order and holds nothing unused, as every pass leaves it. */
  readonly tidy?: boolean
  /** Called after every change, with the rule and the node it was made at. */
  readonly onChange?: (rule: NodeRule, node: Node) => void
}

/**
 * The graph after all changes that the rules make; the same object when there are none. Types come from what the graph
 * states (`annotate` it first). Throws `no-convergence` where rules undo each other.
 */
export function applyRules(graph: Graph, rules: readonly NodeRule[], options: ApplyOptions = {}): Graph {
  const tidy = options.tidy ? graph : removeUnused(sortNodes(graph))
  const operators = new Set(rules.flatMap(rule => rule.at))
  if (!tidy.nodes.some(node => operators.has(operatorName(node)))) return tidy
  return new Application(tidy, rules, options).run()
}

class Application {
  readonly #graph: Graph
  readonly #workspace: Workspace
  readonly #byOperator = new Map<string, NodeRule[]>()
  readonly #types: Types
  readonly #context: RuleContext
  readonly #options: ApplyOptions
  readonly #outputs: ReadonlySet<string>
  #changes = 0

  constructor(graph: Graph, rules: readonly NodeRule[], options: ApplyOptions) {
    this.#graph = graph
    this.#options = options
    this.#workspace = new Workspace(graph)
    this.#types = new Types(graph)
    this.#outputs = new Set(graph.outputs.map(({ name }) => name))
    this.#context = contextOf(graph, this.#workspace, this.#types, options.operators ?? standard)
    for (const rule of rules)
      for (const operator of rule.at) {
        const list = this.#byOperator.get(operator)
        if (list === undefined) this.#byOperator.set(operator, [rule])
        else list.push(rule)
      }
  }

  run(): Graph {
    for (;;) {
      const before = this.#changes
      for (const node of this.#workspace.nodes()) this.#visit(node)
      if (this.#changes === before) break
    }
    const result = this.#workspace.graph()
    return result === this.#graph ? result : this.#types.stateIn(withOpset(result))
  }

  /** Tries the rules at a node, and at what they put there. */
  #visit(node: Node): void {
    const pending = [node]
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const made = this.#tryAt(next)
      for (let i = made.length - 1; i >= 0; i--) pending.push(made[i]!)
    }
  }

  #tryAt(node: Node): readonly Node[] {
    const rules = this.#byOperator.get(operatorName(node))
    if (rules === undefined || !this.#workspace.has(node)) return []
    for (const rule of rules) {
      const change = rule.apply(node, this.#context)
      const made = change && this.#make(rule, node, change)
      if (made === undefined) continue
      this.#changes++
      if (this.#changes > MOST_CHANGES * (this.#graph.nodes.length + 50))
        throw new EspalierError('no-convergence', `the rules still match after ${this.#changes} changes`, {
          where: { node: node.name },
          hint: `The last was ${rule.name}: it may undo another`,
        })
      this.#options.onChange?.(rule, node)
      return made
    }
    return []
  }

  /** The nodes to look at next; `undefined` where the change cannot be made. */
  #make(rule: NodeRule, node: Node, change: Change): readonly Node[] | undefined {
    if ('same' in change) return this.#rename(rule, node, change.same)
    this.#exchange(rule, [node, ...change.also], change)
    return change.nodes
  }

  #exchange(rule: NodeRule, roots: readonly Node[], { nodes, initializers, types }: Exchange): void {
    for (const [name, type] of types) this.#types.set(name, type)
    for (const [name, value] of initializers) this.#types.set(name, tensorType(value.dtype, value.shape))
    this.#workspace.replace(roots, nodes, initializers, `rule ${rule.name}`)
  }

  /** Lets everyone who reads the output of `node` read `name` instead. An output of the graph keeps its name. */
  #rename(rule: NodeRule, node: Node, name: string): readonly Node[] | undefined {
    const output = node.outputs[0]!
    const { producer, consumers } = this.#workspace.uses
    const isOutput = this.#outputs.has(output)
    const maker = producer.get(name)
    const [from, to] = isOutput ? [name, output] : [output, name]
    const readers = (consumers.get(from) ?? []).filter(reader => reader !== node)
    // What a body takes from outside keeps its name: the body may use the other one for a value of its own.
    const isCaptured = readers.some(reader => bodiesOf(reader).length > 0)
    if (isCaptured || (isOutput && (maker === undefined || this.#outputs.has(name)))) {
      if (node.op === 'Identity') return undefined
      const identity: Node = { ...node, op: 'Identity', domain: '', inputs: [name], attributes: new Map() }
      this.#exchange(rule, [node], { ...nothing, nodes: [identity] })
      return []
    }
    const renamed = readers.map(reader => ({
      ...reader,
      inputs: reader.inputs.map(own => (own === from ? to : own)),
    }))
    if (!isOutput) {
      this.#exchange(rule, [node, ...readers], { ...nothing, nodes: renamed })
      return []
    }
    const made: Node = { ...maker!, outputs: maker!.outputs.map(own => (own === from ? to : own)) }
    this.#exchange(rule, [maker!, node, ...readers], { ...nothing, nodes: [made, ...renamed] })
    return [made]
  }
}

const nothing: Exchange = { nodes: [], initializers: new Map(), types: new Map(), also: [] }

/** Types by name: what the graph states, and what rules say of the values that they make. */
class Types {
  readonly #graph: Graph
  readonly #types = new Map<string, ValueType>()
  readonly #said = new Map<string, ValueType>()

  constructor(graph: Graph) {
    this.#graph = graph
    const defaults = defaultsOf(graph)
    for (const { name, type } of [...graph.values.values(), ...graph.inputs, ...graph.outputs])
      if (type !== undefined) this.#types.set(name, type)
    for (const [name, { dtype, shape }] of graph.initializers)
      if (!defaults.has(name)) this.#types.set(name, tensorType(dtype, shape))
  }

  get(name: string): TensorType | undefined {
    const type = this.#types.get(name)
    return type?.kind === 'tensor' ? type : undefined
  }

  set(name: string, type: ValueType): void {
    this.#types.set(name, type)
    this.#said.set(name, type)
  }

  /** A graph that states them too. */
  stateIn(graph: Graph): Graph {
    if (this.#said.size === 0) return graph
    const values = new Map(graph.values)
    const ends = new Set([...this.#graph.inputs, ...this.#graph.outputs].map(({ name }) => name))
    for (const name of graph.nodes.flatMap(node => node.outputs)) {
      const type = this.#said.get(name)
      if (type !== undefined && !ends.has(name) && !values.has(name)) values.set(name, { name, type })
    }
    return { ...graph, values }
  }
}

/** The graph, importing this project's operators where it uses them. */
function withOpset(graph: Graph): Graph {
  if (graph.opsets.has('espalier') || !graph.nodes.some(({ domain }) => domain === 'espalier')) return graph
  return { ...graph, opsets: new Map([...graph.opsets, ['espalier', ESPALIER_VERSION]]) }
}

function contextOf(graph: Graph, workspace: Workspace, types: Types, operators: Operators): RuleContext {
  const outputs = new Set(graph.outputs.map(({ name }) => name))
  const resolvable: Graph = { ...graph, opsets: new Map([['espalier', ESPALIER_VERSION], ...graph.opsets]) }
  const { uses } = workspace
  const seen = new WeakMap<Node, Attributes>()
  const made: RuleContext['made'] = (name, ...wanted) => {
    const node = name === undefined || name === '' ? undefined : uses.producer.get(name)
    return node !== undefined && (wanted.length === 0 || wanted.includes(operatorName(node)))
      ? node
      : undefined
  }
  const constant: RuleContext['constant'] = name => {
    const value = name === undefined || name === '' ? undefined : workspace.constant(name)
    return value === undefined || isSparse(value) ? undefined : value
  }
  const type = (name: string | undefined): TensorType | undefined =>
    name === undefined || name === '' ? undefined : types.get(name)
  return {
    made,
    only(name, ...wanted) {
      const node = made(name, ...wanted)
      return node !== undefined && uses.consumers.get(name!)?.length === 1 && !outputs.has(name!)
        ? node
        : undefined
    },
    readers: name => uses.consumers.get(name) ?? [],
    isOutput: name => outputs.has(name),
    attributes(node) {
      let attributes = seen.get(node)
      if (attributes === undefined) {
        attributes = readAttributes(node, resolve(operators, resolvable, node).schema)
        seen.set(node, attributes)
      }
      return attributes
    },
    constant,
    scalar(name) {
      const value = constant(name)
      return value !== undefined && value.dtype !== 'string' && sizeOf(value.shape) === 1
        ? numbers(value)[0]
        : undefined
    },
    type,
    shape: name => type(name)?.shape,
    dtype: name => type(name)?.dtype,
    isFloat32: (...names) => names.every(name => type(name)?.dtype === 'float32'),
    opset: opsetOf(graph, '') ?? 0,
    inputs: graph.inputs.map(({ name }) => name),
    draft: () => draftWith(workspace.fresh),
  }
}

function draftWith(fresh: (stem: string) => string): Draft {
  const nodes: Node[] = []
  const initializers = new Map<string, Initializer>()
  const types = new Map<string, ValueType>()
  const self: Draft = {
    node(operator, inputs, attributes, { output, type, name = '' }) {
      const [op, domain] = splitOperator(operator)
      const made =
        output ??
        fresh(
          inputs[0] === undefined || inputs[0] === '' ? op.toLowerCase() : `${inputs[0]}_${op.toLowerCase()}`,
        )
      if (output === undefined) self.state(made, type)
      nodes.push({
        name,
        op,
        domain,
        inputs: withoutTrailing(inputs.map(input => input ?? '')),
        outputs: [made],
        attributes: attributesOf(attributes),
      })
      return made
    },
    add: node => {
      nodes.push(node)
    },
    constant(value, stem) {
      const name = fresh(stem)
      initializers.set(name, value)
      return name
    },
    fresh,
    state(name, type) {
      if (type !== undefined) types.set(name, type)
    },
    done: (...also) => ({ nodes, initializers, types, also }),
  }
  return self
}

function splitOperator(operator: string): [string, string] {
  const dot = operator.lastIndexOf('.')
  return [operator.slice(dot + 1), dot < 0 ? '' : operator.slice(0, dot)]
}

function withoutTrailing(names: readonly string[]): readonly string[] {
  return names.slice(0, names.findLastIndex(name => name !== '') + 1)
}

function attributesOf(plain: Readonly<Record<string, PlainAttribute>>): Node['attributes'] {
  return new Map(Object.entries(plain).map(([name, value]) => [name, attributeOf(name, value)]))
}
