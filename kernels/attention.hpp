// Scaled dot-product attention in one pass (Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018;
// Dao et al., "FlashAttention", 2022): a block of queries meets the keys a block at a time, keeps the largest score and
// the sum of exponentials so far, and rescales what it has when they grow. Scores live in the first-level cache only.
//
// Floor: 2 (size + value size) operations a pair of query and key on the multiply-adders, and one exponential. Scores are
// made as their transpose, keys by queries: then keys are rows whose elements are broadcast where they lie, in any
// layout, only the queries are packed; and the softmax runs down columns, a query a lane, with nothing to add across.
// A few queries (decoding) are bound by reading keys and values once, and take rows of these as vectors instead.
//
// Every query is computed on its own in the order of the keys, so blocks and threads do not change a bit.
#pragma once
#include "gemm_tile.hpp"
#include "generated/steps.hpp"
#include "math/exp.hpp"
#include "math/hyperbolic.hpp"

namespace ESPALIER_ISA {

using espalier::Context;
using espalier::Range;

namespace attention {

// `maskKind`, as in plan/steps/attention.ts.
enum { no_mask, float_mask, bool_mask };

typedef espalier::steps::attention_f32 Step;

// The register tile is that of the matrix product: `rows` of what is broadcast by a panel of two vectors.
constexpr int rows = gemm_rows;
constexpr int panel = 2 * lanes;
// Queries of a block, keys of a block: scores and a panel of values together fit 32 kB. Known to lower-attention.ts, as
// upper limits, for the size of the scratch.
constexpr int block_queries = 64;
constexpr int block_keys = 72 / rows * rows;
constexpr int score_stride = block_queries + 16;

constexpr float minus_infinity = -__builtin_inff();

// Scratch of a thread.
struct Workspace {
  float* queries;  // [panel][size][panel]
  float* values;   // [panel][key][panel]
  float* scores;   // [key][score_stride]
  float* sums;     // [query][padded value size]
  int64_t width;   // value size, padded to panels

  Workspace(const Step& s, const Context& c) {
    width = (s.valueSize + panel - 1) / panel * panel;
    scores = c.at<float>(s.scratch) + int64_t(c.thread) * s.scratchFloats;
    values = scores + block_keys * score_stride;
    sums = values + block_keys * width;
    queries = sums + (block_queries + rows) * width;
  }
};

// The head that a query head reads, and what its queries see.
struct Head {
  const float *q, *k, *v;
  float* y;
  const uint8_t* mask;  // float32 or bool, of query 0 and key 0
  int64_t k_position, k_element, v_position;
  int64_t offset;  // position of query 0 among the keys
  int64_t limit;   // keys from here on are not seen by any query

