/** Running graphs: executors and what they take and give. */
export * from './diagnose.ts'
export * from './executor.ts'
export * from './executors.ts'
export * from './feed-files.ts'
export { checkFeeds, requiredInputs } from './feeds.ts'
export * from './random-feeds.ts'
export { reference, runReference } from './reference.ts'
