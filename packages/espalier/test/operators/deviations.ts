/**
 * Where onnxruntime does something other than the specification, and we follow the specification. Every entry has to
 * explain a difference that is there: one that explains nothing any more fails the suite.
 */
export interface Deviation {
  /** Matched with the title of the case and what differs: `TITLE: WHAT`. */
  readonly cases: RegExp
  readonly why: string
}

export const deviations: readonly Deviation[] = [
  { cases: /^Sign-.*float16.*got NaN/, why: 'NaN has no sign; only the 16-bit kernels make it 0.' },
  {
    cases: /^Shrink-9\(u?int32\[40\]\)/,
    why: 'Integers go through float32, and lambd is negated as an unsigned integer.',
  },
  { cases: /^Clip-.*=NaN.*got NaN/, why: 'A bound that is NaN makes everything NaN, as Min and Max do.' },
  {
    cases: /^Clip-.*float16\[20\], -, -\).*wanted Infinity/,
    why: 'Without bounds, they are the ends of the data type, and an infinity becomes one; not here with 16 bits.',
  },
  {
    cases: /^Reduce(Max|Min)-.*got NaN/,
    why: 'The extreme of values among which is a NaN is NaN, as in Max and Min; here it depends on their order.',
  },
  {
    cases: /^Arg(Max|Min)-13\(float32\[4,5\]\) axis=1/,
    why: 'NaN counts as the extreme in NumPy, which ONNX follows; here it depends on the order.',
  },
  {
    cases: /^ReduceMean-.*got NaN, wanted 0$/,
    why: 'The mean of nothing is undefined: 0 here, NaN in NumPy, which ONNX follows.',
  },
  {
    cases: /^ReduceLogSumExp-\d+\(u?int/,
    why: 'Exponentials of integers are rounded to integers before they are summed.',
  },
  {
    cases: /^ReduceLogSumExp-18\(float16.*wanted Infinity/,
    why: 'Exponentials overflow where their logarithm does not.',
  },
  { cases: /^ReduceLogSumExp-.*got NaN, wanted Infinity/, why: 'An infinity hides a NaN beside it.' },
  {
    cases: /^Reduce(Max|Min)-20\(bool\[0,2\].*the peer refuses/,
    why: 'Extremes of no booleans are refused; ONNX names them: the ends of the data type.',
  },
  {
    cases: /^Arg(Max|Min)-.*\[0,2\].*keepdims=0/,
    why: 'For an empty tensor the shape of the input is given, whatever keepdims says.',
  },
  {
    cases: /^NonZero-.*\[\]=\d\): output0: got/,
    why: 'A scalar is taken as a tensor of one axis, as NumPy once did; ONNX asks for no axis.',
  },
  { cases: /^LRN-.*the peer refuses/, why: 'Only 4-D tensors and odd sizes are implemented.' },
  {
    cases: /^Cast(Like)?-.*saturate=0/,
    why: 'Without saturation, what rounds beyond the largest number is NaN in E4M3FN and infinity in E5M2.',
  },
  {
    cases: /^Cast-2\d\(.*to=24/,
    why: 'Negative numbers are unspecified: NaN in ONNX and here the smallest power.',
  },
  {
    cases: /^Cast-2\d\(.*float.*to=(21|22|25|26): output0: element/,
    why: 'Numbers are rounded to the small integers, and truncated to all other integers; ONNX truncates to all.',
  },
  {
    cases: /^Cast-\d+\(.*(float|bool).*to=8/,
    why: 'Text is formatted as C++ does; ONNX has the texts of Python.',
  },
  {
    cases: /^MatMul-.*uint(32|64)\[2,0\].*the peer refuses/,
    why: 'An empty product of unsigned integers fails.',
  },
  { cases: /^Gemm-.*\[2,0\].* beta=2/, why: 'Where the product is empty, beta is forgotten.' },
  {
    cases: /^MatMulInteger-.*the peer refuses/,
    why: 'Only one zero point for the whole of A is implemented.',
  },
  {
    cases: /^ConvTranspose-.*strides=3,3 auto_pad=SAME_UPPER/,
    why: 'SAME asks for an output of input times stride, also where the kernel is narrower than the stride.',
  },
  {
    cases: /^(Max|Average|Lp)Pool-.*auto_pad=SAME.*padding values must be non-negative/,
    why: 'SAME fails where the window is narrower than the stride and nothing is padded.',
  },
  {
    cases: /^(Max|Average|Lp)Pool-.*dilations=.*auto_pad=SAME/,
    why: 'SAME forgets the dilation, so that the output is smaller than input by stride.',
  },
  {
    cases: /^MaxUnpool-.*=1,1,5,5\)/,
    why: 'Indices are counted in output_shape; in ONNX they count in the shape that the attributes give.',
  },
  {
    cases: /^QuantizeLinear-.*float8.*: output0/,
    why: 'The zero point of float8 is ignored; the formula adds it for every type.',
  },
  {
    cases: /^QuantizeLinear-.*float16\[3\].*: output0/,
    why: 'The division is done in float32; its precision is that of the scale, float16.',
  },
  {
    cases: /^QLinear(Conv|MatMul)-.*output0: element/,
    why: 'Sums are scaled in float32, where a number close to a tie becomes one.',
  },
  { cases: /^QuantizeLinear-2\d\(float32.* precision=10/, why: 'The attribute precision is ignored.' },
  {
    cases: /^QuantizeLinear-2\d\(float16.*, float32\[\]=2\).*the peer refuses/,
    why: 'An input and a scale of different types are let in and then refused.',
  },
  {
    cases: /^DequantizeLinear-.*output_dtype=10.*the peer refuses/,
    why: 'The attribute output_dtype is let in and then fails.',
  },
  {
    cases: /^DynamicQuantizeLinear-.*output1: element 0: got 0, wanted 1/,
    why: 'Where all is zero the scale is 1; the formula of the specification makes it 0.',
  },
  { cases: /^Reshape-.*\[2,0,3\].*allowzero=1: we refuse/, why: 'A 0 that is kept beside a -1 is invalid.' },
  {
    cases: /^Squeeze-.*\[1,3,1,2\], int64\[0\]=\)/,
    why: 'An empty list of axes names none; only without a list are all axes of extent 1 removed.',
  },
  { cases: /^Gather-.*\(string/, why: 'Of every slice of strings only the first element is copied.' },
  { cases: /^Pad-.*float32\[\].*the peer refuses/, why: 'A scalar cannot be padded, not even by nothing.' },
  {
    cases: /^Pad-.*mode=reflect: the peer refuses/,
    why: 'Reflection goes on from end to end in NumPy, which ONNX follows; here it may not pass the other end.',
  },
  {
    cases: /^Pad-.*0,9,1,7\) mode=wrap/,
    why: 'Wrapping around more than once reads what is not in the tensor.',
  },
  {
    cases: /^(Resize|Upsample)-\d+\(u?int.*mode=(linear|cubic)/,
    why: 'Interpolated integers are truncated, and with antialias rounded axis by axis; ONNX rounds them once.',
  },
  {
    cases: /^Resize-.*float32\[4\]\).*align_corners/,
    why: 'With a fractional scale, align_corners takes the rounded length; the cases of ONNX take the one that the scale asks for.',
  },
  {
    cases: /^Resize-19.*half_pixel_symmetric nearest_mode=floor/,
    why: 'A position that is whole falls below it in float32.',
  },
  {
    cases: /^Resize-.*axes=3,2 coordinate_transformation_mode=tf_crop_and_resize/,
    why: 'An axis whose extent stays is not cropped.',
  },
  {
    cases: /^AffineGrid-.*=1,1,1,1\) align_corners=1/,
    why: 'The only pixel of an axis is at the end of the range here, at its beginning with us; the step between pixels divides by zero.',
  },
  { cases: /^STFT-.*\[1,20,2\]/, why: 'Complex signals with a window read what is not in the tensor.' },
  {
    cases: /^(Hann|Hamming|Blackman)Window-.*=1\) .*periodic=0.*got 1, wanted NaN/,
    why: 'A symmetric window of one sample is 0 / 0; we say 1, as signal libraries do.',
  },
  { cases: /^BlackmanWindow-.*output_datatype=11/, why: 'A window of doubles is computed in float32.' },
  {
    cases: /^RNN-.*activations=(Affine|ThresholdedRelu|ScaledTanh): /,
    why: 'Without an alpha these activations are constants; we take 1, as the operators of these names do.',
  },
  {
    cases: /^LSTM-.*clip=/,
    why: 'clip bounds the inputs of all activations; here the cell state goes to the last one as it is.',
  },
  {
    cases: /^Attention-.*qk_matmul_output_mode=2 is_causal=1.*got -Infinity/,
    why: 'What causality hides is the lowest number instead of minus infinity.',
  },
  {
    cases: /^Attention-.*float32\[4,4\].*the peer refuses/,
    why: 'A mask shorter than the keys, which operator set 24 allows, is refused.',
  },
  {
    cases: /^SplitToSequence-.*keepdims=0: the peer refuses/,
    why: 'keepdims is not ignored where the input split is given.',
  },
  {
    cases: /^StringSplit-.*output1: element \d: got 1, wanted 0/,
    why: 'An empty string has no parts; between delimiters, Python and ONNX count an empty one.',
  },
  { cases: /^LabelEncoder-2\(.*NaN/, why: 'The key NaN is not found in operator set 2; ONNX compares bits.' },
  {
    cases: /^TreeEnsembleRegressor-.*BRANCH_NEQ/,
    why: 'A missing value passes the test "not equal"; ONNX sends it where nodes_missing_value_tracks_true says.',
  },
  {
    cases: /^TreeEnsembleRegressor-.*base_values=/,
    why: 'The base value is left out for targets that no leaf votes for.',
  },
  {
    cases: /^TreeEnsembleClassifier-.*post_transform=SOFTMAX/,
    why: 'For two classes of which one has the votes no softmax is computed.',
  },
  {
    cases: /^TreeEnsembleClassifier-.*got 4, wanted 1$/,
    why: 'For two classes that both have votes, 0 or 1 is given instead of the label, by the score of the second alone.',
  },
  {
    cases: /^TreeEnsemble-5.*post_transform=1/,
    why: 'The softmax of a target that no leaf votes for is 0.5, and the sum is above 1.',
  },
  {
    cases: /^Dropout-10.*output1/,
    why: 'In inference the mask of operator set 10 says that everything is dropped.',
  },
  {
    cases: /^Attention-25.*window_size=.*the peer refuses/,
    why: 'A window beside a cache makes an invalid model of the function that stands for the operator.',
  },
]
