// Largest byte of sliding windows, channels last. Memory-bound: every byte of a window is read once from the cache.
#pragma once
#include "generated/steps.hpp"
#include "simd8.hpp"

namespace ESPALIER_ISA {

using espalier::Context;
using espalier::Range;

typedef uint8_t bytes16 __attribute__((vector_size(16)));

// Channels at..at+n of one output pixel; `taps` are pixels. Signed bytes compare as unsigned ones with the sign turned.
inline void largest_of(const uint8_t* const* taps, int64_t count, uint8_t flip, uint8_t* y, int64_t channels) {
  const bytes16 flips = bytes16{} + flip;
  int64_t at = 0;
  for (; at + 16 <= channels; at += 16) {
    bytes16 most{};
    for (int64_t t = 0; t < count; t++) {
      bytes16 v;
      __builtin_memcpy(&v, taps[t] + at, 16);
      v ^= flips;
      most = v > most ? v : most;
    }
    most ^= flips;
    __builtin_memcpy(y + at, &most, 16);
  }
  for (; at < channels; at++) {
    uint8_t most = 0;
    for (int64_t t = 0; t < count; t++) {
      const uint8_t v = taps[t][at] ^ flip;
      most = v > most ? v : most;
    }
    y[at] = most ^ flip;
  }
}

constexpr int most_pool_taps = 1024;

inline void max_pool_i8(const espalier::steps::max_pool_i8& s, const Context& c) {
  const uint8_t* x = c.at<const uint8_t>(s.x);
  uint8_t* y = c.at<uint8_t>(s.y);
  const uint8_t* taps[most_pool_taps];
  const int64_t plane = int64_t(s.output[0]) * s.output[1] * s.output[2];
  const Range mine = c.share(s.batch * plane, 8);
  for (int64_t i = mine.begin; i < mine.end; i++) {
    const int64_t place = i % plane;
    const uint8_t* from = x + i / plane * s.input[0] * s.input[1] * s.input[2] * s.channels;
    const int64_t at[3] = {place / s.output[2] / s.output[1], place / s.output[2] % s.output[1], place % s.output[2]};
    int64_t count = 0;
    for (int a = 0; a < s.kernel[0]; a++)
      for (int b = 0; b < s.kernel[1]; b++)
        for (int d = 0; d < s.kernel[2]; d++) {
          const int tap[3] = {a, b, d};
          int64_t offset = 0;
          bool inside = true;
          for (int axis = 0; axis < 3; axis++) {
            const int64_t p = at[axis] * s.strides[axis] - s.pads[axis] + int64_t(tap[axis]) * s.dilations[axis];
            inside = inside && p >= 0 && p < s.input[axis];
            offset = offset * s.input[axis] + p;
          }
          if (inside) taps[count++] = from + offset * s.channels;
        }
    largest_of(taps, count, s.isSigned ? 0x80 : 0, y + i * s.channels, s.channels);
  }
}

}  // namespace ESPALIER_ISA
