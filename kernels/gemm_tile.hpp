// The register tile of float32 matrix products: gemm_rows x gemm_columns sums stay in registers while k runs, so that a
// multiply-add costs no store and a fraction of a load. Matrix products, convolutions (a segment of k per kernel tap)
// and recurrent layers are built on it.
//
// Floor: a step of k is rows * 2 multiply-adds of a vector against rows broadcasts and 2 loads. AVX2: 12 sums + 2 of B +
// 1 of A in 16 registers, 6 cycles at two FMAs a cycle with 8 loads, and more sums than latency (4) * throughput (2).
// AVX-512 and NEON have 32 registers and take 24 + 3 and 16 + 3. WebAssembly engines keep 15 registers for 10 + 2 + 1 + 1
// (the product): multiply and add are two instructions there, and what counts is how many there are besides.
// Measured in the first-level cache: 98 % of the FMA peak with AVX2.
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

// Steps of k in a turn of the loop, as measured: 2 reaches the FMA peak on x86-64 (4 makes GCC move registers about).
constexpr int gemm_unroll = 2;

// Keeps loads and stores in the order they are written in, where that decides how good the machine code is (below).
#if defined(__wasm__)
#define ESPALIER_IN_ORDER asm volatile("" ::: "memory")
#else
#define ESPALIER_IN_ORDER
#endif

#if defined(__wasm__)

// WebAssembly: engines compile this once more, and V8's choice of order decides whether the tile stays in registers.
// What it takes, seen in its machine code (V8 11.3; 82 % of its multiply-add peak, 50 to 64 % without):
//  * a function of its own with one loop: V8 unrolls loops that are nested, and then loads all of a turn's operands
//    before it uses the first. Sums come and go through memory, which a segment of k pays once;
//  * loads in the order in which sums are stored at the end, since it orders a turn backwards from there;
//  * offsets that are constants, so that they become part of the load (-disable-lsr in scripts/build-wasm.mjs).
// 4 x 8, 3 x 12, 2 x 16 and 8 x 4 are slower by 2 to 20 %, all with two steps in a turn by 15 % and more.

// Rows where they lie, and rows that are packed as [k][Rows]: those save an instruction a row.
template <int Rows>
struct GemmRows {
  const float* at[Rows];
  int32_t p = 0;
  ESPALIER_INLINE float get(int r) const { return at[r][p]; }
  ESPALIER_INLINE void next() { p++; }
};
template <int Rows>
struct GemmPackedRows {
  const float* at;
  ESPALIER_INLINE float get(int r) const { return at[r]; }
  ESPALIER_INLINE void next() { at += Rows; }
};

template <int Rows, int Vectors, class A>
ESPALIER_INLINE void gemm_multiply(f32v (&sums)[Rows][Vectors], A a, int32_t k, const float* panel) {
  f32v sum[Rows][Vectors];
#pragma GCC unroll 32
  for (int r = 0; r < Rows; r++)
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; v++) sum[r][v] = sums[r][v];
  const float* end = panel + k * gemm_columns;
  for (; panel != end; panel += gemm_columns, a.next()) {
    f32v b[Vectors];
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; v++) {
      b[v] = load(panel + v * lanes);
      ESPALIER_IN_ORDER;
    }
#pragma GCC unroll 32
    for (int r = 0; r < Rows; r++) {
      const f32v x = splat(a.get(r));
      ESPALIER_IN_ORDER;
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; v++) sum[r][v] = fma(x, b[v], sum[r][v]);
    }
  }
#pragma GCC unroll 32
  for (int r = 0; r < Rows; r++)
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; v++) {
      ESPALIER_IN_ORDER;
      sums[r][v] = sum[r][v];
    }
}

template <int Rows, int Vectors>
__attribute__((noinline)) void gemm_multiply_rows(f32v (&sums)[Rows][Vectors], const float* const* rows, int32_t k,
                                                  const float* panel) {
  GemmRows<Rows> a;
#pragma GCC unroll 32
  for (int r = 0; r < Rows; r++) a.at[r] = rows[r];
  gemm_multiply<Rows, Vectors>(sums, a, k, panel);
}
template <int Rows, int Vectors>
__attribute__((noinline)) void gemm_multiply_packed(f32v (&sums)[Rows][Vectors], const float* a, int32_t k,
                                                    const float* panel) {
  gemm_multiply<Rows, Vectors>(sums, GemmPackedRows<Rows>{a}, k, panel);
}

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
#if defined(__wasm__)
    gemm_multiply_rows<Rows>(sum, rows, int32_t(k), panel);
#else
    const float* a[Rows];
#pragma GCC unroll 32
    for (int r = 0; r < Rows; r++) a[r] = rows[r];
    int64_t p = 0;
    for (; p + gemm_unroll <= k; p += gemm_unroll, panel += gemm_unroll * gemm_columns) {
#pragma GCC unroll 4
      for (int i = 0; i < gemm_unroll; i++) step(a, p + i, panel + i * gemm_columns);
    }
    for (; p < k; p++, panel += gemm_columns) step(a, p, panel);
#endif
  }

#if defined(__wasm__)
  // The same with rows that are packed as [k][Rows].
  ESPALIER_INLINE void multiply_packed(const float* a, int64_t k, const float* panel) {
    gemm_multiply_packed<Rows>(sum, a, int32_t(k), panel);
  }
#endif

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
