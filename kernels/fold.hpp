// Folding a run of numbers to one: what reductions, softmax and the norms have in common. Sums run in float32 vectors
// over chunks of a few hundred elements and in float64 over the chunks, so that a million elements cost no accuracy.
#pragma once
#include "core/simd.hpp"
#include "math/exp.hpp"

namespace ESPALIER_ISA {

// A fold has a neutral element, `add` for one more vector of elements (`about` is a number that the fold is relative to,
// where it is), `join` for two accumulators, and `merge` for results of chunks.
struct FoldSum {
  static constexpr float neutral = 0;
  static constexpr bool of_exponentials = false;
  static ESPALIER_INLINE f32v add(f32v sum, f32v x, f32v) { return sum + x; }
  static ESPALIER_INLINE f32v join(f32v a, f32v b) { return a + b; }
  static ESPALIER_INLINE double merge(double a, double b) { return a + b; }
};
struct FoldAbsolutes : FoldSum {
  static ESPALIER_INLINE f32v add(f32v sum, f32v x, f32v) { return sum + abs(x); }
};
// Squares of distances from `about`.
struct FoldSquares : FoldSum {
  static ESPALIER_INLINE f32v add(f32v sum, f32v x, f32v about) { return fma(x - about, x - about, sum); }
};
struct FoldExponentials : FoldSum {
  static constexpr bool of_exponentials = true;
  static ESPALIER_INLINE f32v add(f32v sum, f32v x, f32v about) { return sum + exp(x - about); }
};
struct FoldProduct {
  static constexpr float neutral = 1;
  static constexpr bool of_exponentials = false;
  static ESPALIER_INLINE f32v add(f32v product, f32v x, f32v) { return product * x; }
  static ESPALIER_INLINE f32v join(f32v a, f32v b) { return a * b; }
  static ESPALIER_INLINE double merge(double a, double b) { return a * b; }
};
// The largest; a NaN wins and stays.
struct FoldMax {
  static constexpr float neutral = -__builtin_inff();
  static constexpr bool of_exponentials = false;
  static ESPALIER_INLINE f32v add(f32v most, f32v x, f32v) { return select(x == x, max(x, most), x); }
  static ESPALIER_INLINE f32v join(f32v a, f32v b) { return add(a, b, a); }
  static ESPALIER_INLINE double merge(double a, double b) { return b > a || b != b ? b : a; }
};
struct FoldMin {
  static constexpr float neutral = __builtin_inff();
  static constexpr bool of_exponentials = false;
  static ESPALIER_INLINE f32v add(f32v least, f32v x, f32v) { return select(x == x, min(x, least), x); }
  static ESPALIER_INLINE f32v join(f32v a, f32v b) { return add(a, b, a); }
  static ESPALIER_INLINE double merge(double a, double b) { return b < a || b != b ? b : a; }
};

constexpr int64_t fold_chunk = 128 * lanes;

// n neighbours. Four accumulators hide the latency of an addition.
template <class F>
__attribute__((noinline)) double fold(const float* x, int64_t n, float relative = 0) {
  const f32v about = splat(relative);
  double total = F::neutral;
  for (; n > 0; x += fold_chunk, n -= fold_chunk) {
    const int64_t count = n < fold_chunk ? n : fold_chunk;
    f32v a = splat(F::neutral), b = a, c = a, d = a;
    int64_t i = 0;
    for (; i + 4 * lanes <= count; i += 4 * lanes) {
      a = F::add(a, load(x + i), about);
      b = F::add(b, load(x + i + lanes), about);
      c = F::add(c, load(x + i + 2 * lanes), about);
      d = F::add(d, load(x + i + 3 * lanes), about);
    }
    for (; i + lanes <= count; i += lanes) a = F::add(a, load(x + i), about);
    if (i < count) {
      const int rest = int(count - i);
      b = select(iota() < splat(int32_t(rest)), F::add(b, load_part(x + i, rest), about), b);
    }
    a = F::join(F::join(a, b), F::join(c, d));
    for (int lane = 0; lane < lanes; lane++) total = F::merge(total, a[lane]);
  }
  return total;
}

ESPALIER_INLINE float scalar_sqrt(float x) { return sqrt(splat(x))[0]; }

}  // namespace ESPALIER_ISA
