// What becomes of the sums of a matrix product on their way out: y = act(scale * sum + bias_scale * bias + residual). The
// common ends (a bias per column, a residual, relu and clip) happen in registers. Other tiles go through a buffer in the
// first-level cache, so that activations are one small loop instead of an unrolled one in every tile.
#pragma once
#include "gemm_tile.hpp"
#include "math/activation.hpp"

namespace ESPALIER_ISA {

struct GemmOutput {
  float* y;
  int64_t stride;  // elements from row to row
  const float* bias = nullptr;  // of element [i, j]: bias[i * bias_row + j * bias_column]
  int64_t bias_row = 0;
  int64_t bias_column = 0;  // 0 or 1
  const float* residual = nullptr;  // lies as y does
  float scale = 1;
  float bias_scale = 1;
  int32_t activation = activation_none;
  float alpha = 0;
  float beta = 0;

  bool plain() const { return !bias && !residual && scale == 1 && activation == activation_none; }

  // Whether `store` below can do it.
  bool simple() const {
    return scale == 1 && (!bias || (bias_scale == 1 && bias_column == 1 && bias_row == 0)) &&
           activation <= activation_clip;
  }

  // Finishes the first `rows` rows of a tile and all of its columns, in registers. For a simple output only.
  template <int Rows>
  ESPALIER_INLINE void store(GemmTile<Rows>& t, int rows) const {
    if (bias) {
      f32v b[gemm_vectors];
#pragma GCC unroll 4
      for (int v = 0; v < gemm_vectors; v++) b[v] = load(bias + v * lanes);
      t.each([&](int, int v, f32v& s) __attribute__((always_inline)) { s += b[v]; });
    }
    if (residual)
      t.each([&](int r, int v, f32v& s) __attribute__((always_inline)) {
        if (r < rows) s += load(residual + r * stride + v * lanes);
      });
    if (activation != activation_none) {
      const bool clips = activation == activation_clip;
      const f32v lo = splat(clips ? alpha : 0.0f), hi = splat(clips ? beta : __builtin_inff());
      t.each([&](int, int, f32v& s) __attribute__((always_inline)) { s = clip(s, lo, hi); });
    }
    t.each([&](int r, int v, f32v& s) __attribute__((always_inline)) {
      if (r < rows) ESPALIER_ISA::store(y + r * stride + v * lanes, s);
    });
  }

  // The part that begins at an element.
  GemmOutput from(int64_t row, int64_t column) const {
    GemmOutput o = *this;
    o.y += row * stride + column;
    if (bias) o.bias += row * bias_row + column * bias_column;
    if (residual) o.residual += row * stride + column;
    return o;
  }

  // Finishes rows x columns sums, `sums_stride` apart; they may be where they go.
  void finish(const float* sums, int64_t sums_stride, int rows, int64_t columns) const {
    const f32v s = splat(scale), t = splat(bias_scale), a = splat(alpha), b = splat(beta);
    const bool curve = is_curve(activation);
    for (int r = 0; r < rows; r++) {
      const float* bias_at = bias ? bias + r * bias_row : nullptr;
      const f32v bias_all = bias && !bias_column ? splat(*bias_at) : f32v{};
      for (int64_t j = 0; j < columns; j += lanes) {
        const int part = columns - j < lanes ? int(columns - j) : lanes;
        const auto read = [&](const float* p) { return part == lanes ? load(p) : load_part(p, part); };
        f32v v = s * read(sums + r * sums_stride + j);
        if (bias) v += t * (bias_column ? read(bias_at + j) : bias_all);
        if (residual) v += read(residual + r * stride + j);
        if (!curve) v = activate(activation, v, a, b);
        float* to = y + r * stride + j;
        if (part == lanes) ESPALIER_ISA::store(to, v);
        else store_part(to, v, part);
      }
    }
    if (curve) activate_curves(activation, y, rows, stride, columns, a);
  }
};

}  // namespace ESPALIER_ISA
