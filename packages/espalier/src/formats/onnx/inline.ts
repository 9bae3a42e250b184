/**
 * Replacing calls of a model's own functions by their bodies, so that a graph holds operators only. Values inside a
 * body are prefixed with the name of the calling node; attributes that refer to parameters get the call's values.
 */
import { EspalierError } from '../../errors.ts'
import type { AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, OpsetProto } from './proto.ts'

/** Most nodes that inlining may make: functions that call functions can grow without bound. */
const NODE_LIMIT = 1_000_000

/** The model without functions. Throws `malformed` for functions that call themselves, `unsupported-format` for differing operator sets. */
export function inlineFunctions(model: ModelProto): ModelProto {
  if (model.functions === undefined || model.graph === undefined) return model
  const opsets = new Map((model.opsets ?? []).map(entry => [normal(entry.domain), entry]))
  const inliner = new Inliner(model.functions, opsets)
  const graph = inliner.graph(model.graph, [])
  const { functions, ...rest } = model
  const domains = new Set(functions.map(({ domain }) => normal(domain)))
  return {
    ...rest,
    graph,
    opsets: [...opsets.values()].filter(
      ({ domain }) => !domains.has(normal(domain)) || normal(domain) === '',
    ),
  }
}

function normal(domain: string | undefined): string {
  return domain === undefined || domain === 'ai.onnx' ? '' : domain
}

const keyOf = (domain: string | undefined, name: string | undefined, overload: string | undefined): string =>
  [normal(domain), name ?? '', overload ?? ''].join('\0')

class Inliner {
  readonly #functions: ReadonlyMap<string, FunctionProto>
  readonly #opsets: Map<string, OpsetProto>
  #made = 0
  #calls = 0

  constructor(functions: readonly FunctionProto[], opsets: Map<string, OpsetProto>) {
    this.#functions = new Map(functions.map(f => [keyOf(f.domain, f.name, f.overload), f]))
    this.#opsets = opsets
  }

  /** `graph` with every call replaced; `path` names the functions being replaced. */
  graph(graph: GraphProto, path: readonly FunctionProto[]): GraphProto {
    return { ...graph, nodes: this.#nodes(graph.nodes ?? [], path) }
  }

  #nodes(nodes: readonly NodeProto[], path: readonly FunctionProto[]): NodeProto[] {
    return nodes.flatMap(node => {
      const callee = this.#functions.get(keyOf(node.domain, node.op, node.overload))
      if (callee !== undefined) return this.#call(node, callee, path)
      if (++this.#made > NODE_LIMIT)
        throw new EspalierError('too-large', `inlining functions makes more than ${NODE_LIMIT} nodes`)
      return [{ ...node, ...this.#bodies(node, path) }]
    })
  }

  #bodies(node: NodeProto, path: readonly FunctionProto[]): Pick<NodeProto, 'attributes'> {
    if (!node.attributes?.some(({ g, graphs }) => g !== undefined || graphs !== undefined)) return {}
    return {
      attributes: node.attributes.map(attribute => ({
        ...attribute,
        ...(attribute.g && { g: this.graph(attribute.g, path) }),
        ...(attribute.graphs && { graphs: attribute.graphs.map(graph => this.graph(graph, path)) }),
      })),
    }
  }

  #call(node: NodeProto, callee: FunctionProto, path: readonly FunctionProto[]): NodeProto[] {
    const where = { node: `${node.name || node.outputs?.[0] || '?'} (${node.op})` }
    if (path.includes(callee))
      throw new EspalierError('malformed', `function ${callee.name} calls itself`, { where })
    this.#importOpsets(callee, where)
    const prefix = `${node.name || node.outputs?.[0] || callee.name}#${++this.#calls}/`
    const names = new Map<string, string>()
    const bind = (
      formals: readonly string[] | undefined,
      actuals: readonly string[] | undefined,
      side: string,
    ): void => {
      if ((actuals?.length ?? 0) > (formals?.length ?? 0))
        throw new EspalierError('malformed', `function ${callee.name} is called with too many ${side}`, {
          where,
          expected: `at most ${formals?.length ?? 0}`,
          got: `${actuals?.length}`,
        })
      for (const [index, formal] of (formals ?? []).entries()) {
        const actual = actuals?.[index] ?? ''
        // An omitted output is still computed; an omitted input stays omitted.
        if (side === 'inputs' || actual !== '') names.set(formal, actual)
      }
    }
    bind(callee.inputs, node.inputs, 'inputs')
    bind(callee.outputs, node.outputs, 'outputs')
    const attributes = new Map<string, AttributeProto>()
    for (const attribute of callee.attributeDefaults ?? []) attributes.set(attribute.name ?? '', attribute)
    for (const attribute of node.attributes ?? []) attributes.set(attribute.name ?? '', attribute)
    const rename = (name: string): string => (name === '' ? '' : (names.get(name) ?? `${prefix}${name}`))
    const body = (callee.nodes ?? []).map(inner => renameNode(inner, rename, prefix, attributes))
    return this.#nodes([...body, ...passThrough(callee, node, rename)], [...path, callee])
  }

  #importOpsets(callee: FunctionProto, where: { readonly node: string }): void {
    for (const entry of callee.opsets ?? []) {
      const domain = normal(entry.domain)
      const own = this.#opsets.get(domain)
      if (own === undefined) this.#opsets.set(domain, entry)
      else if (own.version !== entry.version)
        throw new EspalierError(
          'unsupported-format',
          `function ${callee.name} uses another version of operator set "${domain}" than the model`,
          {
            where,
            expected: `${own.version}`,
            got: `${entry.version}`,
            hint: 'Convert the model so that its functions use one version',
          },
        )
    }
  }
}

