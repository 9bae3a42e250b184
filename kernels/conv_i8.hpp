// Convolutions of 8-bit integers, channels last: products of matrices with one pointer for each output pixel and tap
// (gemm_i8.hpp), and depthwise ones apart, where every channel is multiplied by its own weights.
#pragma once
#include "gemm_i8.hpp"

namespace ESPALIER_ISA {

// The padding pixel and the rest of this thread's scratch.
template <class T, class Step>
T* own_scratch(const Step& s, const Context& c) {
  return reinterpret_cast<T*>(c.at<uint8_t>(s.scratch) + int64_t(c.thread) * s.scratchBytes);
}

template <class Step, class To>
void copy_window(const Step& s, To& to) {
  for (int i = 0; i < 2; i++) {
    to.input[i] = s.input[i];
    to.output[i] = s.outputSize[i];
    to.kernel[i] = s.kernel[i];
    to.strides[i] = s.strides[i];
    to.pads[i] = s.pads[i];
    to.dilations[i] = s.dilations[i];
  }
}

inline void conv_i8(const espalier::steps::conv_i8& s, const Context& c) {
  const int32_t x_zero = prepared_zero(c.at<const uint8_t>(s.xZero), s.xSigned);
  const int64_t pixel = int64_t(s.groups) * s.xGroup;
  activation8* padding = own_scratch<activation8>(s, c);
  for (int64_t i = 0; i < pixel; i++) padding[i] = activation8(i % s.xGroup < s.channels ? x_zero : 0);
  Product p{};
  p.window.x = c.at<const activation8>(s.x);
  p.window.padding = padding;
  p.window.pixel = pixel;
  copy_window(s, p.window);
  p.rows = int64_t(s.batch) * s.outputSize[0] * s.outputSize[1];
  p.depth = round_up(s.channels, dot_depth);
  p.count = int64_t(s.channels) * s.kernel[0] * s.kernel[1];
  p.groups = s.groups;
  p.columns = s.columns;
  p.x_group = s.xGroup;
  p.y_group = s.columns;
  p.y_stride = int64_t(s.groups) * s.columns;
  p.column_group = s.columns;
  p.w = c.at<const int8_t>(s.w);
  p.scratch = reinterpret_cast<uint8_t*>(padding) + round_up(pixel * int64_t(sizeof(activation8)), 64);
  multiply_i8(p, sums_of(s, c, x_zero), c);
}

constexpr int depthwise8_pixels = 4;
constexpr int most_depthwise8_taps = 128;

// Sums of `lanes` channels of P output pixels; pointers[tap][pixel], an even number of taps. Part: n channels only.
template <int P, bool Part>
ESPALIER_INLINE void depthwise8_sums(const uint8_t* const* pointers, int pairs, uint8_t flip, const int8_t* w,
                                     int64_t at, int n, int32_t* out) {
  const u8_lanes flips = u8_lanes{} + flip;
  i32v sums[P];
  for (int i = 0; i < P; i++) sums[i] = i32v{};
  for (int t = 0; t < pairs; t++, w += dot_columns * 2, pointers += 2 * depthwise8_pixels) {
    const i16v weights = widen(w);
    for (int i = 0; i < P; i++) {
      const uint8_t* a = pointers[i] + at;
      const uint8_t* b = pointers[depthwise8_pixels + i] + at;
      const u8_lanes left = Part ? load_bytes(a, n) : load_bytes(a);
      const u8_lanes right = Part ? load_bytes(b, n) : load_bytes(b);
      sums[i] = dot2(sums[i], interleave(left ^ flips, right ^ flips), weights);
    }
  }
  for (int i = 0; i < P; i++) store(out + i * dot_columns, sums[i]);
}

// Some output pixels, all channels.
template <int P>
void depthwise8_block(const Sums& f, const uint8_t* const* pointers, int pairs, uint8_t flip, const int8_t* w,
                      const int32_t* column_sums, int64_t channels, int64_t y_at) {
  int32_t out[P * dot_columns];
  for (int64_t ch = 0; ch < channels; ch += dot_columns) {
    const int count = int(channels - ch < dot_columns ? channels - ch : dot_columns);
    const int8_t* panel = w + ch * pairs * 2;
    for (int v = 0; v < count; v += lanes) {
      if (count - v >= lanes) depthwise8_sums<P, false>(pointers, pairs, flip, panel + 2 * v, ch + v, lanes, out + v);
      else depthwise8_sums<P, true>(pointers, pairs, flip, panel + 2 * v, ch + v, count - v, out + v);
    }
    finish_sums(f, out, nullptr, column_sums + ch, P, ch, count, y_at + ch, channels);
  }
}

inline void depthwise_i8(const espalier::steps::depthwise_i8& s, const Context& c) {
  const uint8_t flip = s.xSigned ? 0x80 : 0;
  const int32_t x_zero = zero_of(c.at<const uint8_t>(s.xZero), flip, false);
  const Sums f = sums_of(s, c, x_zero);
  uint8_t* padding = own_scratch<uint8_t>(s, c);
  for (int i = 0; i < s.channels; i++) padding[i] = uint8_t(x_zero ^ flip);
  const uint8_t* x = c.at<const uint8_t>(s.x);
  const int8_t* w = c.at<const int8_t>(s.w);
  const int taps = s.kernel[0] * s.kernel[1], pairs = (taps + 1) / 2;
  const int64_t whole = round_up(s.channels, dot_columns);
  const int32_t* column_sums = reinterpret_cast<const int32_t*>(w + whole * pairs * 2);
  const uint8_t* pointers[(most_depthwise8_taps + 1) * depthwise8_pixels];
  const auto work = [&](int64_t line) {
    const int64_t image = line / s.outputSize[0];
    const int64_t top = line % s.outputSize[0] * s.strides[0] - s.pads[0];
    const uint8_t* from = x + image * s.input[0] * s.input[1] * s.channels;
    for (int64_t first = 0; first < s.outputSize[1]; first += depthwise8_pixels) {
      const int64_t left = s.outputSize[1] - first;
      const int pixels = int(left < depthwise8_pixels ? left : depthwise8_pixels);
      for (int t = 0; t < 2 * pairs; t++)
        for (int i = 0; i < pixels; i++) {
          const int64_t py = top + int64_t(t / s.kernel[1]) * s.dilations[0];
          const int64_t px = (first + i) * s.strides[1] - s.pads[1] + int64_t(t % s.kernel[1]) * s.dilations[1];
          const bool inside = t < taps && py >= 0 && py < s.input[0] && px >= 0 && px < s.input[1];
          pointers[t * depthwise8_pixels + i] = inside ? from + (py * s.input[1] + px) * s.channels : padding;
        }
      const int64_t y_at = (line * s.outputSize[1] + first) * s.channels;
      if (pixels == depthwise8_pixels)
        depthwise8_block<depthwise8_pixels>(f, pointers, pairs, flip, w, column_sums, s.channels, y_at);
      else
        for (int i = 0; i < pixels; i++)
          depthwise8_block<1>(f, pointers + i, pairs, flip, w, column_sums, s.channels, y_at + i * s.channels);
    }
  };
  const int64_t products = int64_t(s.outputSize[1]) * s.channels * taps;
  c.pieces(int64_t(s.batch) * s.outputSize[0], (1 << 18) / (products + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; line++) work(line);
  });
}

// Weights [channels, taps] as [panel of channels][taps / 2][channel][2].
inline void pack_depthwise_i8(const espalier::steps::pack_depthwise_i8& s, const Context& c) {
  const uint8_t* x = c.at<const uint8_t>(s.x);
  int8_t* y = c.at<int8_t>(s.y);
  const uint8_t flip = s.isSigned ? 0 : 0x80;
  const int pairs = (s.taps + 1) / 2;
  const int64_t whole = round_up(s.channels, dot_columns);
  int32_t* sums = reinterpret_cast<int32_t*>(y + whole * pairs * 2);
  const Range mine = c.share(whole);
  for (int64_t ch = mine.begin; ch < mine.end; ch++) {
    int8_t* to = y + ch / dot_columns * dot_columns * pairs * 2 + ch % dot_columns * 2;
    int32_t sum = 0;
    for (int t = 0; t < 2 * pairs; t++) {
      const bool given = ch < s.channels && t < s.taps;
      const int8_t w = given ? int8_t(x[ch * s.taps + t] ^ flip) : int8_t(0);
      to[t / 2 * dot_columns * 2 + t % 2] = w;
      sum += w;
    }
    sums[ch] = sum;
  }
}

}  // namespace ESPALIER_ISA
