// Convolution of float32 by 3x3 kernels that move by one pixel, channels last, with fewer multiplications: a tile of the
// output is computed from transforms of the input tile and of the kernel, in which it is a product element by element,
// so that over channels and outputs it is one small matrix product for each element of the transform (Lavin and Gray,
// "Fast Algorithms for Convolutional Neural Networks", 2015). 4x4 outputs take 36 products where plain sums take 144,
// 2x2 outputs 16 where those take 36.
//
// Floor: 2 * 36 * tiles * channels * outputs flops at the multiply-add peak, and beside it the transforms: for a
// vector of channels of a tile 144 multiply-adds and 72 stores of the input (45 ns on a Zen 3 core, where the stores alone
// take 22), 120 and 40 of the output. Weights are 4 times as large as those of conv_f32, and read once for each block.
//  * A block has as many tiles as leave its transformed input in the second-level cache; panels of output channels pass
//    over it, each through all elements of the transform, and its sums are transformed back while they are in the cache.
//  * The planes of the transformed input are a cache line more than a power of two apart: the stores of an input tile
//    would otherwise all fall into one set of the first-level cache.
// Every sum adds its channels in order and a tile depends on nothing beside it: same bits for any number of threads.
//
// Points 0, +-5/8, +-3/2 and infinity: all coefficients of the data transforms are exact, and the error is about twice
// that of plain sums (with the usual 0, +-1, +-2 it is four times; Barabasz and others, "Error Analysis and Improving the
// Accuracy of Winograd Convolution for Deep Neural Networks", 2018, on why). An infinity or a NaN in the input reaches all
// outputs of its tiles.
#pragma once
#include "gemm_tile.hpp"
#include "generated/steps.hpp"
#include "math/activation.hpp"

namespace ESPALIER_ISA {

using espalier::Context;
using espalier::Range;

// Tiles of 4x4 outputs. The transforms are those of one axis; a vector holds channels.
struct WinogradFour {
  static constexpr int outputs = 4, inputs = 6;
  static constexpr double a = 0.625, b = 1.5, aa = a * a, bb = b * b;

  // The polynomials through all points but one, on the six inputs.
  ESPALIER_INLINE static void input(const f32v (&d)[inputs], f32v (&v)[inputs]) {
    const f32v even_a = fma(d[2], splat(float(-bb)), d[4]), odd_a = fma(d[1], splat(float(-bb)), d[3]);
    const f32v even_b = fma(d[2], splat(float(-aa)), d[4]), odd_b = fma(d[1], splat(float(-aa)), d[3]);
    v[0] = fma(d[0], splat(float(aa * bb)), fma(d[2], splat(float(-aa - bb)), d[4]));
    v[1] = fma(odd_a, splat(float(a)), even_a);
    v[2] = fma(odd_a, splat(float(-a)), even_a);
    v[3] = fma(odd_b, splat(float(b)), even_b);
    v[4] = fma(odd_b, splat(float(-b)), even_b);
    v[5] = fma(d[1], splat(float(aa * bb)), fma(d[3], splat(float(-aa - bb)), d[5]));
  }

  // Sums of powers of the points.
  ESPALIER_INLINE static void output(const f32v (&m)[inputs], f32v (&y)[outputs]) {
    const f32v sum_a = m[1] + m[2], difference_a = m[1] - m[2];
    const f32v sum_b = m[3] + m[4], difference_b = m[3] - m[4];
    y[0] = m[0] + (sum_a + sum_b);
    y[1] = fma(difference_a, splat(float(a)), difference_b * splat(float(b)));
    y[2] = fma(sum_a, splat(float(aa)), sum_b * splat(float(bb)));
    y[3] = fma(difference_a, splat(float(aa * a)), fma(difference_b, splat(float(bb * b)), m[5]));
  }

  // The kernel as a polynomial at the points, over what the other two transforms leave out.
  ESPALIER_INLINE static void weight(double g0, double g1, double g2, double (&u)[inputs]) {
    constexpr double scale_a = 0.5 / (aa * (aa - bb)), scale_b = 0.5 / (bb * (bb - aa));
    const double even_a = (g0 + aa * g2) * scale_a, odd_a = g1 * (a * scale_a);
    const double even_b = (g0 + bb * g2) * scale_b, odd_b = g1 * (b * scale_b);
    u[0] = g0 * (1 / (aa * bb));
    u[1] = even_a + odd_a;
    u[2] = even_a - odd_a;
    u[3] = even_b + odd_b;
    u[4] = even_b - odd_b;
    u[5] = g2;
  }
};

// Tiles of 2x2 outputs: points 0, +-1 and infinity.
struct WinogradTwo {
  static constexpr int outputs = 2, inputs = 4;

