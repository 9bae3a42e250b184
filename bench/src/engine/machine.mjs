// What is measured on, and whether it is quiet enough to be measured on.
import { cpus, loadavg } from 'node:os'

const BUSY_LOAD = 0.5

/** Facts about the machine, printed; with a warning when other things run on it. */
export function lookAtMachine() {
  const load = loadavg()[0]
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, load }
  console.log(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, load ${load.toFixed(2)}`)
  if (load > BUSY_LOAD)
    console.log('warning: the machine is busy; look at the least times, and measure again when it is not')
  return machine
}
