// The vector type that kernels are written on: as wide as the machine that the translation unit is compiled for, through
// the vector extensions of GCC and Clang, with intrinsics only where those have no word for it. Everything lives in
// namespace ESPALIER_ISA, so that variants of one kernel sit side by side in a binary.
#pragma once
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#elif defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif

#ifndef ESPALIER_ISA
#error "compile through a file of isa/"
#endif

#define ESPALIER_INLINE inline __attribute__((always_inline))

namespace ESPALIER_ISA {

#if defined(__AVX512F__)
constexpr int lanes = 16;  // float32 lanes of a vector
constexpr int registers = 32;
#elif defined(__AVX2__)
constexpr int lanes = 8;
constexpr int registers = 16;
#elif defined(__aarch64__)
constexpr int lanes = 4;
constexpr int registers = 32;
#else
constexpr int lanes = 4;  // WebAssembly: engines map its locals to the 16 registers of x86-64, or the 32 of Arm
constexpr int registers = 16;
#endif
constexpr int vector_bytes = lanes * 4;

typedef float f32v __attribute__((vector_size(vector_bytes)));
typedef int32_t i32v __attribute__((vector_size(vector_bytes)));
typedef uint32_t u32v __attribute__((vector_size(vector_bytes)));
typedef float f32v_loose __attribute__((vector_size(vector_bytes), aligned(4), may_alias));
typedef int32_t i32v_loose __attribute__((vector_size(vector_bytes), aligned(4), may_alias));

ESPALIER_INLINE f32v load(const float* p) { return *reinterpret_cast<const f32v_loose*>(p); }
ESPALIER_INLINE i32v load(const int32_t* p) { return *reinterpret_cast<const i32v_loose*>(p); }
ESPALIER_INLINE void store(float* p, f32v v) { *reinterpret_cast<f32v_loose*>(p) = v; }
ESPALIER_INLINE void store(int32_t* p, i32v v) { *reinterpret_cast<i32v_loose*>(p) = v; }
ESPALIER_INLINE f32v splat(float x) { return x - f32v{}; }
ESPALIER_INLINE i32v splat(int32_t x) { return x - i32v{}; }

ESPALIER_INLINE f32v as_f32(i32v v) { return (f32v)v; }
ESPALIER_INLINE i32v as_i32(f32v v) { return (i32v)v; }

// mask: all bits set or none in each lane, as comparisons give.
ESPALIER_INLINE f32v select(i32v mask, f32v a, f32v b) { return mask ? a : b; }
ESPALIER_INLINE i32v select(i32v mask, i32v a, i32v b) { return mask ? a : b; }

// Four numbers again and again, and one of them (of a constant number) in all lanes: a shuffle, where a number of its own
// would be another load.
ESPALIER_INLINE f32v load_fours(const float* p) {
#if defined(__AVX512F__)
  return (f32v)_mm512_broadcast_f32x4(_mm_loadu_ps(p));
#elif defined(__AVX2__)
  return (f32v)_mm256_broadcast_ps(reinterpret_cast<const __m128*>(p));
#else
  return load(p);
#endif
}
ESPALIER_INLINE f32v spread_of_fours(f32v v, int which) {
#if defined(__AVX512F__)
#define ESPALIER_SPREAD(i) (f32v) _mm512_permute_ps((__m512)v, 0x55 * i)
#elif defined(__AVX2__)
#define ESPALIER_SPREAD(i) (f32v) _mm256_permute_ps((__m256)v, 0x55 * i)
#else
#define ESPALIER_SPREAD(i) __builtin_shufflevector(v, v, i, i, i, i)
#endif
  return which == 0 ? ESPALIER_SPREAD(0) : which == 1 ? ESPALIER_SPREAD(1) : which == 2 ? ESPALIER_SPREAD(2) : ESPALIER_SPREAD(3);
#undef ESPALIER_SPREAD
}

// Lane numbers 0, 1, 2...
ESPALIER_INLINE i32v iota() {
  i32v v{};
  for (int i = 0; i < lanes; i++) v[i] = i;
  return v;
}

// a * b + c: fused where the machine can, rounded twice in plain WebAssembly.
ESPALIER_INLINE f32v fma(f32v a, f32v b, f32v c) {
#if defined(__AVX512F__)
  return (f32v)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__AVX2__)
  return (f32v)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__aarch64__)
  return (f32v)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#elif defined(__wasm_relaxed_simd__)
  return (f32v)wasm_f32x4_relaxed_madd((v128_t)a, (v128_t)b, (v128_t)c);
#else
  return a * b + c;
#endif
}

