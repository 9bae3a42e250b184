// Panels of B for the register tile: [ceil(n / gemm_columns)][k][gemm_columns], zeros beyond the last column. Weights are
// packed once a session, products of two activations as they go. Moves every number once; when k is the axis that lies
// contiguously, blocks of four by four are turned in registers.
#pragma once
#include "core/simd.hpp"
#include "core/traits.hpp"
#include "generated/steps.hpp"

namespace ESPALIER_ISA {

using espalier::Context;
using espalier::Range;

// A matrix of k rows and n columns anywhere in memory; strides in elements.
struct GemmMatrix {
  const float* data;
  int64_t row_stride;
  int64_t column_stride;

  GemmMatrix from(int64_t row, int64_t column) const {
    return {data + row * row_stride + column * column_stride, row_stride, column_stride};
  }
};

constexpr int64_t gemm_panels(int64_t n) { return (n + gemm_columns - 1) / gemm_columns; }
// Floats that n columns of length k take as panels.
constexpr int64_t gemm_panel_floats(int64_t k, int64_t n) { return gemm_panels(n) * k * gemm_columns; }

typedef float f32x4 __attribute__((vector_size(16)));
typedef float f32x4_loose __attribute__((vector_size(16), aligned(4), may_alias));

// Four columns of four numbers to four rows.
ESPALIER_INLINE void turn_4x4(const float* first, const float* second, const float* third, const float* fourth, float* to,
                              int64_t to_stride) {
  const auto read = [](const float* p) { return f32x4(*reinterpret_cast<const f32x4_loose*>(p)); };
  const f32x4 a = read(first), b = read(second), c = read(third), d = read(fourth);
  const f32x4 ab0 = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const f32x4 cd0 = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  const auto put = [&](int i, f32x4 v) { *reinterpret_cast<f32x4_loose*>(to + i * to_stride) = v; };
  put(0, __builtin_shufflevector(ab0, cd0, 0, 1, 4, 5));
  put(1, __builtin_shufflevector(ab0, cd0, 2, 3, 6, 7));
  put(2, __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5));
  put(3, __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7));
}
ESPALIER_INLINE void turn_4x4(const float* from, int64_t stride, float* to, int64_t to_stride) {
  turn_4x4(from, from + stride, from + 2 * stride, from + 3 * stride, to, to_stride);
}

// The other way for as many columns as a vector has lanes: four numbers each, `stride` apart, to four vectors.
ESPALIER_INLINE void turn_columns(const float* from, int64_t stride, f32v (&to)[4]) {
#if defined(__AVX2__)
  // Each quarter of a vector is turned as four by four.
  const auto fours = [&](int first) __attribute__((always_inline)) {
    const float* p = from + first * stride;
#if defined(__AVX512F__)
    __m512 v = _mm512_castps128_ps512(_mm_loadu_ps(p));
    v = _mm512_insertf32x4(v, _mm_loadu_ps(p + 4 * stride), 1);
    v = _mm512_insertf32x4(v, _mm_loadu_ps(p + 8 * stride), 2);
    return (f32v)_mm512_insertf32x4(v, _mm_loadu_ps(p + 12 * stride), 3);
#else
    return (f32v)_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps(p + 4 * stride), 1);
#endif
  };
#else
  const auto fours = [&](int first) __attribute__((always_inline)) { return load(from + first * stride); };
#endif
  const f32v a = fours(0), b = fours(1), c = fours(2), d = fours(3);
#if defined(__AVX512F__)
  const __m512d ab0 = (__m512d)_mm512_unpacklo_ps((__m512)a, (__m512)b), ab2 = (__m512d)_mm512_unpackhi_ps((__m512)a, (__m512)b);
  const __m512d cd0 = (__m512d)_mm512_unpacklo_ps((__m512)c, (__m512)d), cd2 = (__m512d)_mm512_unpackhi_ps((__m512)c, (__m512)d);
  to[0] = (f32v)_mm512_unpacklo_pd(ab0, cd0);
  to[1] = (f32v)_mm512_unpackhi_pd(ab0, cd0);
  to[2] = (f32v)_mm512_unpacklo_pd(ab2, cd2);
  to[3] = (f32v)_mm512_unpackhi_pd(ab2, cd2);
