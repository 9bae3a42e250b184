// The register tile of float32 matrix products: gemm_rows x gemm_columns sums stay in registers while k runs, so that a
// multiply-add costs no store and a fraction of a load. Matrix products, convolutions (a segment of k per kernel tap)
// and recurrent layers are built on it.
//
// Floor: a step of k is rows * 2 multiply-adds of a vector against rows broadcasts and 2 loads. AVX2: 12 sums + 2 of B +
// 1 of A in 16 registers, 6 cycles at two FMAs a cycle with 8 loads, and more sums than latency (4) * throughput (2).
// AVX-512 and NEON have 32 registers and take 24 + 3 and 16 + 3. WebAssembly engines keep 15 registers for 8 + 2 + 2:
// multiply and add are two instructions there. Measured in the first-level cache: 98 % of the FMA peak with AVX2.
// (Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008; the tile shapes of BLIS.)
//
// Contract
//  * B is packed in panels: panel j is [k][gemm_columns], columns j * gemm_columns and up, zeros beyond the last column.
//  * A is given as one pointer per row, so that rows may lie anywhere. A tile with fewer rows than it was made for
//    repeats a row's pointer and leaves the surplus sums out when it stores.
//  * Every sum adds its products in the order of k, whatever the number of rows of the tile: results are the same bits
//    however a product is cut into tiles.
//
//   GemmTile<gemm_rows> t;
//   t.clear();
//   for (each segment) { t.multiply(rows, k, panel); panel += k * gemm_columns; }   // rows: const float*[gemm_rows]
//   t.store(c, stride);                                                             // or t.each(...)
#pragma once
#include "core/simd.hpp"
#include "core/traits.hpp"

namespace ESPALIER_ISA {

constexpr int gemm_vectors = gemm_columns / lanes;
// Tiles come in two heights: the full one, and half of it for the last rows of a matrix.
constexpr int gemm_half_rows = (gemm_rows + 1) / 2;

// Steps of k in a turn of the loop, as measured: 2 reaches the FMA peak on x86-64 (4 makes GCC move registers about); for
// V8's WebAssembly any unrolling costs spills (1: 64 % of its multiply-add peak, 2 and more: 50 %).
#if defined(__wasm__)
constexpr int gemm_unroll = 1;
#else
constexpr int gemm_unroll = 2;
#endif

// sum += a * b, in place. Left to itself GCC writes into the register of a factor, and moves sums to memory and back.
ESPALIER_INLINE void accumulate(f32v& sum, f32v a, f32v b) {
#if defined(__AVX2__) && !defined(__AVX512F__)
  asm("vfmadd231ps %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b));
#else
  sum = fma(a, b, sum);
#endif
}

// `Vectors` of a panel's columns, the first ones: narrower tiles are for panels whose other columns do not exist.
template <int Rows, int Vectors = gemm_vectors>
struct GemmTile {
  f32v sum[Rows][Vectors];

  // Calls f(row, vector, sum) for every vector of the tile, unrolled: keep f small. The sum may be changed.
  template <class F>
  ESPALIER_INLINE void each(const F& f) {
#pragma GCC unroll 32
    for (int r = 0; r < Rows; r++) {
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; v++) f(r, v, sum[r][v]);
    }
  }

  ESPALIER_INLINE void clear() {
    each([](int, int, f32v& s) __attribute__((always_inline)) { s = f32v{}; });
  }

  // sum[r][:] += rows[r][p] * panel[p][:] for p in 0..k. One call per segment of k; the next one's panel begins at
  // panel + k * gemm_columns.
  ESPALIER_INLINE void multiply(const float* const* rows, int64_t k, const float* panel) {
    const float* a[Rows];
#pragma GCC unroll 32
    for (int r = 0; r < Rows; r++) a[r] = rows[r];
    int64_t p = 0;
    for (; p + gemm_unroll <= k; p += gemm_unroll, panel += gemm_unroll * gemm_columns) {
#pragma GCC unroll 4
      for (int i = 0; i < gemm_unroll; i++) step(a, p + i, panel + i * gemm_columns);
    }
    for (; p < k; p++, panel += gemm_columns) step(a, p, panel);
  }

  // Whole tiles from and to a row-major matrix: Rows rows of Vectors vectors.
  ESPALIER_INLINE void load(const float* c, int64_t stride) {
    each([&](int r, int v, f32v& s) __attribute__((always_inline)) {
      s = ESPALIER_ISA::load(c + r * stride + v * lanes);
    });
  }
  ESPALIER_INLINE void store(float* c, int64_t stride) {
    each([&](int r, int v, f32v& s) __attribute__((always_inline)) {
      ESPALIER_ISA::store(c + r * stride + v * lanes, s);
    });
  }

  // One step of k.
  ESPALIER_INLINE void step(const float* const (&a)[Rows], int64_t p, const float* panel) {
    f32v b[Vectors];
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; v++) b[v] = ESPALIER_ISA::load(panel + v * lanes);
#pragma GCC unroll 32
    for (int r = 0; r < Rows; r++) {
      const f32v x = splat(a[r][p]);
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; v++) accumulate(sum[r][v], x, b[v]);
    }
  }
};

}  // namespace ESPALIER_ISA