  // Keys [begin, end) that query i may see, before the mask.
  Range seen(const Step& s, int64_t i) const {
    const int64_t begin = s.left >= 0 ? offset + i - s.left : 0;
    const int64_t end = s.right >= 0 ? offset + i + s.right + 1 : limit;
    return {begin > 0 ? begin : 0, end < limit ? end : limit};
  }
};

inline Head head_of(const Step& s, const Context& c, int64_t sample, int64_t head) {
  Head h;
  const int64_t shared = head / (s.heads / s.kvHeads);
  h.q = c.at<const float>(s.q) + sample * s.qStrides[0] + head * s.qStrides[1];
  h.y = c.at<float>(s.y) + sample * s.yStrides[0] + head * s.yStrides[1];
  if (s.pastK.present()) {
    const int64_t at = (sample * s.kvHeads + shared) * s.keys;
    h.k = c.at<const float>(s.presentK) + at * s.size;
    h.v = c.at<const float>(s.presentV) + at * s.valueSize;
    h.k_position = s.size, h.k_element = 1, h.v_position = s.valueSize;
  } else {
    h.k = c.at<const float>(s.k) + sample * s.kStrides[0] + shared * s.kStrides[1];
    h.v = c.at<const float>(s.v) + sample * s.vStrides[0] + shared * s.vStrides[1];
    h.k_position = s.kStrides[2], h.k_element = s.kStrides[3], h.v_position = s.vStrides[2];
  }
  h.mask = nullptr;
  if (s.maskKind != no_mask)
    h.mask = c.at<const uint8_t>(s.mask) + (sample * s.maskStrides[0] + head * s.maskStrides[1]) *
                                               (s.maskKind == bool_mask ? 1 : 4);
  h.offset = s.past;
  h.limit = s.maskKind != no_mask && s.maskKeys < s.keys ? s.maskKeys : s.keys;
  if (const int64_t* lengths = c.at<const int64_t>(s.lengths)) {
    h.offset = lengths[sample] - s.queries;
    h.limit = lengths[sample] < h.limit ? lengths[sample] : h.limit;
  }
  return h;
}

// What a mask adds to the score of query i and key j.
ESPALIER_INLINE float bias_at(const Step& s, const Head& h, int64_t i, int64_t j) {
  const int64_t at = i * s.maskStrides[2] + j * s.maskStrides[3];
  if (s.maskKind == bool_mask) return h.mask[at] ? 0 : minus_infinity;
  return reinterpret_cast<const float*>(h.mask)[at];
}

// ---- blocks of queries

#if defined(__wasm__)
// Steps of rows, for the loop of the matrix product (gemm_tile.hpp).
struct AdjacentRows {
  const float* at;
  ptrdiff_t step;
  ESPALIER_INLINE float get(int r) const { return at[r]; }
  ESPALIER_INLINE void next() { at += step; }
};
struct DistantRows {
  const float* at[rows];
  ptrdiff_t step, p = 0;
  ESPALIER_INLINE float get(int r) const { return at[r][p]; }
  ESPALIER_INLINE void next() { p += step; }
};
#endif

// sum[r][:] += a[offset[r] + p * step] * b[p][:]; `adjacent`: offset[r] = r.
template <bool adjacent>
#if defined(__wasm__)
__attribute__((noinline)) inline
#else
ESPALIER_INLINE
#endif
void multiply(f32v (&sum)[rows][2], const float* a, const int64_t* offset, int64_t step, const float* b, int64_t n) {
#if defined(__wasm__)
  if constexpr (adjacent) {
    gemm_multiply<rows>(sum, AdjacentRows{a, ptrdiff_t(step)}, int32_t(n), b);
  } else {
    DistantRows from;
    from.step = ptrdiff_t(step);
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) from.at[r] = a + offset[r];
    gemm_multiply<rows>(sum, from, int32_t(n), b);
  }
#else
  const float* from[rows];
#pragma GCC unroll 16
  for (int r = 0; r < rows; r++) from[r] = adjacent ? a : a + offset[r];
  for (int64_t p = 0; p < n; p++, b += panel) {
    const f32v low = load(b), high = load(b + lanes);
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
      const f32v x = splat(adjacent ? a[p * step + r] : from[r][p * step]);
      sum[r][0] = fma(x, low, sum[r][0]);
      sum[r][1] = fma(x, high, sum[r][1]);
    }
  }
#endif
}

typedef float f32x4 __attribute__((vector_size(16)));
typedef float f32x4_loose __attribute__((vector_size(16), aligned(4), may_alias));

// to[j * stride + i] = from[i * step + j] for i, j in 0..4
ESPALIER_INLINE void transpose4(const float* from, int64_t step, float* to, int64_t stride, float factor) {
  f32x4 a[4];
  for (int i = 0; i < 4; i++) a[i] = *reinterpret_cast<const f32x4_loose*>(from + i * step) * factor;
  const f32x4 ab_low = __builtin_shufflevector(a[0], a[1], 0, 4, 1, 5), ab_high = __builtin_shufflevector(a[0], a[1], 2, 6, 3, 7);
  const f32x4 cd_low = __builtin_shufflevector(a[2], a[3], 0, 4, 1, 5), cd_high = __builtin_shufflevector(a[2], a[3], 2, 6, 3, 7);
  *reinterpret_cast<f32x4_loose*>(to) = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
  *reinterpret_cast<f32x4_loose*>(to + stride) = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
  *reinterpret_cast<f32x4_loose*>(to + 2 * stride) = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
  *reinterpret_cast<f32x4_loose*>(to + 3 * stride) = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
}

