import { describe, expect, test, vi } from 'vitest'
import { version } from '../version.ts'
import { readArguments } from './arguments.ts'
import { commands } from './commands/index.ts'
import { commandHelp } from './help.ts'
import { createTerminal } from './terminal.ts'
import { espalier } from './testing.ts'

describe('help', () => {
  test.each([[], ['--help'], ['-h'], ['help'], ['help', '--json']])('espalier %s', async (...args) => {
    const { code, stdout, stderr } = await espalier(args)
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^espalier 0.*\n\nUsage: espalier COMMAND/)
    for (const { name } of commands) expect(stdout).toContain(`\n  ${name} `)
  })

  test.each(commands.map(command => [command.name, command] as const))('%s', async (name, command) => {
    for (const args of [
      [name, '--help'],
      [name, '-h', '--nonsense'],
      ['help', name],
    ]) {
      const { code, stdout } = await espalier(args)
      expect([code, stdout]).toEqual([0, commandHelp(command)])
    }
    for (const line of commandHelp(command).split('\n')) expect(line.length).toBeLessThanOrEqual(110)
  })

  test('its examples are command lines that can be read', () => {
    const stream = { write: () => true }
    const terminal = createTerminal({ stdout: stream, stderr: stream, env: {}, now: () => 0 }, false)
    for (const command of commands)
      for (const { line } of command.examples) {
        const [name, ...args] = line.split(' ')
        expect(name).toBe(command.name)
        expect(() => readArguments(command, args, terminal)).not.toThrow()
      }
  })

  test.each([['--version'], ['-v']])('%s', async flag => {
    expect(await espalier([flag])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' })
  })
})

describe('what cannot be understood', () => {
  test.each([
    [
      ['inpsect', 'a'],
      'there is no command "inpsect"; expected quickstart, inspect, analyze, compress, evaluate, run, bench, profile, convert, doctor. Did you mean "espalier inspect"?',
    ],
    [
      ['measure'],
      'there is no command "measure"; expected quickstart, inspect, analyze, compress, evaluate, run, bench, profile, convert, doctor. See espalier --help',
    ],
    [
      ['./model.onnx'],
      'there is no command "./model.onnx"; expected quickstart, inspect, analyze, compress, evaluate, run, bench, profile, convert, doctor. To look into a file: espalier inspect ./model.onnx',
    ],
    [['--verbose', 'inspect'], 'there is no option "--verbose" before the command. See espalier --help'],
    [
      ['help', 'inspec'],
      'there is no command "inspec"; expected quickstart, inspect, analyze, compress, evaluate, run, bench, profile, convert, doctor. Did you mean "espalier inspect"?',
    ],
    [['inspect'], 'espalier inspect takes FILE; FILE is missing. See espalier inspect --help'],
  ])('%j', async (args, message) => {
    expect(await espalier(args)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: `espalier: error: ${message}\n`,
    })
  })

  test('under --json the error is on standard output too', async () => {
    for (const args of [
      ['--json', 'inspect'],
      ['inspect', '--json'],
    ]) {
      const { code, json, stderr } = await espalier(args)
      expect(code).toBe(2)
      expect(json).toEqual({
        error: {
          code: 'usage',
          message: expect.stringContaining('FILE is missing'),
          where: {},
          hint: expect.any(String),
        },
      })
      expect(stderr).toContain('FILE is missing')
    }
  })
})

describe('failures', () => {
  test('of the library have exit code 1', async () => {
    expect(await espalier(['inspect', '/no/such.onnx'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'espalier: error: /no/such.onnx: cannot open: no such file or folder\n',
    })
    const { code, json } = await espalier(['inspect', '/no/such.onnx', '--json'])
    expect(code).toBe(1)
    expect(json).toMatchObject({ error: { code: 'not-found', where: { file: '/no/such.onnx' } } })
  })

  test('that nobody foresaw ask for a report and have exit code 70', async () => {
    const doctor = commands.find(({ name }) => name === 'doctor')!
    const spy = vi.spyOn(doctor, 'run').mockRejectedValue(new TypeError('x is not a function'))
    try {
      const { code, stderr } = await espalier(['doctor'])
      expect(code).toBe(70)
      expect(stderr).toMatch(/^espalier: this is a defect of Espalier.*report/)
      expect(stderr).toContain(`espalier ${version}, node ${process.versions.node}`)
      expect(stderr).toContain('TypeError: x is not a function\n    at ')
      const { json } = await espalier(['doctor', '--json'])
      expect(json).toEqual({ error: { code: 'defect', message: 'x is not a function' } })
      spy.mockRejectedValue('text')
      expect((await espalier(['doctor'])).stderr).toMatch(/\ntext\n$/)
    } finally {
      spy.mockRestore()
    }
  })

  test('warnings are part of a JSON result', async () => {
    const doctor = commands.find(({ name }) => name === 'doctor')!
    const spy = vi.spyOn(doctor, 'run').mockImplementation(async ({ terminal }) => {
      terminal.warn('too hot')
      terminal.fail(1)
      return { ok: 1n }
    })
    try {
      const { code, json, stderr } = await espalier(['doctor', '--json'])
      expect([code, json, stderr]).toEqual([1, { ok: 1, warnings: ['too hot'] }, 'warning: too hot\n'])
    } finally {
      spy.mockRestore()
    }
  })
})
