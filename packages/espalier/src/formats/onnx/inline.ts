/**
 * Replacing calls of a model's own functions by their bodies, so that a graph holds operators only. Values inside a
 * body are prefixed with the name of the calling node; attributes that refer to parameters get the call's values.
 * Functions that call functions can grow a file a million times: nesting and the size of the result are bounded.
 */
import { EspalierError, locate } from '../../errors.ts'
import { normalizeDomain } from '../../graph/graph.ts'
import type { AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, OpsetProto } from './proto.ts'

/** Bytes that the result may take, a character of a name counted as one and each part of the graph as so many. */
const SIZE_LIMIT = 2 ** 27
const PART_SIZE = 64
/** Deepest nesting of calls and bodies together. */
const DEPTH_LIMIT = 200
/** Longest name of a calling node that its function's values are prefixed with. */
const PREFIX_LIMIT = 200

/**
 * The model without functions. Throws `malformed` for functions that call themselves, `unsupported-format` for
 * differing operator sets, `too-large` for a result out of proportion.
 */
export function inlineFunctions(model: ModelProto): ModelProto {
  if (model.functions === undefined || model.graph === undefined) return model
  const inliner = new Inliner(model)
  const graph = inliner.graph(model.graph)
  const { functions, ...rest } = model
  return { ...rest, graph, opsets: inliner.opsets() }
}

function normal(domain: string | undefined): string {
  return normalizeDomain(domain ?? '')
}

function keyOf(domain: string | undefined, name: string | undefined, overload: string | undefined): string {
  return [normal(domain), name ?? '', overload ?? ''].join('\0')
}

type Rename = (name: string) => string
type Parameters = ReadonlyMap<string, AttributeProto>

class Inliner {
  readonly #functions = new Map<string, FunctionProto>()
  /** Operator sets of the model, then those that only its functions import. */
  readonly #opsets: OpsetProto[]
  /** Operator sets of the nodes that are left. */
  readonly #domains = new Set<string>()
  /** The functions being replaced, outermost first. */
  readonly #path: FunctionProto[] = []
  #depth = 0
  #size = 0
  #calls = 0