  ESPALIER_INLINE static void input(const f32v (&d)[inputs], f32v (&v)[inputs]) {
    v[0] = d[0] - d[2];
    v[1] = d[2] + d[1];
    v[2] = d[2] - d[1];
    v[3] = d[3] - d[1];
  }
  ESPALIER_INLINE static void output(const f32v (&m)[inputs], f32v (&y)[outputs]) {
    y[0] = m[0] + (m[1] + m[2]);
    y[1] = (m[1] - m[2]) + m[3];
  }
  ESPALIER_INLINE static void weight(double g0, double g1, double g2, double (&u)[inputs]) {
    u[0] = g0;
    u[1] = (g0 + g2 + g1) * 0.5;
    u[2] = (g0 + g2 - g1) * 0.5;
    u[3] = g2;
  }
};

struct WinogradWork {
  const float *x, *w, *bias, *residual, *zeros;
  float* y;
  int64_t input[2], output[2], pads[2];
  int64_t channels, outputs;
  int64_t tiles[2];  // of an image, down and across
  int64_t row;       // floats from a tile to the next in the transformed input
  int64_t plane;     // and from an element of the transform to the next
  int activation;
  float alpha, beta;
};

// What the tiles of a block need, in the scratch of a thread.
struct WinogradBlock {
  int64_t begin, tiles;
  float* input;  // [element][tile][channel]
  float* sums;   // [tile][element][gemm_columns]
};

struct WinogradTile {
  int64_t image, top, left;  // of the first output
};

template <class F>
ESPALIER_INLINE WinogradTile winograd_tile(const WinogradWork& v, int64_t index) {
  const int64_t across = index % v.tiles[1], rest = index / v.tiles[1];
  return {rest / v.tiles[0], rest % v.tiles[0] * F::outputs, across * F::outputs};
}

// Where the input of a tile lies, [column][row]; padding is zeros.
template <class F>
inline void winograd_point(const WinogradWork& v, const WinogradTile& tile, const float* (&at)[F::inputs * F::inputs]) {
  const int64_t top = tile.top - v.pads[0], left = tile.left - v.pads[1];
  const float* image = v.x + tile.image * v.input[0] * v.input[1] * v.channels;
  for (int i = 0; i < F::inputs; i++) {
    const int64_t row = top + i;
    const bool inside = row >= 0 && row < v.input[0];
    for (int j = 0; j < F::inputs; j++) {
      const int64_t column = left + j;
      at[j * F::inputs + i] = inside && column >= 0 && column < v.input[1]
                                  ? image + (row * v.input[1] + column) * v.channels
                                  : v.zeros;
    }
  }
}

// A vector of channels of a tile, from `offset` of all pointers. Not inlined, nor its outer loops unrolled: it is long.
template <class F>
__attribute__((noinline)) inline void winograd_turn(const float* const (&at)[F::inputs * F::inputs], int64_t offset, float* to, int64_t plane) {
  constexpr int n = F::inputs;
  f32v half[n][n];
#pragma GCC unroll 1
  for (int j = 0; j < n; j++) {
    f32v d[n], v[n];
#pragma GCC unroll 6
    for (int i = 0; i < n; i++) d[i] = load(at[j * n + i] + offset);
    F::input(d, v);
#pragma GCC unroll 6
    for (int i = 0; i < n; i++) half[i][j] = v[i];
  }
#pragma GCC unroll 1
  for (int i = 0; i < n; i++, to += n * plane) {
    f32v v[n];
    F::input(half[i], v);
#pragma GCC unroll 6
    for (int j = 0; j < n; j++) store(to + j * plane, v[j]);
  }
}

template <class F>
inline void winograd_input(const WinogradWork& v, const WinogradBlock& block) {
  constexpr int elements = F::inputs * F::inputs;
  const int64_t whole = v.channels / lanes * lanes;
  const float* at[elements];
  for (int64_t t = 0; t < block.tiles; t++) {
    winograd_point<F>(v, winograd_tile<F>(v, block.begin + t), at);
    float* to = block.input + t * v.row;
    for (int64_t c = 0; c < whole; c += lanes) winograd_turn<F>(at, c, to + c, v.plane);
    if (whole == v.channels) continue;
    float part[elements * lanes];
    for (int e = 0; e < elements; e++) {
      store(part + e * lanes, load_part(at[e] + whole, int(v.channels - whole)));
      at[e] = part + e * lanes;
    }
    winograd_turn<F>(at, 0, to + whole, v.plane);
  }
}

template <int Rows>
inline void winograd_product(const float* from, int64_t row, int64_t channels, const float* panel, float* sums, int64_t stride) {
  const float* rows[Rows];
#pragma GCC unroll 32
  for (int r = 0; r < Rows; r++) rows[r] = from + r * row;
  GemmTile<Rows> tile;
  tile.clear();
  tile.multiply(rows, channels, panel);
  tile.store(sums, stride);
}

template <int Rows>
ESPALIER_INLINE void winograd_product_of(int rows, const float* from, int64_t row, int64_t channels, const float* panel,
                                         float* sums, int64_t stride) {
  if (rows == Rows) return winograd_product<Rows>(from, row, channels, panel, sums, stride);
  if constexpr (Rows > 1) winograd_product_of<Rows - 1>(rows, from, row, channels, panel, sums, stride);
}

// The products of a panel of output channels with a block.
template <class F>
inline void winograd_multiply(const WinogradWork& v, const WinogradBlock& block, const float* panel) {
  constexpr int elements = F::inputs * F::inputs;
  const int64_t parts = (block.tiles + gemm_rows - 1) / gemm_rows;
  const int64_t height = block.tiles / parts, higher = block.tiles % parts;
  for (int e = 0; e < elements; e++, panel += v.channels * gemm_columns) {
    const float* from = block.input + e * v.plane;
    float* sums = block.sums + e * gemm_columns;
    for (int64_t part = 0; part < parts; part++) {
      const int64_t rows = height + (part < higher);
      winograd_product_of<gemm_rows>(int(rows), from, v.row, v.channels, panel, sums, elements * gemm_columns);
      from += rows * v.row;
      sums += rows * elements * gemm_columns;
    }
  }
}

// Sums to outputs: `n` channels from `column` on of the part of a tile that lies in the image.
template <class F>
inline void winograd_finish(const WinogradWork& v, const WinogradTile& tile, const float* sums, int64_t column, int n) {
  constexpr int in = F::inputs, out = F::outputs;
  f32v half[out][in];
#pragma GCC unroll 1
  for (int j = 0; j < in; j++) {
    f32v m[in], y[out];
#pragma GCC unroll 6
    for (int i = 0; i < in; i++) m[i] = load(sums + (i * in + j) * gemm_columns);
    F::output(m, y);
#pragma GCC unroll 4
    for (int i = 0; i < out; i++) half[i][j] = y[i];
  }
  const int64_t below = v.output[0] - tile.top, beside = v.output[1] - tile.left;
  const int high = below < out ? int(below) : out, wide = beside < out ? int(beside) : out;
  const bool whole = n == lanes;
  const f32v bias = v.bias ? (whole ? load(v.bias + column) : load_part(v.bias + column, n)) : f32v{};
  const bool clips = v.activation <= activation_clip;
  const f32v lo = splat(v.activation == activation_relu ? 0.0f : v.activation ? v.alpha : -__builtin_inff());
  const f32v hi = splat(v.activation == activation_clip ? v.beta : __builtin_inff());
  for (int i = 0; i < high; i++) {
    f32v y[out];
    F::output(half[i], y);
    int64_t at = ((tile.image * v.output[0] + tile.top + i) * v.output[1] + tile.left) * v.outputs + column;
    for (int j = 0; j < wide; j++, at += v.outputs) {
      f32v s = y[j] + bias;
      if (v.residual) s += whole ? load(v.residual + at) : load_part(v.residual + at, n);
      s = clips ? clip(s, lo, hi) : activate(v.activation, s, splat(v.alpha), splat(v.beta));
      if (whole) store(v.y + at, s);
      else store_part(v.y + at, s, n);
    }
  }
}

template <class F>
inline void winograd_output(const WinogradWork& v, const WinogradBlock& block, int64_t column) {
  for (int64_t t = 0; t < block.tiles; t++) {
    const WinogradTile tile = winograd_tile<F>(v, block.begin + t);
    const float* sums = block.sums + t * F::inputs * F::inputs * gemm_columns;
    for (int i = 0; i < gemm_vectors; i++) {
      const int64_t left = v.outputs - column - i * lanes;
      if (left <= 0) break;
      winograd_finish<F>(v, tile, sums + i * lanes, column + i * lanes, left < lanes ? int(left) : lanes);
    }
  }
}

template <class F>
inline void winograd_work(const espalier::steps::winograd_f32& s, const Context& c) {
  constexpr int64_t elements = F::inputs * F::inputs;
  WinogradWork v;
  v.x = c.at<const float>(s.x);
  v.w = c.at<const float>(s.w);
  v.bias = c.at<const float>(s.bias);
  v.residual = c.at<const float>(s.residual);
  v.zeros = c.at<const float>(s.zeros);
  v.y = c.at<float>(s.y);
  for (int i = 0; i < 2; i++) {
    v.input[i] = s.input[i];
    v.output[i] = s.output[i];
    v.pads[i] = s.pads[i];
    v.tiles[i] = (s.output[i] + F::outputs - 1) / F::outputs;
  }
  v.channels = s.channels;
  v.outputs = s.outputs;
  v.row = (v.channels + lanes - 1) / lanes * lanes;
  v.plane = s.blockTiles * v.row + 16;
  v.activation = s.activation;
  v.alpha = s.alpha;
  v.beta = s.beta;

  const int64_t tiles = s.batch * v.tiles[0] * v.tiles[1];
  if (tiles == 0 || v.outputs == 0) return;
  const int64_t panels = (v.outputs + gemm_columns - 1) / gemm_columns;
  const int64_t blocks = (tiles + s.blockTiles - 1) / s.blockTiles;
  WinogradBlock block;
  block.input = reinterpret_cast<float*>(c.at<uint8_t>(s.scratch) + int64_t(c.thread) * s.scratchBytes);
  block.sums = block.input + elements * v.plane;
  // A job is a panel of a block.
  const int64_t flops = 2 * elements * s.blockTiles * v.channels * gemm_columns;
  int64_t ready = -1;
  c.pieces(blocks * panels, (1 << 21) / (flops + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t job = begin; job < end; job++) {
      const int64_t index = job / panels, panel = job % panels;
      if (index != ready) {
        block.begin = tiles * index / blocks;
        block.tiles = tiles * (index + 1) / blocks - block.begin;
        winograd_input<F>(v, block);
        ready = index;
      }
      winograd_multiply<F>(v, block, v.w + panel * elements * v.channels * gemm_columns);
      winograd_output<F>(v, block, panel * gemm_columns);
    }
  });
}