#elif defined(__AVX2__)
  const __m256d ab0 = (__m256d)_mm256_unpacklo_ps((__m256)a, (__m256)b), ab2 = (__m256d)_mm256_unpackhi_ps((__m256)a, (__m256)b);
  const __m256d cd0 = (__m256d)_mm256_unpacklo_ps((__m256)c, (__m256)d), cd2 = (__m256d)_mm256_unpackhi_ps((__m256)c, (__m256)d);
  to[0] = (f32v)_mm256_unpacklo_pd(ab0, cd0);
  to[1] = (f32v)_mm256_unpackhi_pd(ab0, cd0);
  to[2] = (f32v)_mm256_unpacklo_pd(ab2, cd2);
  to[3] = (f32v)_mm256_unpackhi_pd(ab2, cd2);
#else
  const f32v ab0 = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const f32v cd0 = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  to[0] = __builtin_shufflevector(ab0, cd0, 0, 1, 4, 5);
  to[1] = __builtin_shufflevector(ab0, cd0, 2, 3, 6, 7);
  to[2] = __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5);
  to[3] = __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7);
#endif
}

constexpr int64_t pack_rows = 32;

// One panel: `columns` (up to gemm_columns) columns of k rows.
inline void gemm_pack_panel(const GemmMatrix& b, int64_t k, int columns, float* panel) {
  if (b.column_stride == 1) {
    for (int64_t p = 0; p < k; p++) {
      for (int v = 0; v < gemm_columns; v += lanes) {
        const float* from = b.data + p * b.row_stride + v;
        const int left = columns - v;
        store(panel + p * gemm_columns + v, left >= lanes ? load(from) : left > 0 ? load_part(from, left) : f32v{});
      }
    }
    return;
  }
  int done = 0;
  if (b.row_stride == 1) {
    const int64_t k4 = k & ~int64_t(3);
    for (; done + 4 <= columns; done += 4) {
      const float* from = b.data + done * b.column_stride;
      for (int64_t p = 0; p < k4; p += 4) turn_4x4(from + p, b.column_stride, panel + p * gemm_columns + done, gemm_columns);
      for (int64_t p = k4; p < k; p++)
        for (int i = 0; i < 4; i++) panel[p * gemm_columns + done + i] = from[p + i * b.column_stride];
    }
  }
  for (int64_t p = 0; p < k; p++) {
    const float* from = b.data + p * b.row_stride;
    for (int i = done; i < gemm_columns; i++) panel[p * gemm_columns + i] = i < columns ? from[i * b.column_stride] : 0.0f;
  }
}

// Panels of n columns, one behind the other.
inline void gemm_pack(const GemmMatrix& b, int64_t k, int64_t n, float* panels) {
  for (int64_t column = 0; column < n; column += gemm_columns, panels += k * gemm_columns) {
    const int64_t left = n - column;
    gemm_pack_panel(b.from(0, column), k, int(left < gemm_columns ? left : gemm_columns), panels);
  }
}

inline void pack_gemm_f32(const espalier::steps::pack_gemm_f32& s, const Context& c) {
  const float* x = c.at<const float>(s.x);
  float* y = c.at<float>(s.y);
  const int64_t panels = gemm_panels(s.n);
  const Range mine = c.share(panels * s.matrices);
  // Some rows of all panels before the next rows: what is read lies in few pages, and what is written in runs of lines.
  for (int64_t begin = mine.begin; begin < mine.end;) {
    const int64_t matrix = begin / panels, end = (matrix + 1) * panels < mine.end ? (matrix + 1) * panels : mine.end;
    const GemmMatrix b{x + matrix * s.matrixStride, s.rowStride, s.columnStride};
    for (int64_t p = 0; p < s.k; p += pack_rows) {
      const int64_t rows = s.k - p < pack_rows ? s.k - p : pack_rows;
      for (int64_t i = begin; i < end; i++) {
        const int64_t column = (i - matrix * panels) * gemm_columns, left = s.n - column;
        const int columns = int(left < gemm_columns ? left : gemm_columns);
        gemm_pack_panel(b.from(p, column), rows, columns, y + (i * s.k + p) * gemm_columns);
      }
    }
    begin = end;
  }
}

}  // namespace ESPALIER_ISA
