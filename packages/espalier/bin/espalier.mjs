#!/usr/bin/env node
// An old Node gets a sentence and not a syntax error: nothing is imported before the check.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major > 20 || (major === 20 && minor >= 19)) {
  import('../dist/node/cli.js').then(({ start }) => start())
} else {
  console.error(
    `espalier: error: Node ${process.versions.node} is too old; expected 20.19 or newer. See https://nodejs.org`,
  )
  process.exitCode = 1
}
