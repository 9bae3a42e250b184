/** Running graphs: executors and what they take and give. */
export * from './executor.ts'
export { checkFeeds, requiredInputs } from './feeds.ts'
export { reference, runReference } from './reference.ts'
