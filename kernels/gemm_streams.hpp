// Sums of products of few rows with long panels, which are bound by reading the panels. Each panel is a stream of memory,
// and several draw more from it (one thread of AVX2, measured: 16 GB/s from one, 20 from four; prefetching made it slower).
// They also make sums enough to hide the latency of the multiply-add. Every sum adds its products in the order of k.
#pragma once
#include "gemm_tile.hpp"

namespace ESPALIER_ISA {

// Streams that keep about as many sums under way as the machine takes.
constexpr int gemm_streams_for(int sums) { return sums >= 8 ? 1 : 8 / sums; }

// sums[r][i][v] += a[r * a_stride + p] * from[i][p][v] for p in 0..k; a step of a stream is Vectors vectors.
template <int Rows, int Streams, int Vectors>
#if defined(__wasm__)
__attribute__((noinline)) void  // as the tile's
#else
ESPALIER_INLINE void
#endif
gemm_streams(f32v (&sums)[Rows][Streams][Vectors], const float* a, int64_t a_stride, const float* const (&from)[Streams],
             int64_t k) {
  const float* at[Rows];
#pragma GCC unroll 8
  for (int r = 0; r < Rows; r++) at[r] = a + r * a_stride;
  const float* panel[Streams];
#pragma GCC unroll 8
  for (int i = 0; i < Streams; i++) panel[i] = from[i];
  f32v sum[Rows][Streams][Vectors];
#pragma GCC unroll 8
  for (int r = 0; r < Rows; r++)
#pragma GCC unroll 8
    for (int i = 0; i < Streams; i++)
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; v++) sum[r][i][v] = sums[r][i][v];
  for (ptrdiff_t p = 0; p < ptrdiff_t(k); p++) {
    f32v x[Rows];
#pragma GCC unroll 8
    for (int r = 0; r < Rows; r++) {
      x[r] = splat(at[r][p]);
      ESPALIER_IN_ORDER;
    }
#pragma GCC unroll 8
    for (int i = 0; i < Streams; i++) {
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; v++) {
        const f32v b = load(panel[i] + v * lanes);
        ESPALIER_IN_ORDER;
#pragma GCC unroll 8
        for (int r = 0; r < Rows; r++) sum[r][i][v] = fma(x[r], b, sum[r][i][v]);
      }
      panel[i] += Vectors * lanes;
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < Streams; i++)
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; v++)
#pragma GCC unroll 8
      for (int r = 0; r < Rows; r++) {
        ESPALIER_IN_ORDER;
        sums[r][i][v] = sum[r][i][v];
      }
}

}  // namespace ESPALIER_ISA
