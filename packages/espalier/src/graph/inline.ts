/** Putting the nodes of a body into the graph around it, as when the condition of an `If` is known. */
import { bodiesOf, type Graph, type Initializer, type Node, type Value } from './graph.ts'
import { namesIn } from './names.ts'
import { namesMadeBy } from './uses.ts'

export interface Inlined {
  readonly nodes: readonly Node[]
  readonly initializers: ReadonlyMap<string, Initializer>
  /** What the body states of its values, under their new names. */
  readonly values: ReadonlyMap<string, Value>
}

/**
 * The contents of a body without inputs, for the graph around it: its outputs get the names in `outputs` (`''` for one
 * that is not wanted), everything else a name from `fresh` (made for the graph without the node that holds the
 * body), and what it takes from outside keeps its name.
 */
export function inlineBody(
  body: Graph,
  outputs: readonly string[],
  fresh: (stem: string) => string,
): Inlined {
  const renamed = newNames(body, outputs, fresh)
  const rename = (name: string): string => renamed.get(name) ?? name
  const nodes = body.nodes.map(
    (node): Node => ({
      ...renameReads(node, renamed),
      name: node.name === '' ? '' : fresh(node.name),
      outputs: node.outputs.map(rename),
    }),
  )
  for (const [index, { name }] of body.outputs.entries()) {
    const wanted = outputs[index] ?? ''
    if (wanted !== '' && rename(name) !== wanted) nodes.push(identity(rename(name), wanted))
  }
  return {
    nodes,
    initializers: new Map([...body.initializers].map(([name, value]) => [rename(name), value])),
    values: new Map(
      [...body.values].map(([name, value]) => [rename(name), { ...value, name: rename(name) }]),
    ),
  }
}

/** New names of all values that the body makes. */
function newNames(
  body: Graph,
  outputs: readonly string[],
  fresh: (stem: string) => string,
): Map<string, string> {
  const names = new Map<string, string>()
  const inside = new Set(body.nodes.flatMap(bodiesOf).flatMap(inner => [...namesIn(inner)]))
  const made = new Set(body.nodes.flatMap(node => node.outputs))
  for (const [index, { name }] of body.outputs.entries()) {
    const wanted = outputs[index] ?? ''
    // A constant or a value from outside cannot have another name, nor one value two: these are copied, and so is what
    // would get a name that a body inside uses.
    if (made.has(name) && !names.has(name) && wanted !== '' && !inside.has(wanted)) names.set(name, wanted)
  }
  for (const name of namesMadeBy(body)) {
    if (names.has(name)) continue
    let own = fresh(name)
    while (own !== name && inside.has(own)) own = fresh(name)
    names.set(name, own)
  }
  return names
}

/** A node that reads its values under other names, in its bodies too. */
function renameReads(node: Node, names: ReadonlyMap<string, string>): Node {
  const inputs = node.inputs.map(name => names.get(name) ?? name)
  if (bodiesOf(node).length === 0) return { ...node, inputs }
  const attributes = new Map(node.attributes)
  for (const [name, attribute] of attributes) {
    if (attribute.type === 'graph')
      attributes.set(name, { ...attribute, value: renameCaptures(attribute.value, names) })
    if (attribute.type === 'graphs')
      attributes.set(name, { ...attribute, value: attribute.value.map(body => renameCaptures(body, names)) })
  }
  return { ...node, inputs, attributes }
}

/** A body that takes values from outside under other names; its own values keep theirs. */
function renameCaptures(body: Graph, names: ReadonlyMap<string, string>): Graph {
  const outer = new Map(names)
  for (const name of namesMadeBy(body)) outer.delete(name)
  return {
    ...body,
    nodes: body.nodes.map(node => renameReads(node, outer)),
    outputs: body.outputs.map(value => ({ ...value, name: outer.get(value.name) ?? value.name })),
  }
}

function identity(input: string, output: string): Node {
  return { name: '', op: 'Identity', domain: '', inputs: [input], outputs: [output], attributes: new Map() }
}