// to[j * stride + i] = factor * from[i * step + j], height rows of width.
__attribute__((noinline)) inline void transpose(const float* from, int64_t step, int64_t height, int64_t width, float* to, int64_t stride, float factor) {
  int64_t i = 0;
  for (; i + 4 <= height; i += 4) {
    int64_t j = 0;
    for (; j + 4 <= width; j += 4) transpose4(from + i * step + j, step, to + j * stride + i, stride, factor);
    for (; j < width; j++)
      for (int r = 0; r < 4; r++) to[j * stride + i + r] = from[(i + r) * step + j] * factor;
  }
  for (int64_t rest = height - i; rest > 0; rest--, i++)
    for (int64_t j = 0; j < width; j++) to[j * stride + i] = from[i * step + j] * factor;
}

// Queries, scaled, in panels; zeros in the lanes beyond the last one.
inline void pack_queries(const Step& s, const Head& h, int64_t first, int64_t count, const Workspace& w) {
  for (int64_t i = 0; i < count; i += panel) {
    float* to = w.queries + i * s.size;
    const int64_t height = count - i < panel ? count - i : panel;
    if (height < panel) __builtin_memset(to, 0, size_t(panel) * size_t(s.size) * sizeof(float));
    transpose(h.q + (first + i) * s.qStrides[2], s.qStrides[2], height, s.size, to, panel, s.scale);
  }
}

// Values of a block of keys in panels, zeros in the columns beyond the last one.
inline void pack_values(const Step& s, const Head& h, int64_t key, int64_t keys, const Workspace& w) {
  for (int64_t at = 0; at < s.valueSize; at += panel) {
    float* to = w.values + at * keys;
    const float* from = h.v + key * h.v_position + at;
    const int width = s.valueSize - at < panel ? int(s.valueSize - at) : panel;
    for (int64_t j = 0; j < keys; j++, from += h.v_position, to += panel) {
      if (width == panel) {
        store(to, load(from));
        store(to + lanes, load(from + lanes));
      } else {
        for (int i = 0; i < panel; i++) to[i] = i < width ? from[i] : 0;
      }
    }
  }
}

// scores[j][i] = key . query
inline void score(const Step& s, const Head& h, int64_t key, int64_t keys, int64_t count, const Workspace& w) {
  for (int64_t j = 0; j < keys; j += rows) {
    int64_t offset[rows];
    for (int r = 0; r < rows; r++) offset[r] = (j + r < keys ? key + j + r : key + keys - 1) * h.k_position;
    for (int64_t i = 0; i < count; i += panel) {
      f32v sum[rows][2] = {};
      multiply<false>(sum, h.k, offset, h.k_element, w.queries + i * s.size, s.size);
      float* to = w.scores + j * score_stride + i;
#pragma GCC unroll 16
      for (int r = 0; r < rows; r++) {
        store(to + r * score_stride, sum[r][0]);
        store(to + r * score_stride + lanes, sum[r][1]);
      }
    }
  }
}

inline void cap(const Step& s, int64_t keys, int64_t count, const Workspace& w) {
  const f32v by = splat(s.softcap), inverse = splat(1 / s.softcap);
  for (int64_t j = 0; j < keys; j++)
    for (int64_t i = 0; i < count; i += lanes) {
      float* at = w.scores + j * score_stride + i;
      store(at, by * tanh(load(at) * inverse));
    }
}

