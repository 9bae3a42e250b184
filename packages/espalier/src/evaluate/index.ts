/** What models are worth: accuracy, agreement, bytes and milliseconds. */
export { type LabelledData, type ReadDataOptions, readData } from './data.ts'
export * from './evaluate.ts'
export type { Accuracy, Agreement } from './scores.ts'
