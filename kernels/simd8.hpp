// Products of 8-bit integers summed in 32 bits, exactly, as each machine does them best. Three forms of activations:
//   16-bit words less their zero point, two together: AVX2, AVX-512 BW, NEON, WebAssembly (multiply, add pairs: pmaddwd);
//   unsigned bytes, four together: AVX-512 VNNI (vpdpbusd) and AMX (tdpbusd);
//   signed bytes, four together: NEON with dotprod (sdot).
// Weights are signed bytes in all of them. No form saturates: vpmaddubsw and the relaxed dot product of WebAssembly do
// (255 * 127 * 2 is beyond 16 bits), so they are not used. Tests compile with ESPALIER_EMULATE_VNNI, _SDOT or _AMX to run
// the kernels' logic with those single instructions written out.
#pragma once
#include "core/simd.hpp"

#if defined(__AMX_INT8__) || defined(ESPALIER_EMULATE_AMX)
#define ESPALIER_AMX 1
#endif

namespace ESPALIER_ISA {

#if defined(__AVX512VNNI__) || defined(ESPALIER_EMULATE_VNNI) || defined(ESPALIER_AMX)
#define ESPALIER_DOT4 1
typedef uint8_t activation8;
constexpr bool activations_signed = false;
#elif defined(__ARM_FEATURE_DOTPROD) || defined(ESPALIER_EMULATE_SDOT)
#define ESPALIER_DOT4 1
typedef int8_t activation8;
constexpr bool activations_signed = true;
#else
typedef int16_t activation8;
constexpr bool activations_signed = true;
#endif
// Elements of a sum that lie together, and the rows of activations that share a load of weights.
#if defined(ESPALIER_DOT4)
constexpr int dot_depth = 4;
#else
constexpr int dot_depth = 2;
#endif
#if defined(ESPALIER_AMX)
constexpr int dot_rows = 32;
constexpr int dot_columns = 32;
constexpr int dot_run = 64;  // a tile row: packed sums are padded to whole ones
#elif defined(__AVX512F__) || defined(__aarch64__)
constexpr int dot_rows = 8;
constexpr int dot_columns = 2 * lanes;
constexpr int dot_run = dot_depth;
#elif defined(__AVX2__)
constexpr int dot_rows = 6;
constexpr int dot_columns = 2 * lanes;
constexpr int dot_run = dot_depth;
#else
constexpr int dot_rows = 4;
constexpr int dot_columns = 2 * lanes;
constexpr int dot_run = dot_depth;
#endif

typedef int16_t i16v __attribute__((vector_size(vector_bytes)));
typedef int8_t i8v __attribute__((vector_size(vector_bytes)));
typedef uint8_t u8_lanes __attribute__((vector_size(lanes)));
typedef int8_t i8_lanes __attribute__((vector_size(lanes)));
typedef activation8 activation_lanes __attribute__((vector_size(lanes * sizeof(activation8))));

ESPALIER_INLINE i32v wrap_add(i32v a, i32v b) { return (i32v)((u32v)a + (u32v)b); }
ESPALIER_INLINE i32v wrap_mul(i32v a, i32v b) { return (i32v)((u32v)a * (u32v)b); }

ESPALIER_INLINE i16v load16(const void* p) {
  i16v v;
  __builtin_memcpy(&v, p, vector_bytes);
  return v;
}
ESPALIER_INLINE int32_t load32(const void* p) {
  int32_t v;
  __builtin_memcpy(&v, p, 4);
  return v;
}

// 2 * lanes signed bytes as 16-bit words.
ESPALIER_INLINE i16v widen(const int8_t* p) {
#if defined(__AVX512F__)
  return (i16v)_mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
#elif defined(__AVX2__)
  return (i16v)_mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
#elif defined(__aarch64__)
  return (i16v)vmovl_s8(vld1_s8(p));
#else
  return (i16v)wasm_i16x8_load8x8(p);
#endif
}

// p0 q0 p1 q1...: lanes unsigned bytes from each, as 16-bit words.
ESPALIER_INLINE i16v interleave(u8_lanes p, u8_lanes q) {
#if defined(__AVX512F__)
  const __m128i a = (__m128i)p, b = (__m128i)q;
  return (i16v)_mm512_cvtepu8_epi16(_mm256_set_m128i(_mm_unpackhi_epi8(a, b), _mm_unpacklo_epi8(a, b)));
#elif defined(__AVX2__)
  const __m128i a = _mm_cvtsi64_si128((int64_t)p), b = _mm_cvtsi64_si128((int64_t)q);
  return (i16v)_mm256_cvtepu8_epi16(_mm_unpacklo_epi8(a, b));
#elif defined(__aarch64__)
  const uint8x8_t a = vreinterpret_u8_u32(vdup_n_u32((uint32_t)p)), b = vreinterpret_u8_u32(vdup_n_u32((uint32_t)q));
  return (i16v)vmovl_u8(vzip1_u8(a, b));
#else
  const v128_t a = wasm_i32x4_splat((int32_t)p), b = wasm_i32x4_splat((int32_t)q);
  return (i16v)wasm_u16x8_extend_low_u8x16(
      wasm_i8x16_shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
#endif
}

// sum + a[2i] * b[2i] + a[2i+1] * b[2i+1].
ESPALIER_INLINE i32v dot2(i32v sum, i16v a, i16v b) {
#if defined(__AVX512F__)
  return sum + (i32v)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
  return sum + (i32v)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#elif defined(__aarch64__)
  const int16x8_t x = (int16x8_t)a, y = (int16x8_t)b;
  return sum + (i32v)vpaddq_s32(vmull_s16(vget_low_s16(x), vget_low_s16(y)), vmull_high_s16(x, y));
#else
  return sum + (i32v)wasm_i32x4_dot_i16x8((v128_t)a, (v128_t)b);
#endif
}

#if defined(ESPALIER_DOT4)
// sum + the dot product of four bytes of a (activations) and four of b (weights, signed).
ESPALIER_INLINE i32v dot4(i32v sum, i32v a, i8v b) {
#if defined(__AVX512VNNI__)
  return (i32v)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)a, (__m512i)b);
#elif defined(__ARM_FEATURE_DOTPROD)
  return (i32v)vdotq_s32((int32x4_t)sum, (int8x16_t)a, (int8x16_t)b);
#else
  for (int i = 0; i < lanes; i++)
    for (int j = 0; j < 4; j++) sum[i] += int32_t(activation8(uint32_t(a[i]) >> (8 * j))) * b[4 * i + j];
  return sum;
#endif
}
#endif

