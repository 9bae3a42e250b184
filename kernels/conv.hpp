// Convolution of float32, channels last, as a matrix product whose left side is never made: a row is an output pixel and
// knows where the input pixel of each kernel tap lies; k runs over taps and channels; a column is an output channel.
//
// Floor: 2 * pixels * outputs * taps * channels flops at the multiply-add peak. What is not arithmetic is kept small so:
//  * pointers are found once per chunk of pixels and used for all panels of output channels;
//  * a part of a panel (`depth` of k) stays in the first-level cache while all rows of the chunk pass; sums wait in
//    scratch meanwhile;
//  * the rows of a chunk are cut into tiles of nearly the same height, so that 49 pixels take 49/6 tiles' time and not 9;
//  * output channels that fill no more than a vector of their panel take tiles that are one vector wide and higher;
//  * with few channels the windows of a chunk are copied with their padding first, and the taps along a row are one
//    run of k (a stem with 3 channels and 7 taps: 21 steps instead of seven runs of 3).
// The order of the sum is tap, channel for every pixel, however the work is cut: same bits for any number of threads.
// (The idea of pointers per tap is that of Dukhan, "The Indirect Convolution Algorithm", 2019.)
#pragma once
#include "gemm_tile.hpp"
#include "generated/steps.hpp"
#include "math/activation.hpp"

namespace ESPALIER_ISA {

using espalier::Context;
using espalier::Range;

// Along one axis, output o sees the inputs o * step + first + t * spacing for t in 0..taps, and is written at
// y_first + o * y_step.
struct ConvAxis {
  int64_t inputs, outputs, taps;
  int64_t step, first, spacing;
  int64_t y_first, y_step, y_extent;
};

// A convolution, or one phase of a transposed one.
struct ConvWork {
  const float *x, *w, *bias, *residual, *zeros;
  float* y;
  int64_t batch;
  ConvAxis axis[3];
  int64_t channels, outputs, groups;
  // Of the packed weights: k of a panel, and where this phase begins in it.
  int64_t panel_depth, panel_begin;
  int64_t chunk[2];
  bool copied;
  int64_t depth;
  int activation;
  float alpha, beta;

  int64_t group_channels() const { return channels / groups; }
  int64_t group_outputs() const { return outputs / groups; }
  int64_t panels() const { return (group_outputs() + gemm_columns - 1) / gemm_columns; }
  int64_t taps() const { return axis[0].taps * axis[1].taps * axis[2].taps; }
  int64_t pixels() const { return batch * axis[0].outputs * axis[1].outputs * axis[2].outputs; }
  // Runs of k, and their length.
  int64_t runs() const { return copied ? axis[0].taps * axis[1].taps : taps(); }
  int64_t run_length() const { return copied ? axis[2].taps * channels : group_channels(); }

