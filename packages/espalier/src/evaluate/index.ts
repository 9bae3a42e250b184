/** What models are worth: accuracy, agreement, bytes and milliseconds. */
export * from './data.ts'
export * from './evaluate.ts'
export type { Accuracy, Agreement } from './scores.ts'