// Weights of `lanes` columns and dot_depth elements of the sum, ready for `dot`.
#if defined(ESPALIER_DOT4)
typedef i8v dot_weights;
ESPALIER_INLINE dot_weights load_weights(const int8_t* p) {
  i8v v;
  __builtin_memcpy(&v, p, vector_bytes);
  return v;
}
ESPALIER_INLINE i32v dot(i32v sum, i32v a, dot_weights w) { return dot4(sum, a, w); }
#else
typedef i16v dot_weights;
ESPALIER_INLINE dot_weights load_weights(const int8_t* p) { return widen(p); }
ESPALIER_INLINE i32v dot(i32v sum, i32v a, dot_weights w) { return dot2(sum, (i16v)a, w); }
#endif

// Four weights of one output, for rows of activations side by side: `dot_quad` adds their products with four activations
// of every row. These lie as words of 32 bits, one for each row, where four bytes are multiplied at once; or as two of two
// 16-bit words, `second` bytes apart.
#if defined(ESPALIER_DOT4)
struct Quad {
  i8v weights;
};
ESPALIER_INLINE Quad spread_quad(const int8_t* p) { return {(i8v)splat(load32(p))}; }
ESPALIER_INLINE i32v dot_quad(i32v sum, const uint8_t* x, int64_t, Quad w) {
  i32v v;
  __builtin_memcpy(&v, x, vector_bytes);
  return dot4(sum, v, w.weights);
}
#else
struct Quad {
  i16v first, second;
};
ESPALIER_INLINE Quad spread_quad(const int8_t* p) {
#if defined(__AVX512F__)
  const __m128i wide = _mm_cvtepi8_epi16(_mm_cvtsi32_si128(load32(p)));
  return {(i16v)_mm512_broadcastd_epi32(wide), (i16v)_mm512_broadcastd_epi32(_mm_srli_epi64(wide, 32))};
#elif defined(__AVX2__)
  const __m128i wide = _mm_cvtepi8_epi16(_mm_cvtsi32_si128(load32(p)));
  return {(i16v)_mm256_broadcastd_epi32(wide), (i16v)_mm256_broadcastd_epi32(_mm_srli_epi64(wide, 32))};
#elif defined(__aarch64__)
  const int32x4_t wide = vreinterpretq_s32_s16(vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(load32(p)))));
  return {(i16v)vdupq_laneq_s32(wide, 0), (i16v)vdupq_laneq_s32(wide, 1)};
#else
  const v128_t wide = wasm_i16x8_extend_low_i8x16(wasm_v128_load32_splat(p));
  return {(i16v)wasm_i32x4_shuffle(wide, wide, 0, 0, 0, 0), (i16v)wasm_i32x4_shuffle(wide, wide, 1, 1, 1, 1)};
#endif
}
ESPALIER_INLINE i32v dot_quad(i32v sum, const uint8_t* x, int64_t second, Quad w) {
  return dot2(dot2(sum, load16(x), w.first), load16(x + second), w.second);
}
#endif

