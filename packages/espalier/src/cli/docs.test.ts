/** Keeps docs/cli.md equal to what the commands say. `npm run docs` writes it. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { diagnose } from '../runtime/diagnose.ts'
import { describeDiagnosis } from './commands/doctor.ts'
import { commands } from './commands/index.ts'
import { commandHelp, generalHelp } from './help.ts'
import { MOST_JSON_ELEMENTS } from './json.ts'
import { espalier, temporaryFolder } from './testing.ts'

const path = temporaryFolder()

/** Command lines and what they print, results and remarks; files are in the folder of the test. */
async function transcript(...lines: string[]): Promise<string> {
  const parts: string[] = []
  for (const line of lines) {
    const args = line.split(' ').map(arg => (/\.(onnx|npz|npy)$/.test(arg) ? path(arg) : arg))
    const { code, stdout, stderr } = await espalier(args)
    expect(code, stderr).toBe(0)
    const text = (stdout + stderr).replaceAll(`${path('')}/`, '').replaceAll(/\d+\.\d ms/g, '... ms')
    parts.push(`$ espalier ${line}\n${text}`)
  }
  return block(parts.join('\n'))
}

function block(text: string): string {
  return `\`\`\`\n${text.trimEnd()}\n\`\`\``
}

/** `espalier doctor` on one machine, always the same. */
function doctorOutput(): string {
  const found = {
    ...diagnose(),
    host: 'node 22.12.0',
    platform: 'linux x64',
    cpu: 'AMD EPYC 9554P',
    cores: 16,
    memory: 2 ** 36,
    features: ['AVX2', 'FMA', 'F16C', 'AVX-512F', 'AVX-512BW', 'AVX-512 VNNI', 'AVX-512 BF16'],
    webAssembly: { simd: true, relaxedSimd: true, threads: true },
    packages: { sharp: 'not installed: npm install sharp' },
  }
  return block(['$ espalier doctor', ...describeDiagnosis(found, 100)].join('\n'))
}

test('the page about the command line is current', async () => {
  const examples: Readonly<Record<string, string>> = {
    quickstart: await transcript('quickstart --output tiny.onnx'),
    inspect: await transcript('inspect tiny.onnx'),
    run: await transcript(
      'run tiny.onnx --random --top 3 --output classes.npz',
      'inspect classes.npz --tensor classes',
    ),
    convert: await transcript('convert tiny.onnx head.npy --tensor head.weight'),
    doctor: doctorOutput(),
  }
  expect(Object.keys(examples)).toEqual(commands.map(({ name }) => name))
  const sections = commands.map(
    command =>
      `## espalier ${command.name}\n\n${block(commandHelp(command))}\n\nFor instance:\n\n${examples[command.name]}`,
  )
  const page = `# Command line

This page is written by \`npm run docs\` from the commands themselves.

${block(generalHelp(commands))}

* Results go to standard output, everything else to standard error: remarks, warnings, progress, errors.
* \`--json\` prints the result as one JSON value and nothing else. An error is \`{ "error": { "code", "message", "where", ... } }\`;
  warnings are in \`warnings\`. NaN and infinities are text, as are integers beyond 2^53. Of arrays of more than
  ${MOST_JSON_ELEMENTS} elements only the first are written, and \`truncated\` is true.
* On a terminal, tables are fitted to its width: long names are shortened in the middle, then columns left out. Elsewhere
  nothing is shortened. Colours follow the terminal, \`NO_COLOR\` and \`FORCE_COLOR\`.
* What takes more than a second shows a bar on a terminal and a line every five seconds elsewhere.
* Files are written beside their place and renamed: an old file stays whole until the new one is complete.
* Nothing is sent anywhere and nothing is downloaded.

Every command is a function of the library: \`inspect\`, \`convert\`, \`readFeeds\`, \`randomFeeds\`, \`runReference\`, \`diagnose\`.

${sections.join('\n\n')}
`
  await expect(page).toMatchFileSnapshot(join(import.meta.dirname, '../../../../docs/cli.md'))
})
