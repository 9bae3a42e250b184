// Products of 8-bit matrices, and convolutions as such products: rows of activations are reached through pointers, one
// for each row and tap, so that nothing is copied and a matrix product is the case of one tap.
//
// Floor: a multiply-add costs half (16-bit pairs) or a quarter (bytes) of a float32 lane, so AVX2 can do 32 in a cycle with
// two multipliers, AVX-512 VNNI 128, AMX 1024. Tile: dot_rows x dot_columns (AVX2 6x16: 12 sums, two weights, one
// activation, one product: 16 registers). Loops: block of rows, panel of columns (in the first-level cache for the
// rows of the block), tile. Scheme of pointers: Dukhan, "The Indirect Convolution Algorithm", 2019.
#pragma once
#include "generated/steps.hpp"
#include "sums_i8.hpp"

namespace ESPALIER_ISA {

using espalier::Context;
using espalier::Range;

// Rows that are worked on together, at most: their pointers are made once for all panels. The lowering refuses windows of
// more than 128 taps, so that a tile's always fit.
constexpr int row_block = dot_rows == 6 ? 48 : dot_rows == 32 ? 32 : 64;
constexpr int most_pointers = 4096;

ESPALIER_INLINE int64_t round_up(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }

// Where rows of activations lie: the pixels of a window, channels last.
struct Window {
  const activation8* x;
  const activation8* padding;  // a pixel of zero points
  int32_t input[2], output[2], kernel[2], strides[2], pads[2], dilations[2];
  int64_t pixel;  // elements
};

struct Product {
  Window window;
  int64_t rows;    // of a group
  int64_t depth;   // elements of a tap, a multiple of dot_depth
  int64_t count;   // elements of a sum that are not filling
  int64_t groups, columns;
  int64_t x_group, y_group, y_stride, column_group;  // elements; columns between groups in scales and biases
  const int8_t* w;
  uint8_t* scratch;
  int block;  // rows that share pointers, which lie so far apart from tap to tap
  int taps() const { return window.kernel[0] * window.kernel[1]; }
  int64_t panels() const { return (columns + dot_columns - 1) / dot_columns; }
  int64_t panel_depth() const { return round_up(taps() * depth, dot_run); }
};

// Pointers of rows first..first+rows, of tap t at pointers[t * stride].
inline void point_at_rows(const Window& w, int64_t first, int rows, int stride, const activation8** pointers) {
  const int64_t plane = int64_t(w.output[0]) * w.output[1];
  for (int r = 0; r < rows; r++) {
    const int64_t image = (first + r) / plane, place = (first + r) % plane;
    const int64_t top = place / w.output[1] * w.strides[0] - w.pads[0];
    const int64_t left = place % w.output[1] * w.strides[1] - w.pads[1];
    const activation8* x = w.x + image * w.input[0] * w.input[1] * w.pixel;
    const activation8** to = pointers + r;
    for (int i = 0; i < w.kernel[0]; i++)
      for (int j = 0; j < w.kernel[1]; j++, to += stride) {
        const int64_t py = top + int64_t(i) * w.dilations[0], px = left + int64_t(j) * w.dilations[1];
        const bool inside = py >= 0 && py < w.input[0] && px >= 0 && px < w.input[1];
        *to = inside ? x + (py * w.input[1] + px) * w.pixel : w.padding;
      }
  }
}

// Sums of rows of activations, less those of as many zero points.
inline void sum_rows(const Product& p, const activation8* const* pointers, int64_t offset, int rows, int32_t x_zero,
                     int32_t* sums) {
  for (int r = 0; r < rows; r++) {
    uint32_t sum = uint32_t(-x_zero) * uint32_t(p.count);
    for (int t = 0; t < p.taps(); t++)
      for (int64_t i = 0; i < p.depth; i++) sum += uint32_t(int32_t(pointers[t * p.block + r][offset + i]));
    sums[r] = int32_t(sum);
  }
}

#if !defined(ESPALIER_AMX)
// R rows by one panel: sums[R][dot_columns].
template <int R>
void dot_tile(const Product& p, const activation8* const* pointers, int64_t offset, const int8_t* panel, int32_t* sums) {
  constexpr int half = lanes * dot_depth;  // bytes of weights in a vector
  i32v low[R], high[R];
  for (int r = 0; r < R; r++) low[r] = high[r] = i32v{};
  const int taps = p.taps();
  for (int t = 0; t < taps; t++, pointers += p.block) {
    const activation8* x[R];
    for (int r = 0; r < R; r++) x[r] = pointers[r] + offset;
    for (int64_t i = 0; i < p.depth; i += dot_depth, panel += 2 * half) {
      const dot_weights w0 = load_weights(panel), w1 = load_weights(panel + half);
#pragma GCC unroll 8
      for (int r = 0; r < R; r++) {
        const i32v a = broadcast(x[r] + i);
        low[r] = dot(low[r], a, w0);
        high[r] = dot(high[r], a, w1);
      }
    }
  }
  for (int r = 0; r < R; r++) {
    store(sums + r * dot_columns, low[r]);
    store(sums + r * dot_columns + lanes, high[r]);
  }
}

// As many rows as a tile has, of those that are left.
inline int dot_some(const Product& p, int left, const activation8* const* pointers, int64_t offset, const int8_t* panel,
                    int32_t* sums) {
  if (left >= dot_rows) return dot_tile<dot_rows>(p, pointers, offset, panel, sums), dot_rows;
  if (dot_rows > 4 && left >= 4) return dot_tile<4>(p, pointers, offset, panel, sums), 4;
  if (left >= 2) return dot_tile<2>(p, pointers, offset, panel, sums), 2;
  return dot_tile<1>(p, pointers, offset, panel, sums), 1;
}
#else
// Rows side by side, 64 bytes of a sum after the other, as tiles are loaded.
inline void gather_rows(const Product& p, const activation8* const* pointers, int64_t offset, int rows, uint8_t* to) {
  const int64_t stride = p.panel_depth();
  for (int r = 0; r < rows; r++) {
    uint8_t* row = to + r * stride;
    for (int t = 0; t < p.taps(); t++) {
      const activation8* from = pointers[t * p.block + r] + offset;
      int64_t i = 0;
      for (; i + 64 <= p.depth; i += 64, row += 64) __builtin_memcpy(row, from + i, 64);
      for (; i < p.depth; i += dot_depth, row += dot_depth) __builtin_memcpy(row, from + i, dot_depth);
    }
    for (uint8_t* end = to + (r + 1) * stride; row < end; row++) *row = 0;
  }
}

// 32 gathered rows by a panel of 32 columns: four tiles of sums.
inline void dot_tiles(const uint8_t* rows, int64_t depth, const int8_t* panel, int32_t* sums) {
  ESPALIER_TILE_ZERO(0);
  ESPALIER_TILE_ZERO(1);
  ESPALIER_TILE_ZERO(2);
  ESPALIER_TILE_ZERO(3);
  for (int64_t i = 0; i < depth; i += 64, panel += 64 * dot_columns) {
    ESPALIER_TILE_LOAD(4, rows + i, depth);
    ESPALIER_TILE_LOAD(6, panel, 4 * dot_columns);
    ESPALIER_TILE_LOAD(7, panel + 64, 4 * dot_columns);
    ESPALIER_TILE_DOT(0, 4, 6);
    ESPALIER_TILE_DOT(1, 4, 7);
    ESPALIER_TILE_LOAD(5, rows + 16 * depth + i, depth);
    ESPALIER_TILE_DOT(2, 5, 6);
    ESPALIER_TILE_DOT(3, 5, 7);
  }
  ESPALIER_TILE_STORE(0, sums, 4 * dot_columns);
  ESPALIER_TILE_STORE(1, sums + 16, 4 * dot_columns);
  ESPALIER_TILE_STORE(2, sums + 16 * dot_columns, 4 * dot_columns);
  ESPALIER_TILE_STORE(3, sums + 16 * dot_columns + 16, 4 * dot_columns);
}
#endif

// Rows first..first+rows of one group by panels begin..end.
inline void multiply_block(const Product& p, const Sums& f, bool w_zeros, int64_t group, int64_t first, int rows,
                           int64_t begin, int64_t end) {
  const activation8* pointers[most_pointers];
  int32_t sums[dot_rows * dot_columns];
  int32_t row_sums[row_block];
  const int64_t offset = group * p.x_group;
  point_at_rows(p.window, first, rows, p.block, pointers);
  if (w_zeros) sum_rows(p, pointers, offset, rows, f.x_zero, row_sums);
  const int64_t panel_bytes = p.panel_depth() * dot_columns;
  const int32_t* column_sums = reinterpret_cast<const int32_t*>(p.w + p.groups * p.panels() * panel_bytes);
#if defined(ESPALIER_AMX)
  gather_rows(p, pointers, offset, rows, p.scratch);
#endif
  for (int64_t panel = begin; panel < end; panel++) {
    const int64_t index = group * p.panels() + panel;
    const int8_t* w = p.w + index * panel_bytes;
    const int64_t column = panel * dot_columns;
    const int count = int(p.columns - column < dot_columns ? p.columns - column : dot_columns);
    for (int r = 0, done = 0; r < rows; r += done) {
#if defined(ESPALIER_AMX)
      dot_tiles(p.scratch, p.panel_depth(), w, sums);
      done = rows;
#else
      done = dot_some(p, rows - r, pointers + r, offset, w, sums);
#endif
      finish_sums(f, sums, w_zeros ? row_sums + r : nullptr, column_sums + index * dot_columns, done,
                  group * p.column_group + column, count,
                  group * p.y_group + (first + r) * p.y_stride + column, p.y_stride);
    }
  }
}

// Blocks of rows are shared out, and columns too where there are few of them. Sums are exact: any split gives the same.
inline void multiply_i8(Product p, const Sums& f, const Context& c) {
  const int fitting = most_pointers / p.taps() / dot_rows * dot_rows;
  const int block = p.block = fitting < row_block ? fitting : row_block;
  const int64_t blocks = (p.rows + block - 1) / block, panels = p.panels();
  const int64_t wanted = blocks * p.groups > 0 ? (32 + blocks * p.groups - 1) / (blocks * p.groups) : 1;
  const int64_t parts = wanted < panels ? wanted : panels;  // 0 where there is nothing to do
  const bool w_zeros = has_weight_zeros(f);
#if defined(ESPALIER_AMX)
  const TileConfig config;
  ESPALIER_TILES_BEGIN(config);
#endif
  const int64_t work = parts > 0 ? block * (panels / parts + 1) * dot_columns * p.panel_depth() : 0;
  c.pieces(blocks * p.groups * parts, (1 << 21) / (work + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t unit = begin; unit < end; unit++) {
      const int64_t part = unit % parts, rest = unit / parts;
      const int64_t first = rest % blocks * block;
      const int rows = int(p.rows - first < block ? p.rows - first : block);
      multiply_block(p, f, w_zeros, rest / blocks, first, rows, panels * part / parts, panels * (part + 1) / parts);
    }
  });
#if defined(ESPALIER_AMX)
  ESPALIER_TILES_END();
#endif
}