  int64_t chunks() const {
    if (!copied) return (pixels() + chunk[0] - 1) / chunk[0];
    return batch * axis[0].outputs * down() * across();
  }
  int64_t down() const { return (axis[1].outputs + chunk[1] - 1) / chunk[1]; }
  int64_t across() const { return (axis[2].outputs + chunk[0] - 1) / chunk[0]; }
  int64_t jobs() const { return chunks() * groups * panels(); }
};

// What a thread knows of the chunk it works on.
struct ConvChunk {
  int64_t pixels;
  const float** rows;  // [run][pixel]: where the run begins for the pixel
  int64_t* places;     // [pixel]: offset of its channels in y, from `place` on
  int64_t place;
  int64_t high, wide;  // of the rectangle that was copied last: rows and places of one as large are the same
  float* sums;         // [pixel][gemm_columns]
  float* window;       // the copied input
};

inline ConvChunk conv_scratch(const ConvWork& v, uint8_t* scratch) {
  const int64_t most = v.copied ? v.chunk[0] * v.chunk[1] : v.chunk[0];
  auto take = [&](int64_t bytes) {
    uint8_t* at = scratch;
    scratch += (bytes + 63) & ~int64_t(63);
    return at;
  };
  ConvChunk k;
  k.pixels = k.place = k.high = k.wide = 0;
  k.rows = reinterpret_cast<const float**>(take(v.runs() * most * 8));
  k.places = reinterpret_cast<int64_t*>(take(most * 8));
  k.sums = reinterpret_cast<float*>(take(most * gemm_columns * 4));
  k.window = reinterpret_cast<float*>(scratch);
  return k;
}

ESPALIER_INLINE int64_t conv_place(const ConvWork& v, int64_t n, int64_t d, int64_t i, int64_t j) {
  const ConvAxis* a = v.axis;
  int64_t at = n * a[0].y_extent + a[0].y_first + d * a[0].y_step;
  at = at * a[1].y_extent + a[1].y_first + i * a[1].y_step;
  return (at * a[2].y_extent + a[2].y_first + j * a[2].y_step) * v.outputs;
}

// A tap's rows for `count` pixels side by side, the first of which sees `column` of a line of the input, which begins at
// pixel `line`: pointers to zeros where the line has no such column.
ESPALIER_INLINE void conv_point_line(const ConvWork& v, const float** to, int64_t count, int64_t line, int64_t column) {
  const int64_t step = v.axis[2].step, inputs = v.axis[2].inputs;
  int64_t from = column < 0 ? (step == 1 ? -column : (step - 1 - column) / step) : 0;
  int64_t end = column >= inputs ? 0 : step == 1 ? inputs - column : (inputs - column + step - 1) / step;
  if (from > count) from = count;
  if (end > count) end = count;
  if (end < from) end = from;
  const int64_t start = (line + column) * v.channels, next = step * v.channels;
  for (int64_t p = 0; p < from; p++) to[p] = v.zeros;
  for (int64_t p = from; p < end; p++) to[p] = v.x + (start + p * next);
  for (int64_t p = end; p < count; p++) to[p] = v.zeros;
}

// Rows that point into the input, or to zeros on padding.
inline void conv_point(const ConvWork& v, int64_t index, ConvChunk& k) {
  const ConvAxis &a = v.axis[0], &b = v.axis[1], &c = v.axis[2];
  const int64_t chunks = v.chunks(), all = v.pixels();
  const int64_t begin = all * index / chunks;
  k.pixels = all * (index + 1) / chunks - begin;
  int64_t j = begin % c.outputs, rest = begin / c.outputs;
  int64_t i = rest % b.outputs;
  rest /= b.outputs;
  int64_t d = rest % a.outputs, n = rest / a.outputs;
  for (int64_t r = 0, count; r < k.pixels; r += count) {
    count = c.outputs - j < k.pixels - r ? c.outputs - j : k.pixels - r;
    const int64_t place = conv_place(v, n, d, i, j);
    for (int64_t p = 0; p < count; p++) k.places[r + p] = place + p * (c.y_step * v.outputs);
    const float** to = k.rows + r;
    for (int64_t s = 0; s < a.taps; s++) {
      const int64_t plane = d * a.step + a.first + s * a.spacing;
      for (int64_t t = 0; t < b.taps; t++) {
        const int64_t row = i * b.step + b.first + t * b.spacing;
        const bool inside = plane >= 0 && plane < a.inputs && row >= 0 && row < b.inputs;
        const int64_t line = ((n * a.inputs + plane) * b.inputs + row) * c.inputs;
        for (int64_t u = 0; u < c.taps; u++, to += k.pixels)
          conv_point_line(v, to, count, line, inside ? j * c.step + c.first + u * c.spacing : c.inputs);
      }
    }
    j = 0;
    if (++i < b.outputs) continue;
    i = 0;
    if (++d < a.outputs) continue;
    d = 0;
    n++;
  }
}

// `count` floats from x, where positions below `from` and beyond `to` are zeros.
inline void conv_copy_line(float* out, const float* x, int64_t count, int64_t from, int64_t to) {
  if (from > count) from = count;
  if (to < from) to = from;
  for (int64_t p = 0; p < from; p++) out[p] = 0;
  int64_t p = from;
  for (; p + lanes <= to; p += lanes) store(out + p, load(x + p));
  for (; p < to; p++) out[p] = x[p];
  for (p = to; p < count; p++) out[p] = 0;
}

// Rows that point into a copy of the windows with their padding.
inline void conv_copy(const ConvWork& v, int64_t index, ConvChunk& k) {
  const ConvAxis &a = v.axis[0], &b = v.axis[1], &c = v.axis[2];
  const int64_t at = index % v.across(), below = index / v.across() % v.down();
  const int64_t deep = index / v.across() / v.down();
  const int64_t d = deep % a.outputs, n = deep / a.outputs;
  const int64_t i0 = b.outputs * below / v.down(), i1 = b.outputs * (below + 1) / v.down();
  const int64_t j0 = c.outputs * at / v.across(), j1 = c.outputs * (at + 1) / v.across();
  const int64_t high = (i1 - i0 - 1) * b.step + (b.taps - 1) * b.spacing + 1;
  const int64_t wide = (j1 - j0 - 1) * c.step + c.taps;
  const int64_t left = j0 * c.step + c.first, top = i0 * b.step + b.first;
  // The part of a copied line that lies in the input.
  int64_t from = left < 0 ? -left : 0, to = c.inputs - left;
  if (to > wide) to = wide;
  for (int64_t s = 0; s < a.taps; s++) {
    const int64_t plane = d * a.step + a.first + s * a.spacing;
    for (int64_t t = 0; t < high; t++) {
      const int64_t row = top + t;
      const bool inside = plane >= 0 && plane < a.inputs && row >= 0 && row < b.inputs;
      const int64_t line = (((n * a.inputs + plane) * b.inputs + row) * c.inputs + left) * v.channels;
      float* out = k.window + (s * high + t) * wide * v.channels;
      if (inside) conv_copy_line(out, v.x + line, wide * v.channels, from * v.channels, to * v.channels);
      else conv_copy_line(out, nullptr, wide * v.channels, 0, 0);
    }
  }
  k.place = conv_place(v, n, d, i0, j0);
  if (k.high == i1 - i0 && k.wide == j1 - j0) return;
  k.high = i1 - i0;
  k.wide = j1 - j0;
  k.pixels = k.high * k.wide;
  const int64_t origin = conv_place(v, 0, 0, 0, 0);
  int64_t r = 0;
  for (int64_t i = 0; i < k.high; i++)
    for (int64_t j = 0; j < k.wide; j++, r++) {
      k.places[r] = conv_place(v, 0, 0, i, j) - origin;
      const float** to_row = k.rows + r;
      for (int64_t s = 0; s < a.taps; s++)
        for (int64_t t = 0; t < b.taps; t++, to_row += k.pixels)
          *to_row = k.window + ((s * high + i * b.step + t * b.spacing) * wide + j * c.step) * v.channels;
    }
}

// A panel of output channels and a part of k, for all rows of a chunk.
struct ConvPart {
  const float* panel;
  int64_t run, runs, offset, length;  // runs of k, and the part of each
  bool first, last;
  f32v bias[gemm_vectors];
  f32v lo, hi;      // what the activation clips to
  int64_t column;   // of y, where the panel begins
  int64_t columns;  // of the panel that exist
};

// Residual and activation of rows that do not fill vectors, or of an activation that takes more than a clip.
__attribute__((noinline)) inline void conv_finish(const ConvWork& v, const ConvPart& part, const ConvChunk& k, int64_t begin, int rows) {
  const int64_t* places = k.places + begin;
  const float* sums = k.sums + begin * gemm_columns;
  for (int64_t i = 0; i < part.columns; i += lanes) {
    const int n = part.columns - i < lanes ? int(part.columns - i) : lanes;
    const int64_t column = k.place + part.column + i;
    const auto each = [&](auto f) __attribute__((always_inline)) {
      for (int r = 0; r < rows; r++) {
        const f32v s = f(load(sums + r * gemm_columns + i), places[r] + column);
        store_part(v.y + places[r] + column, s, n);
      }
    };
    if (!v.residual && v.activation <= activation_clip) {
      each([&](f32v s, int64_t) __attribute__((always_inline)) { return clip(s, part.lo, part.hi); });
      continue;
    }
    each([&](f32v s, int64_t at) __attribute__((always_inline)) {
      if (v.residual) s += load_part(v.residual + at, n);
      return activate(v.activation, s, splat(v.alpha), splat(v.beta));
    });
  }
}

// Tiles under one another, from pixel `begin` on.
template <int Rows, int Vectors>
__attribute__((noinline)) void conv_tiles(const ConvWork& v, const ConvPart& part, const ConvChunk& k, int64_t begin,
                                          int64_t end) {
  const bool simple = part.columns == Vectors * lanes && v.activation <= activation_clip;
  const int64_t runs = part.runs, length = part.length, offset = part.offset, column = k.place + part.column;
  for (; begin < end; begin += Rows) {
    GemmTile<Rows, Vectors> tile;
    float* sums = k.sums + begin * gemm_columns;
    if (part.first) tile.each([&](int, int i, f32v& s) __attribute__((always_inline)) { s = part.bias[i]; });
    else tile.load(sums, gemm_columns);
    // The residual lies far apart from row to row: nothing fetches it ahead unless told.
    if (v.residual && part.last)
      for (int r = 0; r < Rows; r++) __builtin_prefetch(v.residual + k.places[begin + r] + column);
    const float* panel = part.panel;
    const float* const* from = k.rows + part.run * k.pixels + begin;
    for (int64_t run = 0; run < runs; run++, panel += length * gemm_columns, from += k.pixels) {
      const float* rows[Rows];
#pragma GCC unroll 32
      for (int r = 0; r < Rows; r++) rows[r] = from[r] + offset;
      tile.multiply(rows, length, panel);
    }
    if (!part.last || !simple) {
      tile.store(sums, gemm_columns);
      if (part.last) conv_finish(v, part, k, begin, Rows);
      continue;
    }
    const int64_t* places = k.places + begin;
    if (v.residual)
      tile.each([&](int r, int i, f32v& s) __attribute__((always_inline)) {
        s += load(v.residual + places[r] + column + i * lanes);
      });
    if (v.activation != activation_none)
      tile.each([&](int, int, f32v& s) __attribute__((always_inline)) { s = max(part.lo, s); });
    if (v.activation == activation_clip)
      tile.each([&](int, int, f32v& s) __attribute__((always_inline)) { s = min(part.hi, s); });
    tile.each([&](int r, int i, f32v& s) __attribute__((always_inline)) {
      store(v.y + places[r] + column + i * lanes, s);
    });
  }
}

template <int Rows, int Vectors>
ESPALIER_INLINE void conv_tiles_of(int64_t rows, const ConvWork& v, const ConvPart& part, const ConvChunk& k,
                                   int64_t begin, int64_t end) {
  if (rows == Rows) return conv_tiles<Rows, Vectors>(v, part, k, begin, end);
  if constexpr (Rows > 1) conv_tiles_of<Rows - 1, Vectors>(rows, v, part, k, begin, end);
}

// The rows of a chunk, in tiles of two heights that differ by one.
template <int Rows, int Vectors>
ESPALIER_INLINE void conv_rows(const ConvWork& v, const ConvPart& part, const ConvChunk& k) {
  const int64_t tiles = (k.pixels + Rows - 1) / Rows, height = k.pixels / tiles;
  const int64_t middle = k.pixels % tiles * (height + 1);
  if (middle > 0) conv_tiles_of<Rows, Vectors>(height + 1, v, part, k, 0, middle);
  conv_tiles_of<Rows, Vectors>(height, v, part, k, middle, k.pixels);
}

// Rows of a tile that is one vector wide: enough sums to hide the latency of the multiply-add.
constexpr int conv_narrow_rows = gemm_rows > 8 ? gemm_rows : 8;

inline void conv_panel(const ConvWork& v, const ConvChunk& k, int64_t group, int64_t panel) {
  ConvPart part;
  const bool clips = v.activation == activation_clip;
  part.lo = splat(clips ? v.alpha : v.activation == activation_relu ? 0.0f : -__builtin_inff());
  part.hi = splat(clips ? v.beta : __builtin_inff());
  part.column = group * v.group_outputs() + panel * gemm_columns;
  const int64_t left = v.group_outputs() - panel * gemm_columns;
  part.columns = left < gemm_columns ? left : gemm_columns;
  for (int i = 0; i < gemm_vectors; i++) {
    const int64_t n = part.columns - i * lanes;
    part.bias[i] = !v.bias || n <= 0 ? f32v{} : load_part(v.bias + part.column + i * lanes, n < lanes ? int(n) : lanes);
  }
  part.panel = v.w + ((group * v.panels() + panel) * v.panel_depth + v.panel_begin) * gemm_columns;
  const int64_t runs = v.runs(), length = v.run_length();
  // A part is several runs, or a piece of one.
  const int64_t pieces = (length + v.depth - 1) / v.depth > 1 ? (length + v.depth - 1) / v.depth : 1;
  const int64_t fit = pieces > 1 || length == 0 ? 1 : v.depth / length;
  const int64_t steps = runs * length == 0 ? 1 : pieces > 1 ? runs : (runs + fit - 1) / fit;
  for (int64_t step = 0; step < steps; step++) {
    part.run = runs * step / steps;
    part.runs = runs * (step + 1) / steps - part.run;
    for (int64_t piece = 0; piece < pieces; piece++) {
      const int64_t from = length * piece / pieces;
      part.length = length * (piece + 1) / pieces - from;
      part.offset = from + group * (v.copied ? 0 : v.group_channels());
      part.first = step == 0 && piece == 0;
      part.last = step == steps - 1 && piece == pieces - 1;
      if (part.columns <= lanes) conv_rows<conv_narrow_rows, 1>(v, part, k);
      else conv_rows<gemm_rows, gemm_vectors>(v, part, k);
      part.panel += part.runs * part.length * gemm_columns;
    }
  }
}

// All of it. A job is a panel of a group, for a chunk of pixels; threads take as many as make some tens of microseconds.
inline void conv_work(const ConvWork& v, const Context& c, uint8_t* scratch) {
  const int64_t per_chunk = v.groups * v.panels(), jobs = v.jobs();
  const int64_t flops = v.pixels() / v.chunks() * gemm_columns * v.runs() * v.run_length();
  ConvChunk k = conv_scratch(v, scratch);
  int64_t ready = -1;
  c.pieces(jobs, (1 << 21) / (flops + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t job = begin; job < end; job++) {
      const int64_t chunk = job / per_chunk, which = job % per_chunk;
      if (chunk != ready) {
        if (v.copied) conv_copy(v, chunk, k);
        else conv_point(v, chunk, k);
        ready = chunk;
      }
      conv_panel(v, k, which / v.panels(), which % v.panels());
    }
  });
}

