// What is put into a layer's weight: a pattern and a number format, as `espalier analyze --impose` names them.

/** Shares of zeros that are measured. */
export const SPARSITIES = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99]

/** `impositions` without a sparsity are swept, those of patterns with a sparsity of their own are single points. */
export const series = [
  { name: 'single weights, float32', impositions: ['unstructured'] },
  { name: 'blocks 4x1, float32', impositions: ['4x1'] },
  { name: 'N:M, float32', impositions: ['2:4', '1:4', '1:8'], loose: true },
  { name: 'single weights, int8', impositions: ['unstructured,int8'] },
  { name: 'blocks of four, int8', impositions: ['block4,int8'] },
  { name: 'N:M, int8', impositions: ['2:4,int8', '1:4,int8', '1:8,int8'], loose: true },
]
