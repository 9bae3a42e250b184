// Softmax, its logarithm and the indicator of the largest, along the middle axis of [outer, length, inner]. Floor: one
// exponential an element (about ten operations), and memory once in and once out, since a row (or a block of columns)
// stays in the first-level cache between its passes. As in NumPy, a line with NaN or plus infinity, and one of nothing
// but minus infinities, gives NaN: that falls out of the arithmetic.
#pragma once
#include "fold.hpp"
#include "generated/steps.hpp"
#include "math/log.hpp"

namespace ESPALIER_ISA {

using espalier::Context;
using espalier::Range;

namespace softmax {

// `mode`, as in plan/steps/softmax.ts.
enum { normal, logarithm, hard };

// y = f(x) over n neighbours.
template <class F>
ESPALIER_INLINE void map(const float* x, float* y, int64_t n, const F& f) {
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) store(y + i, f(load(x + i)));
  if (i < n) store_part(y + i, f(load_part(x + i, int(n - i))), int(n - i));
}

inline void row(const float* x, float* y, int64_t n, int mode) {
  const float largest = float(fold<FoldMax>(x, n));
  const f32v about = splat(largest);
  if (mode == logarithm) {
    const f32v shift = log(splat(float(fold<FoldExponentials>(x, n, largest))));
    return map(x, y, n, [&](f32v v) __attribute__((always_inline)) { return (v - about) - shift; });
  }
  double total = 0;
  for (int64_t at = 0; at < n; at += fold_chunk) {
    const int64_t end = at + fold_chunk < n ? at + fold_chunk : n;
    f32v a{}, b{};
    int64_t i = at;
    for (; i + 2 * lanes <= end; i += 2 * lanes) {
      const f32v first = exp_flushed(load(x + i) - about), second = exp_flushed(load(x + i + lanes) - about);
      store(y + i, first);
      store(y + i + lanes, second);
      a += first;
      b += second;
    }
    for (; i < end; i += lanes) {
      const int rest = end - i < lanes ? int(end - i) : lanes;
      const f32v last = exp_flushed(load_part(x + i, rest) - about);
      store_part(y + i, last, rest);
      a += select(iota() < splat(int32_t(rest)), last, f32v{});
    }
    total += double(sum(a + b));
  }
  const f32v inverse = splat(float(1 / total));
  map(y, y, n, [&](f32v v) __attribute__((always_inline)) { return v * inverse; });
}

// The first largest, NaN counting as such, of elements `step` apart.
inline int64_t first_largest(const float* x, int64_t n, int64_t step) {
  int64_t best = 0;
  for (int64_t i = 1; i < n; i++) {
    const float value = x[i * step], most = x[best * step];
    if (value > most || (value != value && most == most)) best = i;
  }
  return best;
}

// A block of neighbouring columns, as wide as fits the first-level cache for common lengths.
constexpr int column_vectors = 8;
constexpr int column_block = column_vectors * lanes;

inline void columns(const float* x, float* y, int64_t length, int64_t inner, int64_t width, int mode) {
  for (int64_t at = 0; at < width; at += lanes) {
    const int n = width - at < lanes ? int(width - at) : lanes;
    const bool whole = n == lanes;
    auto get = [&](const float* p) { return whole ? load(p) : load_part(p, n); };
    auto put = [&](float* p, f32v v) { whole ? store(p, v) : store_part(p, v, n); };
    const float* from = x + at;
    float* to = y + at;
    f32v about = splat(-__builtin_inff());
    for (int64_t i = 0; i < length; i++) about = FoldMax::add(about, get(from + i * inner), about);
    f32v total{};
    for (int64_t i = 0; i < length; i++) {
      const f32v e = exp_flushed(get(from + i * inner) - about);
      if (mode == normal) put(to + i * inner, e);
      total += e;
    }
    const f32v shift = mode == normal ? 1.0f / total : log(total);
    for (int64_t i = 0; i < length; i++)
      put(to + i * inner, mode == normal ? get(to + i * inner) * shift : (get(from + i * inner) - about) - shift);
  }
}

}  // namespace softmax

inline void softmax_f32(const espalier::steps::softmax_f32& s, const Context& c) {
  const float* x = c.at<const float>(s.x);
  float* y = c.at<float>(s.y);
  const int64_t length = s.length, inner = s.inner;
  if (length == 0 || inner == 0) return;
  if (s.mode == softmax::hard) {
    const Range mine = c.share(int64_t(s.outer) * inner);
    for (int64_t line = mine.begin; line < mine.end; line++) {
      const int64_t start = line / inner * length * inner + line % inner;
      for (int64_t i = 0; i < length; i++) y[start + i * inner] = 0;
      y[start + softmax::first_largest(x + start, length, inner) * inner] = 1;
    }
  } else if (inner == 1) {
    const Range mine = c.share(s.outer);
    for (int64_t i = mine.begin; i < mine.end; i++) softmax::row(x + i * length, y + i * length, length, s.mode);
  } else {
    const int64_t blocks = (inner + softmax::column_block - 1) / softmax::column_block;
    const Range mine = c.share(int64_t(s.outer) * blocks);
    for (int64_t unit = mine.begin; unit < mine.end; unit++) {
      const int64_t first = unit % blocks * softmax::column_block;
      const int64_t width = inner - first < softmax::column_block ? inner - first : softmax::column_block;
      const int64_t start = unit / blocks * length * inner + first;
      softmax::columns(x + start, y + start, length, inner, width, s.mode);
    }
  }
}

}  // namespace ESPALIER_ISA
