// What runs in the browser: the same measurements, called from outside (browser.mjs).
import { wasmVariants } from 'espalier/runtime'
import { measureCurve } from './measure.mjs'

globalThis.curve = { measure: measureCurve, variants: wasmVariants, isolated: globalThis.crossOriginIsolated }