template <class S>
ConvWork conv_work_of(const S& s, const Context& c) {
  ConvWork v;
  v.x = c.at<const float>(s.x);
  v.w = c.at<const float>(s.w);
  v.bias = c.at<const float>(s.bias);
  v.residual = nullptr;
  v.zeros = c.at<const float>(s.zeros);
  v.y = c.at<float>(s.y);
  v.batch = s.batch;
  v.channels = s.channels;
  v.outputs = s.outputs;
  v.groups = s.groups;
  v.panel_depth = int64_t(s.kernel[0]) * s.kernel[1] * s.kernel[2] * v.group_channels();
  v.panel_begin = 0;
  v.chunk[0] = s.chunk[0];
  v.chunk[1] = s.chunk[1];
  v.copied = s.copied;
  v.depth = s.depth;
  v.activation = s.activation;
  v.alpha = s.alpha;
  v.beta = s.beta;
  return v;
}

inline void conv_f32(const espalier::steps::conv_f32& s, const Context& c) {
  ConvWork v = conv_work_of(s, c);
  v.residual = c.at<const float>(s.residual);
  for (int i = 0; i < 3; i++)
    v.axis[i] = {s.input[i],  s.output[i],     s.kernel[i], s.strides[i], -int64_t(s.pads[i]),
                 s.dilations[i], 0, 1, s.output[i]};
  if (v.pixels() == 0 || v.outputs == 0) return;
  conv_work(v, c, c.at<uint8_t>(s.scratch) + int64_t(c.thread) * s.scratchBytes);
}