inline void add_mask(const Step& s, const Head& h, int64_t first, int64_t count, int64_t key, int64_t keys, const Workspace& w) {
  if (s.maskStrides[2] == 0) {  // the same for all queries
    for (int64_t j = 0; j < keys; j++) {
      const f32v bias = splat(bias_at(s, h, 0, key + j));
      for (int64_t i = 0; i < count; i += lanes) {
        float* at = w.scores + j * score_stride + i;
        store(at, load(at) + bias);
      }
    }
    return;
  }
  if (s.maskKind == float_mask && s.maskStrides[3] == 1) {
    float turned[4 * lanes];  // a vector of queries by four keys
    const float* mask = reinterpret_cast<const float*>(h.mask) + first * s.maskStrides[2] + key;
    int64_t i = 0;
    for (; i + lanes <= count; i += lanes) {
      for (int64_t j = 0; j < keys; j += 4) {
        const int64_t n = keys - j < 4 ? keys - j : 4;
        transpose(mask + i * s.maskStrides[2] + j, s.maskStrides[2], lanes, n, turned, lanes, 1);
        for (int64_t r = 0; r < n; r++) {
          float* at = w.scores + (j + r) * score_stride + i;
          store(at, load(at) + load(turned + r * lanes));
        }
      }
    }
    for (; i < count; i++)
      for (int64_t j = 0; j < keys; j++) w.scores[j * score_stride + i] += mask[i * s.maskStrides[2] + j];
    return;
  }
  for (int64_t i = 0; i < count; i++)
    for (int64_t j = 0; j < keys; j++) w.scores[j * score_stride + i] += bias_at(s, h, first + i, key + j);
}

// Minus infinity where a query does not see a key by its position.
inline void add_frontier(const Step& s, const Head& h, int64_t first, int64_t count, int64_t key, int64_t keys, const Workspace& w) {
  for (int64_t i = 0; i < count; i++) {
    const Range seen = h.seen(s, first + i);
    for (int64_t j = 0; j < keys; j++)
      if (key + j < seen.begin || key + j >= seen.end) w.scores[j * score_stride + i] = minus_infinity;
  }
}

// What a block of queries knows so far: the largest score, the sum of exponentials relative to it.
struct Running {
  alignas(64) float largest[block_queries];
  alignas(64) float total[block_queries];
  alignas(64) float factor[block_queries + rows];  // what the last block of keys makes of the sums before it
};

inline void exponentiate(int64_t keys, int64_t count, const Workspace& w, Running& run) {
  for (int64_t i = 0; i < count; i += lanes) {
    float* column = w.scores + i;
    const f32v before = load(run.largest + i);
    f32v largest = before, other = before;
    int64_t j = 0;
    for (; j + 2 <= keys; j += 2) {
      largest = max(load(column + j * score_stride), largest);
      other = max(load(column + (j + 1) * score_stride), other);
    }
    if (j < keys) largest = max(load(column + j * score_stride), largest);
    largest = max(largest, other);
    // Relative to 0 where all are minus infinity, so that they become 0 and not NaN.
    const f32v about = select(largest == splat(minus_infinity), f32v{}, largest);
    const f32v factor = exp_flushed(before - about);
    f32v a{}, b{};
    for (j = 0; j + 2 <= keys; j += 2) {
      const f32v first = exp_flushed(load(column + j * score_stride) - about);
      const f32v second = exp_flushed(load(column + (j + 1) * score_stride) - about);
      store(column + j * score_stride, first);
      store(column + (j + 1) * score_stride, second);
      a += first;
      b += second;
    }
    if (j < keys) {
      const f32v last = exp_flushed(load(column + j * score_stride) - about);
      store(column + j * score_stride, last);
      a += last;
    }
    store(run.total + i, fma(load(run.total + i), factor, a + b));
    store(run.factor + i, factor);
    store(run.largest + i, largest);
  }
}

// sums = sums * factor + scores^T values
inline void gather_values(int64_t keys, int64_t count, bool fresh, const Workspace& w, const Running& run) {
  for (int64_t at = 0; at < w.width; at += panel) {
    for (int64_t i = 0; i < count; i += rows) {
      f32v sum[rows][2] = {};
      float* to = w.sums + i * w.width + at;
      if (!fresh) {
#pragma GCC unroll 16
        for (int r = 0; r < rows; r++) {
          const f32v factor = splat(run.factor[i + r]);
          sum[r][0] = load(to + r * w.width) * factor;
          sum[r][1] = load(to + r * w.width + lanes) * factor;
        }
      }
      multiply<true>(sum, w.scores + i, nullptr, score_stride, w.values + at * keys, keys);
#pragma GCC unroll 16
      for (int r = 0; r < rows; r++) {
        store(to + r * w.width, sum[r][0]);
        store(to + r * w.width + lanes, sum[r][1]);
      }
    }
  }
}

