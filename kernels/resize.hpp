// Interpolation along one axis from tables of taps, made when the plan is compiled: linear, cubic and antialiased
// resizing alike. Inner axes (channels, or the pixels of a row) are vectors; along the innermost axis itself each
// position is its own small sum. The floor is the memory's bandwidth for inner axes, loads per tap otherwise.
#pragma once
#include "core/bytes.hpp"
#include "generated/steps.hpp"

namespace ESPALIER_ISA {

using espalier::Context;
using espalier::Range;

// One row of `inner` elements as a sum of rows of x.
ESPALIER_INLINE void resample_row(float* y, const float* x, int64_t inner, const int32_t* indices, const float* weights,
                                  int taps) {
  const auto sum_of = [&](int64_t i, auto read) {
    f32v sum{};
    for (int t = 0; t < taps; t++) sum = fma(splat(weights[t]), read(x + indices[t] * inner + i), sum);
    return sum;
  };
  int64_t i = 0;
  for (; i + lanes <= inner; i += lanes) store(y + i, sum_of(i, [](const float* p) { return load(p); }));
  const int rest = int(inner - i);
  if (rest > 0) store_part(y + i, sum_of(i, [&](const float* p) { return load_part(p, rest); }), rest);
}

// The innermost axis, every position with `taps` taps.
template <int taps>
ESPALIER_INLINE void resample_line(float* y, const float* x, int64_t n, const int32_t* indices, const float* weights) {
  for (int64_t j = 0; j < n; j++) {
    float sum = 0;
#pragma GCC unroll 4
    for (int t = 0; t < taps; t++) sum += weights[j * taps + t] * x[indices[j * taps + t]];
    y[j] = sum;
  }
}

inline void resample_f32(const espalier::steps::resample_f32& s, const Context& c) {
  const float* x = c.at<const float>(s.x);
  float* y = c.at<float>(s.y);
  const int32_t* starts = c.at<const int32_t>(s.starts);
  const int32_t* indices = c.at<const int32_t>(s.indices);
  const float* weights = c.at<const float>(s.weights);
  const int64_t input = s.input, output = s.output, inner = s.inner;
  if (inner == 1 && (s.taps == 2 || s.taps == 4)) {
    const Range mine = c.share(s.outer);
    for (int64_t o = mine.begin; o < mine.end; o++)
      if (s.taps == 2) resample_line<2>(y + o * output, x + o * input, output, indices, weights);
      else resample_line<4>(y + o * output, x + o * input, output, indices, weights);
    return;
  }
  const Range mine = c.share(s.outer * output, inner < 16 ? 16 : 1);
  for (int64_t row = mine.begin; row < mine.end; row++) {
    const int64_t o = row / output, j = row % output;
    const int first = starts[j], taps = starts[j + 1] - first;
    const float* from = x + o * input * inner;
    if (taps == 0) {
      fill(y + row * inner, s.outside, inner);
    } else if (inner == 1) {
      float sum = 0;
      for (int t = first; t < first + taps; t++) sum += weights[t] * from[indices[t]];
      y[row] = sum;
    } else {
      resample_row(y + row * inner, from, inner, indices + first, weights + first, taps);
    }
  }
}

}  // namespace ESPALIER_ISA