/** `Identity` nodes for outputs that are inputs of the function: a value cannot have two names. */
function passThrough(callee: FunctionProto, node: NodeProto, rename: (name: string) => string): NodeProto[] {
  const inputs = new Set(callee.inputs ?? [])
  return (callee.outputs ?? []).flatMap((formal, index) => {
    const output = node.outputs?.[index] ?? ''
    if (!inputs.has(formal) || output === '') return []
    const source = node.inputs?.[(callee.inputs ?? []).indexOf(formal)] ?? ''
    return [{ op: 'Identity', inputs: [source], outputs: [output], name: `${rename(formal)}/identity` }]
  })
}

function renameNode(
  node: NodeProto,
  rename: (name: string) => string,
  prefix: string,
  parameters: ReadonlyMap<string, AttributeProto>,
): NodeProto {
  return {
    ...node,
    inputs: (node.inputs ?? []).map(rename),
    outputs: (node.outputs ?? []).map(rename),
    name: node.name ? `${prefix}${node.name}` : '',
    attributes: (node.attributes ?? []).flatMap(attribute => {
      const bound = bindAttribute(attribute, parameters)
      return bound === undefined ? [] : [renameBodies(bound, rename, prefix, parameters)]
    }),
  }
}

/** An attribute with the call's value; `undefined` where the call gives none and there is no default. */
function bindAttribute(
  attribute: AttributeProto,
  parameters: ReadonlyMap<string, AttributeProto>,
): AttributeProto | undefined {
  if (attribute.refName === undefined || attribute.refName === '') return attribute
  const value = parameters.get(attribute.refName)
  return value && { ...value, ...(attribute.name !== undefined && { name: attribute.name }) }
}

function renameBodies(
  attribute: AttributeProto,
  rename: (name: string) => string,
  prefix: string,
  parameters: ReadonlyMap<string, AttributeProto>,
): AttributeProto {
  const inner = (graph: GraphProto): GraphProto => ({
    ...graph,
    nodes: (graph.nodes ?? []).map(node => renameNode(node, rename, prefix, parameters)),
    inputs: (graph.inputs ?? []).map(value => ({ ...value, name: rename(value.name ?? '') })),
    outputs: (graph.outputs ?? []).map(value => ({ ...value, name: rename(value.name ?? '') })),
    values: (graph.values ?? []).map(value => ({ ...value, name: rename(value.name ?? '') })),
    initializers: (graph.initializers ?? []).map(tensor => ({ ...tensor, name: rename(tensor.name ?? '') })),
  })
  return {
    ...attribute,
    ...(attribute.g && { g: inner(attribute.g) }),
    ...(attribute.graphs && { graphs: attribute.graphs.map(inner) }),
  }
}
