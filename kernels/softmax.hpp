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

// A block of neighbouring columns: whole cache lines of every row, so that memory is read in order.
constexpr int column_block = 16 * lanes;

// Calls f(i, n) for every vector of `width` columns: n of its lanes count, from column i on.
template <class F>
ESPALIER_INLINE void each_vector(int width, const F& f) {
  int i = 0;
  for (; i + lanes <= width; i += lanes) f(i, lanes);
  if (i < width) f(i, width - i);
}
ESPALIER_INLINE f32v get(const float* p, int n) { return n == lanes ? load(p) : load_part(p, n); }
ESPALIER_INLINE void put(float* p, f32v v, int n) { n == lanes ? store(p, v) : store_part(p, v, n); }

inline void columns(const float* x, float* y, int64_t length, int64_t inner, int width, int mode) {
  float about[column_block], total[column_block];
  for (int i = 0; i < column_block; i++) about[i] = -__builtin_inff(), total[i] = 0;
  for (int64_t row = 0; row < length; row++) {
    const float* from = x + row * inner;
    each_vector(width, [&](int i, int n) __attribute__((always_inline)) {
      const f32v most = load(about + i);
      store(about + i, FoldMax::add(most, get(from + i, n), most));
    });
  }
  for (int64_t row = 0; row < length; row++) {
    const float* from = x + row * inner;
    float* to = y + row * inner;
    each_vector(width, [&](int i, int n) __attribute__((always_inline)) {
      const f32v e = exp_flushed(get(from + i, n) - load(about + i));
      if (mode == normal) put(to + i, e, n);
      store(total + i, load(total + i) + e);
    });
  }
  for (int i = 0; i < column_block; i += lanes)
    store(total + i, mode == normal ? 1.0f / load(total + i) : log(load(total + i)));
  for (int64_t row = 0; row < length; row++) {
    const float* from = x + row * inner;
    float* to = y + row * inner;
    each_vector(width, [&](int i, int n) __attribute__((always_inline)) {
      const f32v shift = load(total + i);
      put(to + i, mode == normal ? get(to + i, n) * shift : (get(from + i, n) - load(about + i)) - shift, n);
    });
  }
}

// Lines of up to so many neighbours are turned into columns, so that a vector holds as many lines.
constexpr int64_t short_line = 8;

inline void short_rows(const float* x, float* y, int64_t length, int width, int mode) {
  float block[short_line * column_block];
  for (float& v : block) v = 0;
  for (int j = 0; j < width; j++)
    for (int64_t i = 0; i < length; i++) block[i * column_block + j] = x[j * length + i];
  columns(block, block, length, column_block, width, mode);
  for (int j = 0; j < width; j++)
    for (int64_t i = 0; i < length; i++) y[j * length + i] = block[i * column_block + j];
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
  } else if (inner == 1 && length <= softmax::short_line) {
    const Range mine = c.share(s.outer, softmax::column_block);
    for (int64_t i = mine.begin; i < mine.end; i += softmax::column_block) {
      const int64_t left = mine.end - i;
      const int width = int(left < softmax::column_block ? left : softmax::column_block);
      softmax::short_rows(x + i * length, y + i * length, length, width, s.mode);
    }
  } else if (inner == 1) {
    const Range mine = c.share(s.outer);
    for (int64_t i = mine.begin; i < mine.end; i++) softmax::row(x + i * length, y + i * length, length, s.mode);
  } else {
    const int64_t blocks = (inner + softmax::column_block - 1) / softmax::column_block;
    const Range mine = c.share(int64_t(s.outer) * blocks);
    for (int64_t unit = mine.begin; unit < mine.end; unit++) {
      const int64_t first = unit % blocks * softmax::column_block;
      const int width = int(inner - first < softmax::column_block ? inner - first : softmax::column_block);
      const int64_t start = unit / blocks * length * inner + first;
      softmax::columns(x + start, y + start, length, inner, width, s.mode);
    }
  }
}

}  // namespace ESPALIER_ISA
