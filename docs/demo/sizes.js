/** The models to choose from: options of the encoder that is built by code. */
export const sizes = {
  tiny: { title: 'tiny: 2 layers, 128 wide', layers: 2, width: 128, heads: 2, tokens: 64 },
  small: { title: 'small: 4 layers, 256 wide', layers: 4, width: 256, heads: 4, tokens: 64 },
  medium: { title: 'medium: 6 layers, 512 wide', layers: 6, width: 512, heads: 8, tokens: 128 },
  large: { title: "large: 4 of BERT-base's 12 layers", layers: 4, width: 768, heads: 12, tokens: 128 },
  base: {
    title: 'BERT-base: 12 layers, 340 MB',
    layers: 12,
    width: 768,
    heads: 12,
    tokens: 128,
  },
}
