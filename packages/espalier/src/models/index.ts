/** Models built by code: something to compress and to run where there is no file at hand, and networks of known checkpoints. */
export * from './cifar-resnet.ts'
export * from './encoder.ts'