// dot_depth activations, the same for every column.
ESPALIER_INLINE i32v broadcast(const activation8* p) { return splat(load32(p)); }

// `lanes` bytes as 32-bit integers, and the other way round (numbers that fit); n of them, others zero or untouched.
ESPALIER_INLINE u8_lanes load_bytes(const uint8_t* p) {
  u8_lanes v;
  __builtin_memcpy(&v, p, lanes);
  return v;
}
ESPALIER_INLINE u8_lanes load_bytes(const uint8_t* p, int n) {
  if (n >= lanes) return load_bytes(p);
  u8_lanes v{};
  for (int i = 0; i < n; i++) v[i] = p[i];
  return v;
}
ESPALIER_INLINE void store_bytes(uint8_t* p, u8_lanes v, int n = lanes) {
  if (n >= lanes) __builtin_memcpy(p, &v, lanes);
  else
    for (int i = 0; i < n; i++) p[i] = v[i];
}
ESPALIER_INLINE i32v to_i32(u8_lanes v, bool is_signed) {
#if defined(__AVX512F__)
  return (i32v)(is_signed ? _mm512_cvtepi8_epi32((__m128i)v) : _mm512_cvtepu8_epi32((__m128i)v));
#elif defined(__AVX2__)
  // Compilers would take the bytes one by one.
  const __m128i bytes = _mm_cvtsi64_si128((int64_t)v);
  return (i32v)(is_signed ? _mm256_cvtepi8_epi32(bytes) : _mm256_cvtepu8_epi32(bytes));
#else
  return is_signed ? __builtin_convertvector((i8_lanes)v, i32v) : __builtin_convertvector(v, i32v);
#endif
}
ESPALIER_INLINE u8_lanes to_bytes(i32v v) {
#if defined(__AVX512F__)
  return (u8_lanes)_mm512_cvtepi32_epi8((__m512i)v);
#elif defined(__AVX2__)
  const __m256i picked = _mm256_shuffle_epi8(
      (__m256i)v, _mm256_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 4, 8, 12, -1, -1, -1,
                                   -1, -1, -1, -1, -1, -1, -1, -1, -1));
  const __m128i joined =
      _mm_unpacklo_epi32(_mm256_castsi256_si128(picked), _mm256_extracti128_si256(picked, 1));
  return (u8_lanes)_mm_cvtsi128_si64(joined);
#else
  return __builtin_convertvector(v, u8_lanes);
#endif
}

#if defined(ESPALIER_AMX)
// Tiles of 16 rows of 64 bytes. The numbers of tiles are immediates of the instructions, hence macros.
struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
#if defined(ESPALIER_EMULATE_AMX)
struct Tile {
  int32_t words[16][16];
};
inline thread_local Tile tiles[8];
inline void tile_load_emulated(int t, const void* p, int64_t stride) {
  for (int i = 0; i < 16; i++) __builtin_memcpy(tiles[t].words[i], static_cast<const uint8_t*>(p) + i * stride, 64);
}
inline void tile_store_emulated(int t, void* p, int64_t stride) {
  for (int i = 0; i < 16; i++) __builtin_memcpy(static_cast<uint8_t*>(p) + i * stride, tiles[t].words[i], 64);
}
inline void tile_dot_emulated(int c, int a, int b) {
  for (int i = 0; i < 16; i++)
    for (int j = 0; j < 16; j++)
      for (int k = 0; k < 64; k++) {
        const uint8_t x = uint8_t(uint32_t(tiles[a].words[i][k / 4]) >> (8 * (k % 4)));
        const int8_t w = int8_t(uint32_t(tiles[b].words[k / 4][j]) >> (8 * (k % 4)));
        tiles[c].words[i][j] += x * w;
      }
}
#define ESPALIER_TILES_BEGIN(config) ((void)(config))
#define ESPALIER_TILES_END() ((void)0)
#define ESPALIER_TILE_ZERO(t) (tiles[t] = Tile{})
#define ESPALIER_TILE_LOAD(t, p, stride) tile_load_emulated(t, p, stride)
#define ESPALIER_TILE_STORE(t, p, stride) tile_store_emulated(t, p, stride)
#define ESPALIER_TILE_DOT(c, a, b) tile_dot_emulated(c, a, b)
#else
#define ESPALIER_TILES_BEGIN(config) _tile_loadconfig(&(config))
#define ESPALIER_TILES_END() _tile_release()
#define ESPALIER_TILE_ZERO(t) _tile_zero(t)
#define ESPALIER_TILE_LOAD(t, p, stride) _tile_loadd(t, p, stride)
#define ESPALIER_TILE_STORE(t, p, stride) _tile_stored(t, p, stride)
#define ESPALIER_TILE_DOT(c, a, b) _tile_dpbusd(c, a, b)
#endif
#endif

}  // namespace ESPALIER_ISA