// A transposed convolution falls apart into one ordinary convolution for each place of an output within the stride:
// output p + i * stride sees input i + (p + pad - t * dilation) / stride for the taps t where that is whole. The weights
// are packed with the taps of the first phase first (lower-convolution.ts), and so on.
inline ConvAxis conv_phase(int64_t phase, int64_t input, int64_t output, int64_t kernel, int64_t stride,
                           int64_t dilation, int64_t pad) {
  ConvAxis a = {input, phase < output ? (output - phase + stride - 1) / stride : 0, 0, 1, 0, 0, phase, stride, output};
  for (int64_t t = 0; t < kernel; t++) {
    const int64_t from = phase + pad - t * dilation;
    if (from % stride != 0) continue;
    if (a.taps == 0) a.first = from / stride;
    if (a.taps == 1) a.spacing = from / stride - a.first;
    a.taps++;
  }
  return a;
}

inline void conv_transpose_f32(const espalier::steps::conv_transpose_f32& s, const Context& c) {
  ConvWork v = conv_work_of(s, c);
  if (v.batch == 0 || v.outputs == 0) return;
  const int64_t phases = int64_t(s.strides[0]) * s.strides[1] * s.strides[2];
  auto set = [&](int64_t phase) {
    int64_t rest = phase;
    for (int i = 2; i >= 0; i--) {
      v.axis[i] = conv_phase(rest % s.strides[i], s.input[i], s.output[i], s.kernel[i], s.strides[i], s.dilations[i], s.pads[i]);
      rest /= s.strides[i];
    }
  };
  uint8_t* scratch = c.at<uint8_t>(s.scratch) + int64_t(c.thread) * s.scratchBytes;
  for (int64_t phase = 0; phase < phases; phase++) {
    set(phase);
    if (v.pixels() > 0) conv_work(v, c, scratch);
    v.panel_begin += v.taps() * v.group_channels();
  }
}

inline void conv_pack_f32(const espalier::steps::conv_pack_f32& s, const Context& c) {
  const float* w = c.at<const float>(s.w);
  float* packed = c.at<float>(s.packed);
  const int64_t panels = (int64_t(s.outputs) + gemm_columns - 1) / gemm_columns;
  const int64_t depth = int64_t(s.taps_count) * s.channels;
  const Range mine = c.share(s.groups * panels);
  for (int64_t job = mine.begin; job < mine.end; job++) {
    const int64_t group = job / panels, first = job % panels * gemm_columns;
    const float* from = w + group * s.groupStride;
    float* to = packed + job * depth * gemm_columns;
    for (int64_t t = 0; t < s.taps_count; t++)
      for (int64_t k = 0; k < s.channels; k++, to += gemm_columns)
        for (int64_t j = 0; j < gemm_columns; j++)
          to[j] = first + j < s.outputs ? from[(first + j) * s.outputStride + k * s.channelStride + s.taps[t]] : 0.0f;
  }
}

}  // namespace ESPALIER_ISA
