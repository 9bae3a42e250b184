/** `espalier convert`: from one format to another, and models to models with parts cut out, folded or annotated. */
import { convert as convertFile } from '../../convert.ts'
import { EspalierError } from '../../errors.ts'
import { namesOption } from '../arguments.ts'
import { type Command, command, usage } from '../command.ts'
import { bytes, plural } from '../text.ts'

const options: Command['options'] = {
  tensor: {
    type: 'string',
    short: 't',
    multiple: true,
    value: 'NAME',
    doc: 'Files of tensors: only this one; may be repeated',
  },
  inputs: { type: 'string', value: 'A,B', doc: 'Models: cut the model at these values; needs --outputs' },
  outputs: { type: 'string', value: 'C,D', doc: 'Models: values that the cut model gives; needs --inputs' },
  fold: { type: 'boolean', doc: 'Models: compute the constant parts of the graph' },
  annotate: { type: 'boolean', doc: 'Models: write the inferred shape of every value' },
  'external-data': { type: 'boolean', doc: 'ONNX: put the weights into OUT.data (needed from 2 GiB on)' },
  sparse: { type: 'boolean', doc: 'ONNX: store constants as sparse tensors where that takes fewer bytes' },
}

export const convert: Command = command({
  name: 'convert',
  summary: 'Convert between ONNX, espalier, safetensors, npy, npz, IDX; from torch checkpoints, CIFAR',
  positionals: ['IN', 'OUT'],
  options,
  examples: [
    { line: 'convert resnet20.th resnet20.safetensors', doc: 'a torch checkpoint, without running its code' },
    { line: 'convert model.onnx weights.npz', doc: 'the weights of a model as arrays' },
    { line: 'convert weights.npz w1.npy --tensor layer1.weight', doc: 'one array of several' },
    { line: 'convert model.onnx head.onnx --inputs features --outputs logits', doc: 'a part of a model' },
    { line: 'convert sparse.onnx small.espalier', doc: 'zeros left out: the same numbers in fewer bytes' },
    {
      line: 'convert model.onnx model.onnx --fold --annotate',
      doc: 'constants computed, shapes written, in place',
    },
  ],
  notes:
    'The names of the files say the formats; what is read is also known by its first bytes. Numbers are never changed: ' +
    'a type that the new format does not have is an error. IN and OUT may be one file, which is replaced when the new ' +
    'one is complete. Tensors do not become models: builders come in a later version.',
  async run(invocation) {
    const { positionals, flag, texts, terminal } = invocation
    const [from, to] = positionals as [string, string]
    const [inputs, outputs] = [namesOption(invocation, 'inputs'), namesOption(invocation, 'outputs')]
    const tensors = texts('tensor')
    const written = await inOptionNames(() =>
      convertFile(from, to, {
        ...(tensors.length > 0 && { tensors }),
        ...(inputs && { inputs }),
        ...(outputs && { outputs }),
        fold: flag('fold'),
        annotate: flag('annotate'),
        externalData: flag('external-data'),
        sparse: flag('sparse'),
        onRead: terminal.progress(`reading ${from}`, bytes),
      }),
    )
    const what =
      written.nodes > 0
        ? `${plural(written.nodes, 'node')}, ${plural(written.tensors.length, 'constant')}`
        : plural(written.tensors.length, 'tensor')
    terminal.print(`wrote ${to}: ${what}`)
    for (const left of written.left) terminal.note(`note: not in ${to}: ${left}`)
    return { from, to, ...written }
  },
})

/** Runs `body`; an error about an option of the library leaves as one about the option of the command. */
async function inOptionNames<T>(body: () => Promise<T>): Promise<T> {
  try {
    return await body()
  } catch (error) {
    if (!(error instanceof EspalierError) || error.code !== 'bad-argument') throw error
    const field = error.where.field ?? ''
    const option =
      field === 'tensors' ? 'tensor' : field.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
    if (!Object.hasOwn(options, option)) throw error
    throw usage(`--${option}: ${error.summary}`, error.hint, error.expected)
  }
}