// Larger and smaller of each lane. A NaN in `a` gives b, one in `b` gives b: callers that must keep NaN say so.
ESPALIER_INLINE f32v max(f32v a, f32v b) {
#if defined(__AVX512F__)
  return (f32v)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined(__AVX2__)
  return (f32v)_mm256_max_ps((__m256)a, (__m256)b);
#elif defined(__wasm_simd128__)
  return (f32v)wasm_f32x4_pmax((v128_t)b, (v128_t)a);
#else
  return a > b ? a : b;
#endif
}
ESPALIER_INLINE f32v min(f32v a, f32v b) {
#if defined(__AVX512F__)
  return (f32v)_mm512_min_ps((__m512)a, (__m512)b);
#elif defined(__AVX2__)
  return (f32v)_mm256_min_ps((__m256)a, (__m256)b);
#elif defined(__wasm_simd128__)
  return (f32v)wasm_f32x4_pmin((v128_t)b, (v128_t)a);
#else
  return a < b ? a : b;
#endif
}

ESPALIER_INLINE f32v abs(f32v v) { return as_f32(as_i32(v) & splat(int32_t(0x7fffffff))); }

ESPALIER_INLINE f32v sqrt(f32v v) {
#if defined(__AVX512F__)
  return (f32v)_mm512_sqrt_ps((__m512)v);
#elif defined(__AVX2__)
  return (f32v)_mm256_sqrt_ps((__m256)v);
#elif defined(__aarch64__)
  return (f32v)vsqrtq_f32((float32x4_t)v);
#elif defined(__wasm_simd128__)
  return (f32v)wasm_f32x4_sqrt((v128_t)v);
#endif
}

// To the nearest integer, ties to even.
ESPALIER_INLINE f32v round_even(f32v v) {
#if defined(__AVX512F__)
  return (f32v)_mm512_roundscale_ps((__m512)v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
#elif defined(__AVX2__)
  return (f32v)_mm256_round_ps((__m256)v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
#elif defined(__aarch64__)
  return (f32v)vrndnq_f32((float32x4_t)v);
#elif defined(__wasm_simd128__)
  return (f32v)wasm_f32x4_nearest((v128_t)v);
#endif
}
ESPALIER_INLINE f32v floor(f32v v) {
#if defined(__AVX512F__)
  return (f32v)_mm512_roundscale_ps((__m512)v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
#elif defined(__AVX2__)
  return (f32v)_mm256_floor_ps((__m256)v);
#elif defined(__aarch64__)
  return (f32v)vrndmq_f32((float32x4_t)v);
#elif defined(__wasm_simd128__)
  return (f32v)wasm_f32x4_floor((v128_t)v);
#endif
}

// Numbers that fit in 32 bits only; use clamp before.
ESPALIER_INLINE i32v to_i32(f32v v) {
#if defined(__wasm_simd128__)
  return (i32v)wasm_i32x4_trunc_sat_f32x4((v128_t)v);
#else
  return __builtin_convertvector(v, i32v);
#endif
}
ESPALIER_INLINE f32v to_f32(i32v v) { return __builtin_convertvector(v, f32v); }

// The first n lanes of memory (n in 0..lanes), zeros elsewhere; nothing beyond them is touched.
ESPALIER_INLINE f32v load_part(const float* p, int n) {
#if defined(__AVX512F__)
  return (f32v)_mm512_maskz_loadu_ps(__mmask16((1u << n) - 1), p);
#elif defined(__AVX2__)
  return (f32v)_mm256_maskload_ps(p, (__m256i)(iota() < splat(int32_t(n))));
#else
  f32v v{};
  for (int i = 0; i < n; i++) v[i] = p[i];
  return v;
#endif
}
ESPALIER_INLINE void store_part(float* p, f32v v, int n) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(p, __mmask16((1u << n) - 1), (__m512)v);
#elif defined(__AVX2__)
  // A masked store is dozens of micro-operations on processors of AMD.
  if (n == lanes) return store(p, v);
  __m128 part = _mm256_castps256_ps128((__m256)v);
  if (n & 4) {
    _mm_storeu_ps(p, part);
    part = _mm256_extractf128_ps((__m256)v, 1);
    p += 4;
  }
  if (n & 2) {
    _mm_storel_pi(reinterpret_cast<__m64*>(p), part);
    part = _mm_movehl_ps(part, part);
    p += 2;
  }
  if (n & 1) _mm_store_ss(p, part);
#else
  for (int i = 0; i < n; i++) p[i] = v[i];
#endif
}

// Sum and largest of the lanes, always in the same order.
ESPALIER_INLINE float sum(f32v v) {
#if defined(__AVX512F__)
  __m256 half = _mm256_add_ps(_mm512_castps512_ps256((__m512)v), _mm512_extractf32x8_ps((__m512)v, 1));
  __m128 quarter = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
#elif defined(__AVX2__)
  __m128 quarter = _mm_add_ps(_mm256_castps256_ps128((__m256)v), _mm256_extractf128_ps((__m256)v, 1));
#else
  return (v[0] + v[2]) + (v[1] + v[3]);
#endif
#if defined(__AVX2__)
  quarter = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
  return _mm_cvtss_f32(_mm_add_ss(quarter, _mm_movehdup_ps(quarter)));
#endif
}
ESPALIER_INLINE float max_lane(f32v v) {
  float m = v[0];
  for (int i = 1; i < lanes; i++) m = v[i] > m ? v[i] : m;
  return m;
}

}  // namespace ESPALIER_ISA