// y = sums / total; zeros for a query that sees nothing.
inline void write(const float* sums, float total, int64_t n, float* y) {
  const f32v inverse = splat(total == 0 ? 0 : 1 / total);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) store(y + i, load(sums + i) * inverse);
  for (; i < n; i++) y[i] = sums[i] * inverse[0];
}

inline void attend_block(const Step& s, const Head& h, int64_t first, int64_t count, const Workspace& w) {
  Running run;
  for (int i = 0; i < block_queries; i++) run.largest[i] = minus_infinity, run.total[i] = 0;
  for (int i = 0; i < block_queries + rows; i++) run.factor[i] = 0;
  pack_queries(s, h, first, count, w);
  // Blocks of keys alike in size, by the number of keys alone.
  const int64_t blocks = (s.keys + block_keys - 1) / block_keys;
  const int64_t even = blocks > 0 ? ((s.keys + blocks - 1) / blocks + rows - 1) / rows * rows : block_keys;
  const Range first_seen = h.seen(s, first), last_seen = h.seen(s, first + count - 1);
  const bool frontier = s.left >= 0 || s.right >= 0 || h.limit < s.keys;
  bool fresh = true;
  for (int64_t key = first_seen.begin / even * even; key < last_seen.end; key += even) {
    const int64_t keys = last_seen.end - key < even ? last_seen.end - key : even;
    score(s, h, key, keys, count, w);
    if (s.softcap != 0) cap(s, keys, count, w);
    if (s.maskKind != no_mask) add_mask(s, h, first, count, key, keys, w);
    if (frontier && (key < last_seen.begin || key + keys > first_seen.end)) add_frontier(s, h, first, count, key, keys, w);
    exponentiate(keys, count, w, run);
    pack_values(s, h, key, keys, w);
    gather_values(keys, count, fresh, w, run);
    fresh = false;
  }
  for (int64_t i = 0; i < count; i++)
    write(w.sums + i * w.width, fresh ? 0 : run.total[i], fresh ? 0 : s.valueSize, h.y + (first + i) * s.yStrides[2]);
  if (fresh)
    for (int64_t i = 0; i < count; i++)
      for (int64_t e = 0; e < s.valueSize; e++) h.y[(first + i) * s.yStrides[2] + e] = 0;
}

// ---- one query at a time

constexpr int few_queries = panel / 2;  // below, a block would mostly compute lanes that hold nothing
constexpr int row_keys = block_keys * score_stride / lanes * lanes;

ESPALIER_INLINE f32v dot_part(const float* a, const float* b, int64_t n, f32v sum) {
  return n > 0 ? fma(load_part(a, int(n)), load_part(b, int(n)), sum) : sum;
}

// scores[j] = query . key for neighbouring keys.
inline void score_row(const Step& s, const Head& h, const float* query, int64_t key, int64_t keys, float* scores) {
  const int64_t n = s.size;
  if (h.k_element != 1) {
    for (int64_t j = 0; j < keys; j++) scores[j] = 0;
    for (int64_t e = 0; e < n; e++) {
      const float* from = h.k + key * h.k_position + e * h.k_element;
      int64_t j = 0;
      if (h.k_position == 1)
        for (; j + lanes <= keys; j += lanes) store(scores + j, fma(splat(query[e]), load(from + j), load(scores + j)));
      for (; j < keys; j++) scores[j] += query[e] * from[j * h.k_position];
    }
    return;
  }
  const int64_t whole = n / lanes * lanes;
  int64_t j = 0;
  for (; j + 4 <= keys; j += 4) {
    const float* from = h.k + (key + j) * h.k_position;
    f32v sums[4] = {};
    for (int64_t e = 0; e < whole; e += lanes) {
      const f32v q = load(query + e);
#pragma GCC unroll 4
      for (int r = 0; r < 4; r++) sums[r] = fma(q, load(from + r * h.k_position + e), sums[r]);
    }
    for (int r = 0; r < 4; r++) scores[j + r] = sum(dot_part(query + whole, from + r * h.k_position + whole, n - whole, sums[r]));
  }
  for (; j < keys; j++) {
    const float* from = h.k + (key + j) * h.k_position;
    f32v total{};
    for (int64_t e = 0; e < whole; e += lanes) total = fma(load(query + e), load(from + e), total);
    scores[j] = sum(dot_part(query + whole, from + whole, n - whole, total));
  }
}

