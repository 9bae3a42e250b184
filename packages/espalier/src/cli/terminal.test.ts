import { describe, expect, test } from 'vitest'
import { createTerminal, printable, type Stream } from './terminal.ts'

function setUp(options: { tty?: boolean; json?: boolean; env?: Record<string, string>; columns?: number }) {
  const { tty = false, json = false, env = {}, columns } = options
  const text = { out: '', err: '' }
  const stream = (name: keyof typeof text): Stream => ({
    write: part => {
      text[name] += part
    },
    isTTY: tty,
    ...(columns !== undefined && { columns }),
  })
  const clock = { time: 0 }
  const terminal = createTerminal(
    { stdout: stream('out'), stderr: stream('err'), env, now: () => clock.time },
    json,
  )
  return { terminal, text, clock }
}

describe('colour', () => {
  test.each([
    [{ tty: false }, false],
    [{ tty: true }, true],
    [{ tty: true, env: { NO_COLOR: '1' } }, false],
    [{ tty: true, env: { NO_COLOR: '' } }, true],
    [{ tty: true, env: { TERM: 'dumb' } }, false],
    [{ tty: false, env: { FORCE_COLOR: '1' } }, true],
    [{ tty: true, env: { FORCE_COLOR: '0' } }, false],
  ])('%j: %s', (options, coloured) => {
    const { terminal } = setUp(options)
    expect(terminal.style('bold', 'x')).toBe(coloured ? '\x1b[1mx\x1b[22m' : 'x')
  })
})

describe('writing', () => {
  test('results go to standard output, the rest to standard error', () => {
    const { terminal, text } = setUp({})
    terminal.print('result')
    terminal.print()
    terminal.note('remark')
    terminal.warn('odd')
    terminal.fail(1)
    expect(text).toEqual({ out: 'result\n\n', err: 'remark\nwarning: odd\n' })
    expect([terminal.exitCode, terminal.warnings]).toEqual([1, ['odd']])
  })

  test('under --json nothing is printed but what is written', () => {
    const { terminal, text } = setUp({ json: true })
    terminal.print('result')
    terminal.write('{}')
    expect(text.out).toBe('{}')
  })

  test('control characters from files cannot reach the terminal', () => {
    expect(printable('a\x1b[2Jb\tc\x07\x9b\r\n\x1b[1md\x1b[22m')).toBe(
      'a\\x1b[2Jb\\x09c\\x07\\x9b\\x0d\n\x1b[1md\x1b[22m',
    )
    const { terminal, text } = setUp({})
    terminal.print('\x1b]0;title\x07')
    terminal.note('\x1b[1A')
    expect(text.out + text.err).toBe('\\x1b]0;title\\x07\n\\x1b[1A\n')
  })

  test('the width is that of a terminal, and without one there is no end to a line', () => {
    expect(setUp({ tty: true, columns: 60 }).terminal.width).toBe(60)
    expect(setUp({ tty: true }).terminal.width).toBe(80)
    expect(setUp({ columns: 60 }).terminal.width).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('progress', () => {
  test('a bar after a second, which goes before anything else is written', () => {
    const { terminal, text, clock } = setUp({ tty: true, env: { NO_COLOR: '1' } })
    const progress = terminal.progress('running')
    clock.time = 900
    progress(1, 4)
    expect(text.err).toBe('')
    clock.time = 1200
    progress(2, 4)
    const bar = '\r\x1b[2Krunning [############............] 2 of 4'
    expect(text.err).toBe(bar)
    clock.time = 1250
    progress(3, 4)
    expect(text.err).toBe(bar)
    terminal.note('remark')
    expect(text.err).toBe(`${bar}\r\x1b[2Kremark\n`)
    clock.time = 1400
    progress(3, 4)
    progress(4, 4)
    expect(text.err.endsWith('3 of 4\r\x1b[2K')).toBe(true)
    terminal.clear()
    expect(text.err.endsWith('3 of 4\r\x1b[2K')).toBe(true)
  })

  test.each([{ tty: false }, { tty: true, json: true }])('lines now and then: %j', options => {
    const { terminal, text, clock } = setUp(options)
    const progress = terminal.progress('reading', value => `${value} B`)
    for (clock.time = 0; clock.time < 12_000; clock.time += 1000) progress(clock.time, 12_000)
    progress(12_000, 12_000)
    expect(text.err).toBe('reading: 5000 B of 12000 B\nreading: 10000 B of 12000 B\n')
  })
})
