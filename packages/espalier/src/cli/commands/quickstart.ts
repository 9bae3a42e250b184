/**
 * `espalier quickstart`: the story without anything that has to be found first. A small network is built, written, read,
 * inspected and run, to see that everything works; then the main job is done, on an encoder that is built by code or on a
 * model of the user's: compressed in two ways, and measured. All that it says was measured a moment before.
 */
import { integerOption } from '../arguments.ts'
import { type Command, command, usage } from '../command.ts'
import { describeEngine, engineOptions, readEngineOptions } from '../engine-options.ts'
import { feedOptions } from '../feeds.ts'
import { lookAtMachine, warnOfLoad } from '../machine.ts'
import { firstSteps } from '../quickstart/first-steps.ts'
import { chooseJob, mainJob } from '../quickstart/main-job.ts'
import { evaluationTable, rowsText } from '../reports/evaluation.ts'

export const quickstart: Command = command({
  name: 'quickstart',
  summary: 'Does everything work, and what is it for: build, run, compress and measure, in a minute',
  positionals: [],
  options: {
    model: {
      type: 'string',
      short: 'm',
      value: 'FILE',
      doc: 'Compress this model, in place of an encoder built on the spot; or a checkpoint of a CIFAR-10 ResNet, as resnet20.safetensors',
    },
    data: {
      type: 'string',
      short: 'd',
      multiple: true,
      value: 'NAME=FILE',
      doc: 'Rows to evaluate --model on, as those of espalier evaluate; random ones when left out. May be repeated',
    },
    labels: {
      type: 'string',
      short: 'l',
      value: 'FILE',
      doc: 'Classes, one for each row; "labels" in a data file when left out',
    },
    limit: { type: 'string', value: 'N', doc: 'Only the first N rows; 1000 when left out' },
    scale: feedOptions.scale,
    mean: feedOptions.mean,
    std: feedOptions.std,
    output: {
      type: 'string',
      short: 'o',
      value: 'FILE',
      doc: 'Keep the small network that is built first in this ONNX file',
    },
    ...engineOptions,
    threads: {
      ...engineOptions.threads,
      doc: 'Threads of a run; 1 when left out, for times that other work disturbs least',
    },
  },
  examples: [
    { line: 'quickstart', doc: 'does everything work here, and what does it look like' },
    { line: 'quickstart --output tiny.onnx', doc: 'keep the small network, to inspect and run it' },
    {
      line: 'quickstart --model model.onnx --data test.npz',
      doc: 'what compressing a model of your own comes to; test.npz has its inputs and "labels"',
    },
    {
      line: 'quickstart --model resnet20.safetensors --data test_batch.bin',
      doc: 'a published checkpoint on the pictures of CIFAR-10, with accuracy',
    },
  ],
  notes:
    'Leaves no file behind, unless --output asks for one, but what was measured of the machine, in a cache. The exit code is 1 when something does not work. Weights are ' +
    'pruned by magnitude, in one step and without training, which is the least that can be done: accuracy suffers.',
  async run(invocation) {
    const { text, terminal } = invocation
    const kept = text('output')
    const engine = { threads: 1, ...readEngineOptions(invocation) }
    const limit = integerOption(invocation, 'limit', 1) ?? MOST_ROWS
    const idle = ['data', 'labels', 'limit', 'scale', 'mean', 'std'].find(name => text(name) !== undefined)
    if (text('model') === undefined && idle !== undefined)
      throw usage(`--${idle} is for --model`, 'Give --model FILE too')
    const first = await firstSteps(terminal, kept, engine)
    const job = await chooseJob(invocation, limit, engine)
    terminal.print()
    terminal.print(terminal.style('bold', job.title))
    terminal.print()
    const machine = lookAtMachine()
    const compared = await mainJob(job, engine, terminal.progress('running'))
    const titles = ['as it was', ...job.forms.map(({ title }) => title)]
    const rows = compared.models.map((model, index) => ({ ...model, title: titles[index]! }))
    for (const line of evaluationTable(rows, terminal.width)) terminal.print(line)
    terminal.print()
    terminal.print(`${rowsText(compared)}; times measured now, on the ${describeEngine(rows[0]!.engine)}.`)
    warnOfLoad(machine, terminal, 'times are uncertain, measure again when it is quiet')
    for (const line of job.remarks) terminal.print(line)
    terminal.print()
    terminal.print('Next')
    const file = kept ?? 'tiny.onnx'
    if (kept === undefined) terminal.print(`  espalier quickstart --output ${file}`)
    terminal.print(`  espalier inspect ${file}`)
    terminal.print(`  espalier run ${file} --random --top 3`)
    terminal.print('  espalier compress model.onnx --sparsity 0.9 -o small.espalier')
    terminal.print('  espalier evaluate small.espalier --against model.onnx --data test.npz')
    if (!first.same) terminal.fail(1)
    const { models: _, ...evaluated } = compared
    return {
      ...(kept !== undefined && { file: kept }),
      ...first,
      machine,
      model: job.file ?? job.graph.name,
      ...evaluated,
      forms: rows.map(({ engine: _engine, name: _name, title, ...rest }) => ({ form: title, ...rest })),
    }
  },
})

/** Rows of the user's data: enough for a figure to the percent, within a minute. */
const MOST_ROWS = 1000
