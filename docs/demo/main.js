/** The page: choices, progress and results. The work is done in a worker (worker.js), so that the page stays responsive. */
import { sizes } from './sizes.js'

const find = id => document.getElementById(id)
const sliders = ['single', 'blocks']
let worker

for (const [name, { title }] of Object.entries(sizes)) find('size').append(new Option(title, name))
const asked = new URLSearchParams(location.search).get('size')
find('size').value = asked in sizes ? asked : 'small'
for (const id of sliders) {
  const show = () => (find(id).nextElementSibling.value = `${find(id).value} %`)
  find(id).addEventListener('input', show)
  show()
}
find('form').addEventListener('submit', event => {
  event.preventDefault()
  if (worker === undefined) start()
  else stop()
})

function start() {
  for (const id of ['result', 'error']) find(id).hidden = true
  find('progress').hidden = false
  find('run').textContent = 'Stop'
  showProgress('starting', 0)
  worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
  worker.onerror = event => fail(event.message || 'the worker could not be loaded')
  worker.onmessage = ({ data }) => {
    if (data.progress !== undefined) showProgress(data.progress, data.share)
    else if (data.error !== undefined) fail(data.error)
    else {
      stop()
      showResult(data)
    }
  }
  const [single, blocks] = sliders.map(id => Number(find(id).value) / 100)
  worker.postMessage({ size: find('size').value, single, blocks })
}

function stop() {
  worker?.terminate()
  worker = undefined
  find('progress').hidden = true
  find('run').textContent = 'Run'
}

function fail(message) {
  stop()
  find('error').textContent = message
  find('error').hidden = false
}

function showProgress(text, share) {
  find('status').textContent = text
  document.querySelector('progress').value = share
}

/** `rows` are what was measured, the dense model on onnxruntime-web first; `facts` are lines of text by name. */
function showResult({ rows, facts }) {
  const [peer] = rows
  const longest = Math.max(...rows.map(({ median }) => median))
  find('rows').replaceChildren(
    ...rows.map(row => {
      const line = element('tr')
      line.className = row.ours ? 'ours' : 'peer'
      line.append(
        element('td', row.engine),
        element('td', row.model),
        cell('file', megabytes(row.bytes)),
        timeCell(row.median, row.median / longest),
        cell('least', milliseconds(row.least)),
        cell('gain', `${(peer.median / row.median).toFixed(2)}×`),
        cell('difference', row.difference?.toExponential(1) ?? ''),
      )
      return line
    }),
  )
  const best = rows.filter(row => row.ours).reduce((a, b) => (a.median < b.median ? a : b))
  find('headline').textContent =
    `${best.model}: ${(peer.median / best.median).toFixed(1)} times faster and ` +
    `${(peer.bytes / best.bytes).toFixed(1)} times smaller than the dense model on onnxruntime-web`
  find('facts').replaceChildren(
    ...Object.entries(facts).flatMap(([name, value]) => [element('dt', name), element('dd', value)]),
  )
  find('result').hidden = false
}

function cell(name, text) {
  const made = element('td', text)
  made.className = `number ${name}`
  return made
}

function timeCell(time, share) {
  const made = element('td')
  made.className = 'time'
  const bar = element('div')
  bar.className = 'bar'
  const length = element('i')
  length.style.width = `${(75 * share).toFixed(2)}%`
  bar.append(length, milliseconds(time))
  made.append(bar)
  return made
}

function element(tag, text = '') {
  const made = document.createElement(tag)
  made.textContent = text
  return made
}

const milliseconds = time => `${time.toFixed(time < 1 ? 3 : time < 10 ? 2 : 1)} ms`
const megabytes = bytes => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 1)} MB`