inline void gemm_i8(const espalier::steps::gemm_i8& s, const Context& c) {
  Product p{};
  // One image of m x 1 pixels.
  p.window = {c.at<const activation8>(s.x), nullptr, {s.m, 1}, {s.m, 1}, {1, 1}, {1, 1}, {0, 0}, {1, 1}, s.xStride};
  p.rows = s.m;
  p.depth = round_up(s.k, dot_depth);
  p.count = s.k;
  p.groups = s.groups;
  p.columns = s.n;
  p.x_group = s.xGroup;
  p.y_group = int64_t(s.m) * s.n;
  p.y_stride = s.n;
  p.column_group = 0;
  p.w = c.at<const int8_t>(s.w);
  p.scratch = c.at<uint8_t>(s.scratch) + int64_t(c.thread) * s.scratchBytes;
  multiply_i8(p, sums_of(s, c, prepared_zero(c.at<const uint8_t>(s.xZero), s.xSigned)), c);
}

// Panels of dot_columns: [group][panel][element of a sum / dot_depth][column][dot_depth], zeros where there is nothing.
// As many panels at a time as a cache line has columns, since weights mostly lie with their columns side by side.
inline void pack_i8(const espalier::steps::pack_i8& s, const Context& c) {
  constexpr int together = 64 / dot_columns;
  const uint8_t* x = c.at<const uint8_t>(s.x);
  int8_t* y = c.at<int8_t>(s.y);
  const uint8_t flip = s.isSigned ? 0 : 0x80;
  const int64_t panels = (s.columns + dot_columns - 1) / dot_columns, bunches = (panels + together - 1) / together;
  const int64_t depth = round_up(s.channels, dot_depth), whole = round_up(s.taps * depth, dot_run);
  int32_t* sums = reinterpret_cast<int32_t*>(y + s.groups * panels * whole * dot_columns);
  const Range mine = c.share(s.groups * bunches);
  for (int64_t bunch = mine.begin; bunch < mine.end; bunch++) {
    const int64_t group = bunch / bunches, first = bunch % bunches * together;
    const int64_t last = first + together < panels ? first + together : panels;
    const uint8_t* from = x + group * s.groupStride;
    int8_t* to = y + group * panels * whole * dot_columns;
    int32_t* sum = sums + group * panels * dot_columns;
    for (int64_t i = first * whole * dot_columns; i < last * whole * dot_columns; i++) to[i] = 0;
    for (int64_t j = first * dot_columns; j < last * dot_columns; j++) sum[j] = 0;
    for (int64_t t = 0; t < s.taps; t++)
      for (int64_t k = 0; k < s.channels; k++) {
        const uint8_t* line = from + t * s.tapStride + k * s.channelStride;
        const int64_t element = t * depth + k;
        const int64_t place = element / dot_depth * dot_columns * dot_depth + element % dot_depth;
        for (int64_t panel = first; panel < last; panel++) {
          const int64_t column = panel * dot_columns;
          const int columns = int(s.columns - column < dot_columns ? s.columns - column : dot_columns);
          int8_t* own = to + panel * whole * dot_columns + place;
          for (int j = 0; j < columns; j++) {
            const int8_t w = int8_t(line[(column + j) * s.columnStride] ^ flip);
            own[j * dot_depth] = w;
            sum[column + j] += w;
          }
        }
      }
  }
}

inline void prepare_i8(const espalier::steps::prepare_i8& s, const Context& c) {
  const uint8_t* x = c.at<const uint8_t>(s.x);
  activation8* y = c.at<activation8>(s.y);
  const uint8_t flip = dot_depth == 2 ? 0 : activation_flip(s.isSigned);
  const int16_t zero = dot_depth == 2 ? int16_t(zero_of(c.at<const uint8_t>(s.zero), 0, s.isSigned)) : int16_t(0);
  const Range mine = c.share(s.rows, 16);
  for (int64_t r = mine.begin; r < mine.end; r++) {
    const uint8_t* from = x + r * s.columns;
    activation8* to = y + r * s.stride;
    if (dot_depth == 2 && s.isSigned)
      for (int64_t i = 0; i < s.columns; i++) to[i] = activation8(int8_t(from[i]) - zero);
    else
      for (int64_t i = 0; i < s.columns; i++) to[i] = activation8((from[i] ^ flip) - zero);
    for (int64_t i = s.columns; i < s.stride; i++) to[i] = 0;
  }
}

}  // namespace ESPALIER_ISA