  constructor(model: ModelProto) {
    this.#opsets = [...(model.opsets ?? [])]
    for (const f of model.functions ?? []) {
      const key = keyOf(f.domain, f.name, f.overload)
      if (this.#functions.has(key))
        throw new EspalierError('malformed', `the model defines function ${f.name} twice`)
      this.#functions.set(key, f)
    }
  }

  /** Operator sets of the result: without those that only functions were in. */
  opsets(): OpsetProto[] {
    const emptied = new Set([...this.#functions.values()].map(({ domain }) => normal(domain)))
    for (const domain of ['', ...this.#domains]) emptied.delete(domain)
    return this.#opsets.filter(({ domain }) => !emptied.has(normal(domain)))
  }

  /** `graph` with every call replaced. */
  graph(graph: GraphProto): GraphProto {
    const { inputs = [], outputs = [], values = [], initializers = [], sparseInitializers = [] } = graph
    this.#charge(
      inputs.length + outputs.length + values.length + initializers.length + sparseInitializers.length,
    )
    const nodes: NodeProto[] = []
    this.#add(graph.nodes ?? [], nodes)
    return { ...graph, nodes }
  }

  /** Adds `nodes` to `result`, calls replaced. */
  #add(nodes: readonly NodeProto[], result: NodeProto[]): void {
    if (++this.#depth > DEPTH_LIMIT)
      throw new EspalierError('too-large', `functions and bodies are nested more than ${DEPTH_LIMIT} deep`)
    for (const node of nodes) {
      const { name = '', inputs = [], outputs = [], attributes = [] } = node
      this.#charge(1 + attributes.length, [name, ...inputs, ...outputs])
      const callee = this.#functions.get(keyOf(node.domain, node.op, node.overload))
      if (callee === undefined) {
        this.#domains.add(normal(node.domain))
        result.push(this.#withBodies(node))
        continue
      }
      this.#path.push(callee)
      const place = { node: `${name || outputs[0] || '?'} (${node.op})` }
      this.#add(
        locate(place, () => this.#bodyOf(callee, node)),
        result,
      )
      this.#path.pop()
    }
    this.#depth--
  }

  #withBodies(node: NodeProto): NodeProto {
    if (!node.attributes?.some(({ g, graphs }) => g !== undefined || graphs !== undefined)) return node
    const inner = (attribute: AttributeProto): AttributeProto =>
      mapBodies(attribute, body => this.graph(body))
    return { ...node, attributes: node.attributes.map(inner) }
  }

  /** The nodes that take the place of the call `node`; calls among them are left. */
  #bodyOf(callee: FunctionProto, node: NodeProto): NodeProto[] {
    if (this.#path.indexOf(callee) < this.#path.length - 1)
      throw new EspalierError('malformed', `function ${callee.name} calls itself`, {
        got: this.#path.map(({ name }) => name).join(' -> '),
      })
    this.#importOpsets(callee)
    const { inputs = [], outputs = [] } = node
    checkCount(callee, 'inputs', inputs)
    checkCount(callee, 'outputs', outputs)
    // An omitted input stays omitted; an omitted output is computed all the same.
    const names = new Map((callee.inputs ?? []).map((formal, index) => [formal, inputs[index] ?? '']))
    const copies: NodeProto[] = []
    for (const [index, formal] of (callee.outputs ?? []).entries()) {
      const actual = outputs[index] ?? ''
      const known = names.get(formal)
      // A value cannot have two names: an output that is an input, or another output too, is copied.
      if (actual !== '' && known !== undefined) copies.push(identity(known, actual))
      else if (actual !== '') names.set(formal, actual)
    }
    const given = [...(callee.attributeDefaults ?? []), ...(node.attributes ?? [])]
    const parameters: Parameters = new Map(given.map(attribute => [attribute.name ?? '', attribute]))
    const prefix = `${callerName(node, callee)}#${++this.#calls}/`
    const rename: Rename = name => (name === '' ? '' : (names.get(name) ?? `${prefix}${name}`))
    const body = (callee.nodes ?? []).map(inner => renameNode(inner, rename, prefix, parameters))
    return [...body, ...copies]
  }

  #importOpsets(callee: FunctionProto): void {
    for (const entry of callee.opsets ?? []) {
      const domain = normal(entry.domain)
      const own = this.#opsets.find(other => normal(other.domain) === domain)
      if (own === undefined) this.#opsets.push(entry)
      else if (own.version !== entry.version)
        throw new EspalierError(
          'unsupported-format',
          `function ${callee.name} uses another version of operator set "${domain}" than the model`,
          {
            expected: `${own.version}`,
            got: `${entry.version}`,
            hint: 'Convert the model so that its functions use one version',
          },
        )
    }
  }

  #charge(parts: number, names: readonly string[] = []): void {
    this.#size += (parts + names.length) * PART_SIZE
    for (const name of names) this.#size += name.length
    if (this.#size > SIZE_LIMIT)
      throw new EspalierError('too-large', 'the functions of the model call each other too often', {
        hint: 'Inlined, they would make a graph of millions of nodes',
      })
  }
}

function checkCount(callee: FunctionProto, side: 'inputs' | 'outputs', actuals: readonly string[]): void {
  const most = callee[side]?.length ?? 0
  if (actuals.length > most)
    throw new EspalierError('malformed', `function ${callee.name} is called with too many ${side}`, {
      expected: `at most ${most}`,
      got: `${actuals.length}`,
    })
}

/** What a call is known by: its node's name, unless nesting has made that too long. */
function callerName(node: NodeProto, callee: FunctionProto): string {
  const name = node.name || node.outputs?.find(output => output !== '') || ''
  return name !== '' && name.length <= PREFIX_LIMIT ? name : (callee.name ?? '').slice(0, PREFIX_LIMIT)
}

function identity(from: string, to: string): NodeProto {
  return { op: 'Identity', inputs: [from], outputs: [to], name: `${to}/identity` }
}

function renameNode(node: NodeProto, rename: Rename, prefix: string, parameters: Parameters): NodeProto {
  return {
    ...node,
    inputs: (node.inputs ?? []).map(rename),
    outputs: (node.outputs ?? []).map(rename),
    name: node.name ? `${prefix}${node.name}` : '',
    attributes: (node.attributes ?? []).flatMap(attribute => {
      // A value that the call gives belongs to the caller: names inside it are the caller's.
      if (attribute.refName) return bindAttribute(attribute, parameters)
      return [mapBodies(attribute, graph => renameGraph(graph, rename, prefix, parameters))]
    }),
  }
}

/** The attribute with the call's value; none where the call gives none and there is no default. */
function bindAttribute(attribute: AttributeProto, parameters: Parameters): AttributeProto[] {
  const value = parameters.get(attribute.refName!)
  return value === undefined ? [] : [{ ...value, name: attribute.name ?? '' }]
}

/** The attribute with `inner` of its graphs. */
function mapBodies(attribute: AttributeProto, inner: (graph: GraphProto) => GraphProto): AttributeProto {
  return {
    ...attribute,
    ...(attribute.g && { g: inner(attribute.g) }),
    ...(attribute.graphs && { graphs: attribute.graphs.map(inner) }),
  }
}

function renameGraph(graph: GraphProto, rename: Rename, prefix: string, parameters: Parameters): GraphProto {
  const renamed = <T extends { name?: string }>(list: readonly T[] = []): T[] =>
    list.map(item => ({ ...item, name: rename(item.name ?? '') }))
  return {
    ...graph,
    nodes: (graph.nodes ?? []).map(node => renameNode(node, rename, prefix, parameters)),
    inputs: renamed(graph.inputs),
    outputs: renamed(graph.outputs),
    values: renamed(graph.values),
    initializers: renamed(graph.initializers),
    sparseInitializers: (graph.sparseInitializers ?? []).map(sparse => ({
      ...sparse,
      ...(sparse.values && { values: { ...sparse.values, name: rename(sparse.values.name ?? '') } }),
    })),
  }
}
