// Products of float32 matrices: y = act(scale * A . B + bias_scale * bias + residual).
//
// Floor: 2 m n k flops at the FMA peak; with few rows, the bytes of B at the memory's bandwidth. Blocks of k keep a panel
// of B in the first-level cache and blocks of rows keep A in the second, after Goto and van de Geijn; A is read where it
// lies (its rows are contiguous, and a tile touches a handful). Threads draw rectangles of the product; k is never split
// between them, and how sums are cut into blocks depends on the sizes alone.
//
// For other families (single-threaded, the caller splits the work):
//  * gemm_panels_f32(a, a_stride, panels, k, m, n, output): any m; B as panels (gemm_pack.hpp).
//  * gemm_few_f32(a, a_stride, panels, k, m, n, output): m of 1 to gemm_few_rows; reads B at full bandwidth.
//  * gemm_dots_f32(a, a_stride, b, b_stride, k, m, n, output): B as [n][k], a few rows of A.
#pragma once
#include "gemm_output.hpp"
#include "gemm_pack.hpp"
#include "gemm_streams.hpp"

namespace ESPALIER_ISA {

// Floats of a panel's longest block of k: 32 KiB, between the first- and the second-level cache. Floats of A's block, which
// stays in the second-level cache: 128 KiB. WebAssembly packs that block on a thread's stack, and all of it is used.
#if defined(__wasm__)
constexpr int64_t gemm_block_panel = 4096, gemm_block_floats = 65536;
// Columns from which on packing the rows pays.
constexpr int64_t gemm_pack_columns = 128;
#else
constexpr int64_t gemm_block_panel = 8192, gemm_block_floats = 32768;
#endif
constexpr int64_t gemm_block_k = gemm_block_panel / gemm_columns;
// Products of up to so many rows are bound by reading B.
constexpr int gemm_few_rows = 3;
// Panels read at once for two and three of them: 12 sums, where there are registers for so many.
#if defined(__wasm__)
constexpr int gemm_few_streams = 1;
#else
constexpr int gemm_few_streams = 2;
#endif

// Cuts `total` in the fewest equal pieces of at most `most`, multiples of `grain`: gives their length.
constexpr int64_t gemm_piece(int64_t total, int64_t most, int64_t grain) {
  const int64_t pieces = (total + most - 1) / most;
  const int64_t length = pieces > 0 ? (total + pieces - 1) / pieces : most;
  return (length + grain - 1) / grain * grain;
}
// Rows of a block of A whose rows are `depth` long.
constexpr int64_t gemm_piece_rows(int64_t m, int64_t depth) {
  return gemm_piece(m, gemm_block_floats / depth / gemm_rows * gemm_rows, gemm_rows);
}

// The rows of a tile: where they lie in A, or packed (gemm_tile.hpp).
struct GemmTileRows {
  const float* a;
  int64_t stride;
  int count;
  const float* packed;