inline void winograd_f32(const espalier::steps::winograd_f32& s, const Context& c) {
  if (s.size == WinogradFour::outputs) winograd_work<WinogradFour>(s, c);
  else winograd_work<WinogradTwo>(s, c);
}

// Transformed weights, [panel][element][channel][column], through double precision: rounded once.
template <class F>
inline void winograd_pack(const float* w, float* packed, int64_t outputs, int64_t channels, Range mine) {
  constexpr int n = F::inputs;
  for (int64_t job = mine.begin; job < mine.end; job++) {
    const int64_t panel = job / channels, channel = job % channels;
    double g[9][gemm_columns], half[n][3][gemm_columns];
    for (int j = 0; j < gemm_columns; j++) {
      const int64_t output = panel * gemm_columns + j;
      for (int t = 0; t < 9; t++) g[t][j] = output < outputs ? w[(output * channels + channel) * 9 + t] : 0;
    }
    for (int t = 0; t < 3; t++)
      for (int j = 0; j < gemm_columns; j++) {
        double u[n];
        F::weight(g[t][j], g[3 + t][j], g[6 + t][j], u);
        for (int i = 0; i < n; i++) half[i][t][j] = u[i];
      }
    float* to = packed + (panel * n * n * channels + channel) * gemm_columns;
    for (int i = 0; i < n; i++)
      for (int j = 0; j < gemm_columns; j++) {
        double u[n];
        F::weight(half[i][0][j], half[i][1][j], half[i][2][j], u);
        for (int k = 0; k < n; k++) to[(i * n + k) * channels * gemm_columns + j] = float(u[k]);
      }
  }
}

inline void winograd_pack_f32(const espalier::steps::winograd_pack_f32& s, const Context& c) {
  const float* w = c.at<const float>(s.w);
  float* packed = c.at<float>(s.packed);
  const Range mine = c.share((int64_t(s.outputs) + gemm_columns - 1) / gemm_columns * s.channels);
  if (s.size == WinogradFour::outputs) winograd_pack<WinogradFour>(w, packed, s.outputs, s.channels, mine);
  else winograd_pack<WinogradTwo>(w, packed, s.outputs, s.channels, mine);
}

}  // namespace ESPALIER_ISA