// sums = sums * factor + sum over j of weights[j] * value j
inline void gather_row(const Step& s, const Head& h, const float* weights, int64_t key, int64_t keys, float factor, float* sums) {
  constexpr int wide = 8;
  const float* from = h.v + key * h.v_position;
  int64_t at = 0;
  for (; at + wide * lanes <= s.valueSize; at += wide * lanes) {
    f32v sum[wide];
    for (int i = 0; i < wide; i++) sum[i] = load(sums + at + i * lanes) * factor;
    for (int64_t j = 0; j < keys; j++) {
      const f32v weight = splat(weights[j]);
#pragma GCC unroll 8
      for (int i = 0; i < wide; i++) sum[i] = fma(weight, load(from + j * h.v_position + at + i * lanes), sum[i]);
    }
    for (int i = 0; i < wide; i++) store(sums + at + i * lanes, sum[i]);
  }
  for (; at < s.valueSize; at += lanes) {
    const int n = s.valueSize - at < lanes ? int(s.valueSize - at) : lanes;
    f32v sum = load_part(sums + at, n) * factor;
    for (int64_t j = 0; j < keys; j++) sum = fma(splat(weights[j]), load_part(from + j * h.v_position + at, n), sum);
    store_part(sums + at, sum, n);
  }
}

inline void attend_row(const Step& s, const Head& h, int64_t i, const Workspace& w) {
  const float* from = h.q + i * s.qStrides[2];
  float* query = w.queries;
  for (int64_t e = 0; e < s.size; e++) query[e] = from[e] * s.scale;
  for (int64_t e = 0; e < s.valueSize; e++) w.sums[e] = 0;
  float largest = minus_infinity;
  float total = 0;
  const Range seen = h.seen(s, i);
  for (int64_t key = seen.begin; key < seen.end; key += row_keys) {
    const int64_t keys = seen.end - key < row_keys ? seen.end - key : row_keys;
    float* scores = w.scores;
    score_row(s, h, query, key, keys, scores);
    if (s.softcap != 0)
      for (int64_t j = 0; j < keys; j++) scores[j] = s.softcap * tanh(splat(scores[j] / s.softcap))[0];
    if (s.maskKind != no_mask)
      for (int64_t j = 0; j < keys; j++) scores[j] += bias_at(s, h, i, key + j);
    const float before = largest;
    int64_t j = 0;
    f32v most = splat(largest);
    for (; j + lanes <= keys; j += lanes) most = max(load(scores + j), most);
    largest = max_lane(most);
    for (; j < keys; j++) largest = scores[j] > largest ? scores[j] : largest;
    const float about = largest == minus_infinity ? 0 : largest;
    const float factor = exp_flushed(splat(before - about))[0];
    f32v added{};
    for (j = 0; j < keys; j += lanes) {
      const int n = keys - j < lanes ? int(keys - j) : lanes;
      const f32v e = exp_flushed(load_part(scores + j, n) - splat(about));
      store_part(scores + j, e, n);
      added += select(iota() < splat(int32_t(n)), e, f32v{});
    }
    total = total * factor + sum(added);
    gather_row(s, h, scores, key, keys, factor, w.sums);
  }
  write(w.sums, total, s.valueSize, h.y + i * s.yStrides[2]);
}

// ---- dividing the work