  template <int Rows>
  ESPALIER_INLINE void find(const float* (&at)[Rows]) const {
#pragma GCC unroll 32
    for (int r = 0; r < Rows; r++) at[r] = a + (r < count ? r : count - 1) * stride;
  }
  template <int Rows>
  ESPALIER_INLINE void multiply(GemmTile<Rows>& tile, int64_t k, const float* panel) const {
#if defined(__wasm__)
    if (packed) return tile.multiply_packed(packed, k, panel);
#endif
    const float* at[Rows];
    find(at);
    tile.multiply(at, k, panel);
  }
};

// One tile of up to Rows rows and gemm_columns columns, over a block of k. `first` starts the sums, otherwise they go on
// from y; `last` finishes them.
template <int Rows>
ESPALIER_INLINE void gemm_tile_f32(const GemmTileRows& a, const float* panel, int64_t k, int columns, const GemmOutput& o,
                                   bool first, bool last, bool simple) {
  const int rows = a.count;
  const bool whole = rows == Rows && columns == gemm_columns;
  alignas(64) float edge[Rows * gemm_columns];
  GemmTile<Rows> t;
  if (first) {
    t.clear();
  } else if (whole) {
    t.load(o.y, o.stride);
  } else {
    for (int r = 0; r < rows; r++) __builtin_memcpy(edge + r * gemm_columns, o.y + r * o.stride, columns * sizeof(float));
    t.load(edge, gemm_columns);
  }
  a.multiply(t, k, panel);
  if (last && simple && columns == gemm_columns) return o.store(t, rows);
  if (!last && whole) return t.store(o.y, o.stride);
  t.store(edge, gemm_columns);
  if (last) return o.finish(edge, gemm_columns, rows, columns);
  for (int r = 0; r < rows; r++) __builtin_memcpy(o.y + r * o.stride, edge + r * gemm_columns, columns * sizeof(float));
}

// Rows m of A against n columns of panels that are `panel_stride` floats apart, over a block of k. `packed`: rows of A as
// gemm_pack_rows has packed them, or null.
inline void gemm_block_f32(const float* a, int64_t a_stride, const float* packed, const float* panels,
                           int64_t panel_stride, int64_t k, int64_t m, int64_t n, const GemmOutput& o, bool first,
                           bool last) {
  const bool simple = o.simple();
  for (int64_t j = 0; j < n; j += gemm_columns, panels += panel_stride) {
    const int columns = n - j < gemm_columns ? int(n - j) : gemm_columns;
    for (int64_t i = 0; i < m; i += gemm_rows) {
      const int left = m - i < gemm_rows ? int(m - i) : gemm_rows;
      const GemmTileRows rows{a + i * a_stride, a_stride, left, packed ? packed + i * k : nullptr};
      const GemmOutput at = o.from(i, j);
      if (left > gemm_half_rows) gemm_tile_f32<gemm_rows>(rows, panels, k, columns, at, first, last, simple);
      else gemm_tile_f32<gemm_half_rows>(rows, panels, k, columns, at, first, last, simple);
    }
  }
}

#if defined(__wasm__)
template <int Rows>
inline void gemm_pack_tile(const GemmTileRows& rows, int64_t k, float* to) {
  const float* at[Rows];
  rows.find(at);
  for (ptrdiff_t p = 0; p < ptrdiff_t(k); p++, to += Rows)
#pragma GCC unroll 32
    for (int r = 0; r < Rows; r++) to[r] = at[r][p];
}

// The same, with the rows packed first: for many columns.
__attribute__((noinline)) inline void gemm_packed_block_f32(const float* a, int64_t a_stride, const float* panels,
                                                            int64_t panel_stride, int64_t k, int64_t m, int64_t n,
                                                            const GemmOutput& o, bool first, bool last) {
  float packed[gemm_block_floats];
  for (int64_t i = 0; i < m; i += gemm_rows) {
    const int left = m - i < gemm_rows ? int(m - i) : gemm_rows;
    const GemmTileRows rows{a + i * a_stride, a_stride, left, nullptr};
    if (left > gemm_half_rows) gemm_pack_tile<gemm_rows>(rows, k, packed + i * k);
    else gemm_pack_tile<gemm_half_rows>(rows, k, packed + i * k);
  }
  gemm_block_f32(a, a_stride, packed, panels, panel_stride, k, m, n, o, first, last);
}
#endif

// A block of at most gemm_block_floats of A, packed where that pays.
inline void gemm_rows_f32(const float* a, int64_t a_stride, const float* panels, int64_t panel_stride, int64_t k,
                          int64_t m, int64_t n, const GemmOutput& o, bool first, bool last) {
#if defined(__wasm__)
  if (n >= gemm_pack_columns) return gemm_packed_block_f32(a, a_stride, panels, panel_stride, k, m, n, o, first, last);
#endif
  gemm_block_f32(a, a_stride, nullptr, panels, panel_stride, k, m, n, o, first, last);
}

// A [m, k] against panels of [k, n].
inline void gemm_panels_f32(const float* a, int64_t a_stride, const float* panels, int64_t k, int64_t m, int64_t n,
                            const GemmOutput& o) {
  const int64_t piece_k = gemm_piece(k, gemm_block_k, 4);
  const int64_t piece_m = gemm_piece_rows(m, piece_k);
  for (int64_t i = 0; i < m; i += piece_m) {
    const int64_t rows = m - i < piece_m ? m - i : piece_m;
    int64_t p = 0;
    do {
      const int64_t depth = k - p < piece_k ? k - p : piece_k;
      gemm_rows_f32(a + i * a_stride + p, a_stride, panels + p * gemm_columns, k * gemm_columns, depth, rows, n,
                     o.from(i, 0), p == 0, p + depth == k);
      p += depth;
    } while (p < k);
  }
}

// The same for a B that is yet to be packed: panels of a block of k and some columns at a time, into `scratch` of
// gemm_scratch_floats.
constexpr int64_t gemm_scratch_floats = 65536;  // plan/steps/gemm.ts knows it too

inline void gemm_loose_f32(const float* a, int64_t a_stride, const GemmMatrix& b, int64_t k, int64_t m, int64_t n,
                           const GemmOutput& o, float* scratch) {
  const int64_t piece_k = gemm_piece(k, gemm_block_k, 4);
  const int64_t piece_m = gemm_piece_rows(m, piece_k);
  const int64_t piece_n = gemm_scratch_floats / (piece_k * gemm_columns) * gemm_columns;
  for (int64_t j = 0; j < n; j += piece_n) {
    const int64_t columns = n - j < piece_n ? n - j : piece_n;
    int64_t p = 0;
    do {
      const int64_t depth = k - p < piece_k ? k - p : piece_k;
      gemm_pack(b.from(p, j), depth, columns, scratch);
      for (int64_t i = 0; i < m; i += piece_m) {
        const int64_t rows = m - i < piece_m ? m - i : piece_m;
        gemm_rows_f32(a + i * a_stride + p, a_stride, scratch, depth * gemm_columns, depth, rows, columns, o.from(i, j),
                       p == 0, p + depth == k);
      }
      p += depth;
    } while (p < k);
  }
}

// Few rows against some panels at once, each a stream. Panels beyond the last column repeat the last one.
template <int Rows>
inline void gemm_few_panels_f32(const float* a, int64_t a_stride, const float* panels, int64_t k, int64_t n,
                                const GemmOutput& o) {
  constexpr int streams = Rows == 1 ? gemm_streams_for(gemm_vectors) : gemm_few_streams;
  const int64_t last = gemm_panels(n) - 1;
  for (int64_t first = 0; first <= last; first += streams) {
    const float* from[streams];
    f32v sums[Rows][streams][gemm_vectors] = {};
#pragma GCC unroll 4
    for (int i = 0; i < streams; i++) from[i] = panels + (first + i < last ? first + i : last) * k * gemm_columns;
    gemm_streams(sums, a, a_stride, from, k);
    constexpr int64_t width = streams * gemm_columns;
    const int64_t column = first * gemm_columns, left = n - column;
    o.from(0, column).finish(reinterpret_cast<const float*>(sums), width, Rows, left < width ? left : width);
  }
}

inline void gemm_few_f32(const float* a, int64_t a_stride, const float* panels, int64_t k, int64_t m, int64_t n,
                         const GemmOutput& o) {
  switch (m) {
    case 1: return gemm_few_panels_f32<1>(a, a_stride, panels, k, n, o);
    case 2: return gemm_few_panels_f32<2>(a, a_stride, panels, k, n, o);
    case 3: return gemm_few_panels_f32<3>(a, a_stride, panels, k, n, o);
  }
}

// Products of Few rows of x with Many rows of y, all of length k; sums[i * Many + j].
template <int Few, int Many>
ESPALIER_INLINE void gemm_dot_tile(const float* x, int64_t x_stride, const float* y, int64_t y_stride, int64_t k,
                                   float* sums) {
  f32v s[Few][Many];
#pragma GCC unroll 4
  for (int i = 0; i < Few; i++)
#pragma GCC unroll 4
    for (int j = 0; j < Many; j++) s[i][j] = f32v{};
  const auto step = [&](auto read, int64_t p) __attribute__((always_inline)) {
    f32v v[Many];
#pragma GCC unroll 4
    for (int j = 0; j < Many; j++) v[j] = read(y + j * y_stride + p);
#pragma GCC unroll 4
    for (int i = 0; i < Few; i++) {
      const f32v u = read(x + i * x_stride + p);
#pragma GCC unroll 4
      for (int j = 0; j < Many; j++) s[i][j] = fma(u, v[j], s[i][j]);
    }
  };
  int64_t p = 0;
  for (; p + lanes <= k; p += lanes) step([](const float* at) __attribute__((always_inline)) { return load(at); }, p);
  if (p < k) step([&](const float* at) __attribute__((always_inline)) { return load_part(at, int(k - p)); }, p);
#pragma GCC unroll 4
  for (int i = 0; i < Few; i++)
#pragma GCC unroll 4
    for (int j = 0; j < Many; j++) sums[i * Many + j] = sum(s[i][j]);
}

template <int Few>
inline void gemm_dot_row(const float* x, int64_t x_stride, const float* y, int64_t y_stride, int64_t k, int many,
                         float* sums, int64_t few_step, int64_t many_step) {
  float tile[Few * 4];
  const auto put = [&](int j, int count) {
    for (int f = 0; f < Few; f++)
      for (int i = 0; i < count; i++) sums[f * few_step + (j + i) * many_step] = tile[f * count + i];
  };
  int j = 0;
  for (; j + 4 <= many; j += 4) {
    gemm_dot_tile<Few, 4>(x, x_stride, y + j * y_stride, y_stride, k, tile);
    put(j, 4);
  }
  for (; j < many; j++) {
    gemm_dot_tile<Few, 1>(x, x_stride, y + j * y_stride, y_stride, k, tile);
    put(j, 1);
  }
}

// sums[i * few_step + j * many_step] = x[i] . y[j] for a few rows x and many rows y, both of length k.
inline void gemm_dots(const float* x, int64_t x_stride, int few, const float* y, int64_t y_stride, int many, int64_t k,
                      float* sums, int64_t few_step, int64_t many_step) {
  for (; few >= 3; few -= 3, x += 3 * x_stride, sums += 3 * few_step)
    gemm_dot_row<3>(x, x_stride, y, y_stride, k, many, sums, few_step, many_step);
  if (few == 2) gemm_dot_row<2>(x, x_stride, y, y_stride, k, many, sums, few_step, many_step);
  if (few == 1) gemm_dot_row<1>(x, x_stride, y, y_stride, k, many, sums, few_step, many_step);
}

// B as [n][k]: no packing, one horizontal sum an element. For m up to gemm_few_rows, or n below `lanes`.
inline void gemm_dots_f32(const float* a, int64_t a_stride, const float* b, int64_t b_stride, int64_t k, int64_t m,
                          int64_t n, const GemmOutput& o) {
  constexpr int block = 64;
  float sums[block * lanes];
  if (m <= gemm_few_rows) {
    for (int64_t j = 0; j < n; j += block) {
      const int count = n - j < block ? int(n - j) : block;
      gemm_dots(a, a_stride, int(m), b + j * b_stride, b_stride, count, k, sums, block, 1);
      o.from(0, j).finish(sums, block, int(m), count);
    }
  } else {
    for (int64_t i = 0; i < m; i += block) {
      const int count = m - i < block ? int(m - i) : block;
      gemm_dots(b, b_stride, int(n), a + i * a_stride, a_stride, count, k, sums, 1, lanes);
      o.from(i, 0).finish(sums, lanes, count, n);
    }
  }
}

template <int N>
struct GemmDepth {
  static constexpr int value = N;
};

// A few rows of A against a B that lies as [k, n], in place: y is the sum of k rows of B, four of them a pass. Floor: the
// bytes of B.
template <int Rows>
inline void gemm_few_rows_f32(const float* a, int64_t a_stride, const float* b, int64_t b_stride, int64_t k, int64_t n,
                              const GemmOutput& o) {
  constexpr int64_t block = 1024;
  for (int64_t j = 0; j < n; j += block) {
    const int64_t columns = n - j < block ? n - j : block;
    const GemmOutput at = o.from(0, j);
    for (int r = 0; r < Rows; r++)
      for (int64_t i = 0; i < columns; i++) at.y[r * o.stride + i] = 0;
    const auto pass = [&](auto depth, int64_t p) __attribute__((always_inline)) {
      constexpr int Depth = decltype(depth)::value;
      f32v x[Rows][Depth];
      for (int r = 0; r < Rows; r++)
        for (int d = 0; d < Depth; d++) x[r][d] = splat(a[r * a_stride + p + d]);
      const float* from = b + p * b_stride + j;
      const auto add = [&](int64_t i, auto read, auto write) __attribute__((always_inline)) {
        f32v v[Depth];
        for (int d = 0; d < Depth; d++) v[d] = read(from + d * b_stride + i);
        for (int r = 0; r < Rows; r++) {
          float* y = at.y + r * o.stride + i;
          f32v s = read(y);
          for (int d = 0; d < Depth; d++) s = fma(x[r][d], v[d], s);
          write(y, s);
        }
      };
      int64_t i = 0;
      for (; i + lanes <= columns; i += lanes)
        add(i, [](const float* q) { return load(q); }, [](float* q, f32v v) { store(q, v); });
      const int left = int(columns - i);
      if (left > 0)
        add(i, [=](const float* q) { return load_part(q, left); }, [=](float* q, f32v v) { store_part(q, v, left); });
    };
    int64_t p = 0;
    for (; p + 4 <= k; p += 4) pass(GemmDepth<4>{}, p);
    for (; p < k; p++) pass(GemmDepth<1>{}, p);
    if (!o.plain()) at.finish(at.y, o.stride, Rows, columns);
  }
}

// A product is handed out in tiles of so many rows and panels of columns, each some tens of microseconds of arithmetic:
// many rows first, so that a panel is read seldom, and panels enough to make a tile worth its while.
struct GemmCut {
  int64_t rows, panels;      // of a tile
  int64_t across, tiles;     // tiles beside each other; of a product
};

inline GemmCut gemm_cut(int64_t m, int64_t n, int64_t k) {
  constexpr int64_t most_rows = 32 * gemm_rows, work = 1 << 21;
  GemmCut cut;
  cut.rows = gemm_piece(m, most_rows, gemm_rows);
  const int64_t panels = gemm_panels(n), one = cut.rows * gemm_columns * (k > 0 ? k : 1);
  const int64_t wanted = (work + one - 1) / one;
  cut.panels = wanted < panels ? wanted : panels;
  cut.across = (panels + cut.panels - 1) / cut.panels;
  cut.tiles = cut.across * ((m + cut.rows - 1) / cut.rows);
  return cut;
}

// The matrices of a step.
struct GemmOperands {
  const float* a;
  const float* b;
  GemmOutput o;
};

struct GemmJob {
  const espalier::steps::gemm_f32& s;
  const float* a;
  const float* b;
  GemmOutput o;

