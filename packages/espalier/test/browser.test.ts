/**
 * The WebAssembly back end where it is at home: in a browser, with and without threads. Without a Chromium (browser/
 * chromium.ts says where it is looked for) this suite says that it skips. The generated operator cases
 * are cut in eight, and each variant of the kernels gets another part; with `BROWSER_OPERATORS=all` each gets all.
 */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { caseNames } from '../src/runtime/onnx-case-files.suite.ts'
import type { WasmIsa } from '../src/runtime/wasm/module.ts'
import { findChromium, startChromium } from './browser/chromium.ts'
import type { Checks } from './browser/page.ts'
import { type PageServer, servePage } from './browser/server.ts'

const executable = findChromium()
const variants: readonly WasmIsa[] = ['wasm', 'wasm-relaxed']
const cases = caseNames().length
const shares = process.env.BROWSER_OPERATORS === 'all' ? 1 : 8

describe.skipIf(executable === undefined)('in Chromium', () => {
  let server: PageServer
  let browser: Browser
  beforeAll(async () => {
    server = await servePage()
    browser = await startChromium(executable!)
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    await server?.close()
  })

  /** A check in a page of its own; what goes wrong in it unseen fails too. */
  async function check<K extends keyof Checks>(
    path: '/' | '/isolated',
    name: K,
    ...args: Parameters<Checks[K]>
  ): Promise<Awaited<ReturnType<Checks[K]>>> {
    const page = await browser.newPage()
    try {
      return await evaluate<Awaited<ReturnType<Checks[K]>>>(
        page,
        path,
        `checks.${name}(...${JSON.stringify(args)})`,
      )
    } finally {
      await page.close()
    }
  }
  async function evaluate<T>(page: Page, path: string, expression: string): Promise<T> {
    const errors: string[] = []
    page.on('pageerror', error => errors.push(error.message))
    await page.goto(server.address + path)
    await page.waitForFunction('globalThis.checks !== undefined')
    const result = await page.evaluate<T>(expression)
    expect(errors).toEqual([])
    return result
  }

  test('each variant of the kernels is a script of its own, and Chromium runs both', async () => {
    expect(server.scripts.filter(path => /wasm/.test(path))).toHaveLength(2)
    expect((await check('/', 'variants')).sort()).toEqual(variants)
  })

  test('the example shows what a model gives, on two threads', async () => {
    const page = await browser.newPage()
    const errors: string[] = []
    page.on('pageerror', error => errors.push(error.message))
    await page.goto(`${server.address}/example/index.html`)
    await page.fill('#threads', '2')
    await page.click('#run')
    await page.waitForSelector('#result:not([hidden]), #status.error')
    expect(await page.textContent('#status')).toBe('')
    expect(await page.textContent('#facts')).toMatch(/kernels wasm-relaxed, threads 2/)
    expect(await page.textContent('#outputs')).toContain('classes float32 1 × 10')
    expect(errors).toEqual([])
    await page.close()
  })

  describe.each(variants)('%s', isa => {
    test.skipIf(cases === 0)(
      'ONNX operator cases',
      async () => {
        expect(await check('/', 'onnxCases', isa)).toEqual({ cases, failures: [] })
      },
      300_000,
    )

    test.skipIf(cases === 0)(
      'ONNX operator cases in sessions with two threads',
      async () => {
        expect(await check('/isolated', 'onnxSessions', isa, 2)).toEqual({ cases, failures: [] })
      },
      300_000,
    )

    test('operators as the reference', async () => {
      const found = await check('/', 'operatorCases', isa, shares, variants.indexOf(isa) % shares)
      expect(found.failures).toEqual([])
      expect(found.cases).toBeGreaterThan(10_000 / shares)
    }, 900_000)

    test('threads where the page is isolated, with the same bits as on one', async () => {
      expect(await check('/isolated', 'isolated')).toBe(true)
      // The last session shares the workers of the one before, and takes no more than it asked for.
      const threads = [2, 3, 2]
      expect(await check('/isolated', 'network', isa, threads)).toEqual({ threads, same: true, warnings: [] })
    })

    test('a fault on two threads is an error, and the next run is right', async () => {
      const { values, errors } = await check('/isolated', 'faults', isa, 2, 400)
      expect(values).toEqual([6])
      expect(errors).toEqual([expect.stringMatching(/pick.*index is out of range.*9/)])
    })

    test('one thread where it is not, and a warning that says which headers are missing', async () => {
      expect(await check('/', 'isolated')).toBe(false)
      const { warnings, ...rest } = await check('/', 'network', isa, [2])
      expect(rest).toEqual({ threads: [1], same: true })
      expect(warnings).toHaveLength(1)
      expect(warnings[0]).toContain('"Cross-Origin-Opener-Policy: same-origin"')
      expect(warnings[0]).toContain('"Cross-Origin-Embedder-Policy: require-corp"')
    })
  })
})
