// Between float32 and 8 bits, and what is done element by element on 8 bits. Memory-bound all of it: a byte out for
// four in. Divisions are true divisions and every operation rounds to float32, as the operators say; that decides ties.
#pragma once
#include "gemm_i8.hpp"

namespace ESPALIER_ISA {

// Quotients to bytes: half to even, the zero point after, saturated; NaN becomes the smallest.
struct Rounding {
  int32_t zero;
  float least, greatest;
};
ESPALIER_INLINE Rounding rounding_to(bool is_signed, int32_t zero) {
  return {zero, float((is_signed ? -128 : 0) - zero), float((is_signed ? 127 : 255) - zero)};
}
ESPALIER_INLINE i32v round_to(const Rounding& r, f32v quotient) {
  const f32v bounded = min(max(quotient, splat(r.least)), splat(r.greatest));
  return to_i32(round_even(bounded)) + splat(r.zero);
}

ESPALIER_INLINE f32v load_floats(const float* p, int64_t n) { return n >= lanes ? load(p) : load_part(p, int(n)); }

// n numbers of one scale.
inline void quantize_run(const float* x, float scale, const Rounding& rounding, uint8_t* y, int64_t n) {
  for (int64_t i = 0; i < n; i += lanes)
    store_bytes(y + i, to_bytes(round_to(rounding, load_floats(x + i, n - i) / splat(scale))),
                n - i < lanes ? int(n - i) : lanes);
}

inline void quantize(const espalier::steps::quantize& s, const Context& c) {
  const float* x = c.at<const float>(s.x);
  const float* scale = c.at<const float>(s.scale);
  const uint8_t* zero = c.at<const uint8_t>(s.zero);
  uint8_t* y = c.at<uint8_t>(s.y);
  const bool one = s.channels == 1;
  // One scale for all: runs of any length. Otherwise a run is what has one scale.
  const int64_t run = one ? 1 : s.inner, runs = one ? int64_t(s.outer) * s.inner : int64_t(s.outer) * s.channels;
  const Range mine = c.share(runs, one ? 1024 : 1);
  if (one)
    return quantize_run(x + mine.begin, *scale, rounding_to(s.isSigned, zero_of(zero, 0, s.isSigned)), y + mine.begin,
                        mine.end - mine.begin);
  for (int64_t i = mine.begin; i < mine.end; i++) {
    const int64_t channel = i % s.channels;
    const int32_t own = zero_of(zero ? zero + channel : nullptr, 0, s.isSigned);
    quantize_run(x + i * run, scale[channel], rounding_to(s.isSigned, own), y + i * run, run);
  }
}

inline void dequantize_run(const uint8_t* x, int type, float scale, int32_t zero, float* y, int64_t n) {
  const f32v factor = splat(scale);
  for (int64_t i = 0; i < n; i += lanes) {
    const int some = n - i < lanes ? int(n - i) : lanes;
    const i32v value = type == 2 ? load_some(reinterpret_cast<const int32_t*>(x) + i, some)
                                 : to_i32(load_bytes(x + i, some), type == 1);
    const f32v result = to_f32(wrap_add(value, splat(-zero))) * factor;
    if (some == lanes) store(y + i, result);
    else store_part(y + i, result, some);
  }
}

inline void dequantize(const espalier::steps::dequantize& s, const Context& c) {
  const uint8_t* x = c.at<const uint8_t>(s.x);
  const float* scale = c.at<const float>(s.scale);
  const uint8_t* zero = c.at<const uint8_t>(s.zero);
  float* y = c.at<float>(s.y);
  const int size = s.type == 2 ? 4 : 1;
  const auto zero_at = [&](int64_t i) {
    if (zero == nullptr) return 0;
    return s.type == 2 ? load32(zero + 4 * i) : zero_of(zero + i, 0, s.type == 1);
  };
  if (s.channels == 1) {
    const Range mine = c.share(int64_t(s.outer) * s.inner, 1024);
    return dequantize_run(x + mine.begin * size, s.type, *scale, zero_at(0), y + mine.begin, mine.end - mine.begin);
  }
  const Range mine = c.share(int64_t(s.outer) * s.channels);
  for (int64_t i = mine.begin; i < mine.end; i++) {
    const int64_t at = i * s.inner, channel = i % s.channels;
    dequantize_run(x + at * size, s.type, scale[channel], zero_at(channel), y + at, s.inner);
  }
}

// Elements of a chunk of which the range is taken.
constexpr int64_t range_chunk = 4096;

inline void dynamic_quantize(const espalier::steps::dynamic_quantize& s, const Context& c) {
  const float* x = c.at<const float>(s.x);
  float* ranges = c.at<float>(s.scratch);
  const int64_t count = int64_t(s.rows) * s.columns, chunks = (count + range_chunk - 1) / range_chunk;
  const Range own = c.share(chunks);
  for (int64_t chunk = own.begin; chunk < own.end; chunk++) {
    f32v least{}, most{};
    const int64_t end = (chunk + 1) * range_chunk < count ? (chunk + 1) * range_chunk : count;
    for (int64_t i = chunk * range_chunk; i < end; i += lanes) {
      const f32v v = load_floats(x + i, end - i);
      least = min(v, least);
      most = max(v, most);
    }
    ranges[2 * chunk] = -max_lane(-least);
    ranges[2 * chunk + 1] = max_lane(most);
  }
  c.barrier();
  float least = 0, most = 0;
  for (int64_t chunk = 0; chunk < chunks; chunk++) {
    least = ranges[2 * chunk] < least ? ranges[2 * chunk] : least;
    most = ranges[2 * chunk + 1] > most ? ranges[2 * chunk + 1] : most;
  }
  const float scale = (most - least) / 255;
  const float middle = scale > 0 ? -least / scale : 0;
  const int32_t zero = scale > 0 ? to_i32(round_even(splat(middle < 255 ? middle : 255)))[0] : 0;
  if (c.thread == 0) {
    *c.at<float>(s.scale) = scale;
    *c.at<uint8_t>(s.zero) = uint8_t(zero);
  }
  const float divisor = scale > 0 ? scale : __builtin_inff();  // nothing but zeros: zeros
  const Rounding rounding = rounding_to(false, zero);
  uint8_t* y = c.at<uint8_t>(s.y);
  if (s.stride == 0) {
    const Range mine = c.share(count, 1024);
    return quantize_run(x + mine.begin, divisor, rounding, y + mine.begin, mine.end - mine.begin);
  }
  activation8* prepared = reinterpret_cast<activation8*>(y);
  const int32_t shift = dot_depth == 2 ? zero : activations_signed ? 128 : 0;
  const Range mine = c.share(s.rows);
  for (int64_t r = mine.begin; r < mine.end; r++) {
    const float* from = x + r * s.columns;
    activation8* to = prepared + r * s.stride;
    int64_t i = 0;
    for (; i + lanes <= s.columns; i += lanes) {
      const auto row =
          __builtin_convertvector(round_to(rounding, load(from + i) / splat(divisor)) - splat(shift), activation_lanes);
      __builtin_memcpy(to + i, &row, sizeof(row));
    }
    const int left = int(s.columns - i);
    const i32v rest = round_to(rounding, load_part(from + i, left) / splat(divisor)) - splat(shift);
    for (int j = 0; j < left; j++) to[i + j] = activation8(rest[j]);
    for (i = s.columns; i < s.stride; i++) to[i] = 0;
  }
}

inline void add_i8(const espalier::steps::add_i8& s, const Context& c) {
  const uint8_t* a = c.at<const uint8_t>(s.a);
  const uint8_t* b = c.at<const uint8_t>(s.b);
  uint8_t* y = c.at<uint8_t>(s.y);
  const bool a_signed = s.isSigned[0], b_signed = s.isSigned[1];
  const i32v a_zero = splat(zero_of(c.at<const uint8_t>(s.aZero), 0, a_signed));
  const i32v b_zero = splat(zero_of(c.at<const uint8_t>(s.bZero), 0, b_signed));
  const f32v a_scale = splat(*c.at<const float>(s.aScale)), b_scale = splat(*c.at<const float>(s.bScale));
  const f32v y_scale = splat(*c.at<const float>(s.yScale));
  const Rounding rounding = rounding_to(s.isSigned[2], zero_of(c.at<const uint8_t>(s.yZero), 0, s.isSigned[2]));
  const Range mine = c.share(s.count, 1024);
  for (int64_t i = mine.begin; i < mine.end; i += lanes) {
    const int n = mine.end - i < lanes ? int(mine.end - i) : lanes;
    const f32v left = to_f32(to_i32(load_bytes(a + i, n), a_signed) - a_zero) * a_scale;
    const f32v right = to_f32(to_i32(load_bytes(b + i, n), b_signed) - b_zero) * b_scale;
    const f32v sum = activate(s.activation, left + right, f32v{}, f32v{});
    store_bytes(y + i, to_bytes(round_to(rounding, sum / y_scale)), n);
  }
}

inline void lookup_i8(const espalier::steps::lookup_i8& s, const Context& c) {
  const uint8_t* x = c.at<const uint8_t>(s.x);
  const uint8_t* table = c.at<const uint8_t>(s.table);
  uint8_t* y = c.at<uint8_t>(s.y);
  const Range mine = c.share(s.count, 1024);
  for (int64_t i = mine.begin; i < mine.end; i++) y[i] = table[x[i]];
}

}  // namespace ESPALIER_ISA