  GemmOperands matrices(int64_t index) const {
    GemmOperands found{a, b, o};
    int64_t to = 0;
    for (int i = s.batchRank - 1; i >= 0; i--) {
      const int64_t at = index % s.batch[i];
      index /= s.batch[i];
      found.a += at * s.aBatch[i];
      found.b += at * s.bBatch[i];
      if (o.bias) found.o.bias += at * s.biasBatch[i];
      to += at * s.yBatch[i];
    }
    found.o.y += to;
    if (o.residual) found.o.residual += to;
    return found;
  }
};

enum GemmLayout : int32_t { gemm_layout_panels, gemm_layout_rows, gemm_layout_columns };

// Few rows or few columns: bound by reading the larger matrix, which threads share out.
inline void gemm_thin(const GemmJob& job, const Context& c, int64_t batch) {
  const espalier::steps::gemm_f32& s = job.s;
  const bool few_rows = s.m <= gemm_few_rows;
  const int64_t many = few_rows ? s.n : s.m;
  const int64_t pieces = (many + gemm_columns - 1) / gemm_columns;
  const auto part = [&](int64_t at, int64_t end) {
    while (at < end) {
      const int64_t index = at / pieces, first = at % pieces;
      const int64_t last = end - at < pieces - first ? first + end - at : pieces;
      const int64_t from = first * gemm_columns, to = last * gemm_columns < many ? last * gemm_columns : many;
      at += last - first;
      const GemmOperands x = job.matrices(index);
      if (!few_rows) {
        gemm_dots_f32(x.a + from * s.aStride, s.aStride, x.b, s.bStride, s.k, to - from, s.n, x.o.from(from, 0));
        continue;
      }
      const GemmOutput o = x.o.from(0, from);
      if (s.layout == gemm_layout_panels) {
        gemm_few_f32(x.a, s.aStride, x.b + from * s.k, s.k, s.m, to - from, o);
      } else if (s.layout == gemm_layout_columns) {
        gemm_dots_f32(x.a, s.aStride, x.b + from * s.bStride, s.bStride, s.k, s.m, to - from, o);
      } else {
        const float* b = x.b + from;
        if (s.m == 1) gemm_few_rows_f32<1>(x.a, s.aStride, b, s.bStride, s.k, to - from, o);
        if (s.m == 2) gemm_few_rows_f32<2>(x.a, s.aStride, b, s.bStride, s.k, to - from, o);
        if (s.m == 3) gemm_few_rows_f32<3>(x.a, s.aStride, b, s.bStride, s.k, to - from, o);
      }
    }
  };
  // Parts of some 256 KiB, four panels or a multiple (gemm_few_f32).
  const int64_t panel = (s.k > 0 ? s.k : 1) * gemm_columns;
  c.pieces(batch * pieces, 4 * ((16384 + panel - 1) / panel), part);
}

inline void gemm_f32(const espalier::steps::gemm_f32& s, const Context& c) {
  int64_t batch = 1;
  for (int i = 0; i < s.batchRank; i++) batch *= s.batch[i];
  if (batch == 0 || s.m == 0 || s.n == 0) return;
  const GemmJob job{s, c.at<const float>(s.a), c.at<const float>(s.b),
                    {c.at<float>(s.y), s.yStride, c.at<const float>(s.bias), s.biasRow, s.biasColumn,
                     c.at<const float>(s.residual), s.scale, s.biasScale, s.activation, s.alpha, s.beta}};
  if (s.m <= gemm_few_rows || (s.layout == gemm_layout_columns && s.n < lanes)) return gemm_thin(job, c, batch);
  const GemmCut cut = gemm_cut(s.m, s.n, s.k);
  const bool panels = s.layout == gemm_layout_panels, flat = s.layout == gemm_layout_rows;
  // Tiles beside each other read the same rows; those of one product the same B.
  c.pieces(batch * cut.tiles, 1, [&](int64_t begin, int64_t end) {
    for (int64_t tile = begin; tile < end; tile++) {
      const GemmOperands x = job.matrices(tile / cut.tiles);
      const int64_t row = tile % cut.tiles / cut.across * cut.rows;
      const int64_t column = tile % cut.across * cut.panels * gemm_columns;
      const int64_t rows = s.m - row < cut.rows ? s.m - row : cut.rows;
      const int64_t width = cut.panels * gemm_columns, columns = s.n - column < width ? s.n - column : width;
      const float* a = x.a + row * s.aStride;
      const GemmOutput o = x.o.from(row, column);
      if (panels) {
        gemm_panels_f32(a, s.aStride, x.b + column * s.k, s.k, rows, columns, o);
      } else {
        const GemmMatrix b{x.b, flat ? s.bStride : 1, flat ? 1 : s.bStride};
        gemm_loose_f32(a, s.aStride, b.from(0, column), s.k, rows, columns, o,
                       c.at<float>(s.scratch) + c.thread * gemm_scratch_floats);
      }
    }
  });
}

}  // namespace ESPALIER_ISA