// Units [begin, end) of a head, numbered by panels of queries, or by queries where they are few.
inline void attend(const Step& s, const Head& h, int64_t begin, int64_t end, const Workspace& w) {
  if (s.queries < few_queries) {
    for (int64_t i = begin; i < end; i++) attend_row(s, h, i, w);
    return;
  }
  constexpr int64_t together = block_queries / panel;
  for (int64_t unit = begin; unit < end; unit += together) {
    const int64_t until = (unit + together < end ? unit + together : end) * panel;
    attend_block(s, h, unit * panel, (until < s.queries ? until : s.queries) - unit * panel, w);
  }
}

// Rows [begin, end) of past and new, numbered through a head, to the present.
inline void append(const float* past, int64_t past_rows, const float* next, int64_t position, int64_t element, int64_t size,
                   int64_t begin, int64_t end, float* present) {
  const int64_t old = end < past_rows ? end : past_rows;
  if (begin < old) __builtin_memcpy(present + begin * size, past + begin * size, size_t((old - begin) * size) * sizeof(float));
  for (int64_t row = begin > past_rows ? begin : past_rows; row < end; row++) {
    const float* from = next + (row - past_rows) * position;
    for (int64_t e = 0; e < size; e++) present[row * size + e] = from[e * element];
  }
}

inline void append_head(const Step& s, const Context& c, int64_t shared, int64_t begin, int64_t end) {
  const int64_t sample = shared / s.kvHeads, head = shared % s.kvHeads;
  if (float* k = c.at<float>(s.presentK))
    append(c.at<const float>(s.pastK) + shared * s.past * s.size, s.past,
           c.at<const float>(s.k) + sample * s.kStrides[0] + head * s.kStrides[1], s.kStrides[2], s.kStrides[3], s.size, begin,
           end, k + shared * s.keys * s.size);
  if (float* v = c.at<float>(s.presentV))
    append(c.at<const float>(s.pastV) + shared * s.past * s.valueSize, s.past,
           c.at<const float>(s.v) + sample * s.vStrides[0] + head * s.vStrides[1], s.vStrides[2], 1, s.valueSize, begin, end,
           v + shared * s.keys * s.valueSize);
}

}  // namespace attention

inline void attention_f32(const espalier::steps::attention_f32& s, const Context& c) {
  using namespace attention;
  if (s.kvHeads == 0 || s.heads == 0) return;
  const Workspace w(s, c);
  const int64_t per_head = s.queries < few_queries ? s.queries : (s.queries + panel - 1) / panel;
  const int64_t shared = int64_t(s.batch) * s.kvHeads, group = s.heads / s.kvHeads;
  if (s.presentK.present() || s.presentV.present()) {
    // A thread that appends to a head attends to it while it is in its cache; few heads are split over all threads.
    if (shared >= 4) {
      return c.pieces(shared, 1, [&](int64_t first, int64_t last) {
        for (int64_t i = first; i < last; i++) {
          append_head(s, c, i, 0, s.keys);
          for (int64_t head = 0; head < group; head++)
            attend(s, head_of(s, c, i / s.kvHeads, i % s.kvHeads * group + head), 0, per_head, w);
        }
      });
    }
    const Range mine = c.share(s.keys, 16);
    for (int64_t i = 0; i < shared; i++) append_head(s, c, i, mine.begin, mine.end);
    c.barrier();
  }
  // Whole blocks of queries, as many as have some 2^20 products.
  const int64_t block = s.queries < few_queries ? 1 : block_queries / panel, queries = block == 1 ? 1 : block_queries;
  const int64_t work = queries * (int64_t(s.keys) * (s.size + s.valueSize) + 1);
  c.pieces(int64_t(s.batch) * s.heads * per_head, ((1 << 20) / work + 1) * block, [&](int64_t first, int64_t last) {
    for (int64_t unit = first; unit < last;) {
      const int64_t head = unit / per_head, begin = unit % per_head;
      const int64_t end = per_head < begin + last - unit ? per_head : begin + last - unit;
      attend(s, head_of(s, c, head / s.heads, head % s.heads), begin, end, w);
      unit += end - begin;
    }
  });
}

}  // namespace ESPALIER_ISA
