// What products with sparse weights share: rows of activations (of a matrix, or the windows of an image with channels last)
// are turned so that what lies at the same place of k lies side by side for a block of rows. Then one weight is one
// broadcast and an operation for every vector of the block, whatever the pattern of the weights. A block of k stays in the
// first-level cache while all outputs of a panel pass; their sums wait in the second. Turned rows wait there for the next
// panel, if they are few enough.
//
// Everything is moved in words of 32 bits: a float, four bytes, or two 16-bit words. A step of k is one or two words of
// each row, and the windows' taps follow each other in k, each filled up to whole steps.
// (Elsen et al., "Fast Sparse ConvNets", 2020, vectorise over pixels in the same way, for 1x1 convolutions, channels first.)
#pragma once
#include "gemm_pack.hpp"

namespace ESPALIER_ISA {

// Vectors of rows of a block at most. Where vectors are long, sums of two outputs wait in registers at once: a block of k that
// fits in the cache is then twice as deep, and each sum comes and goes half as often.
constexpr int sparse_vectors = lanes >= 8 ? 4 : 8;
// Outputs that are summed at once, for so many vectors of rows.
constexpr int sparse_outputs(int vectors) { return lanes < 8 ? 1 : vectors == 1 ? 4 : (7 + vectors) / vectors; }
// Rows of a block, and how far apart turned words are: known to the layouts.
constexpr int64_t sparse_rows = sparse_vectors * lanes;
// Numbers of a line of scratch where sums lie in rows before they are finished: four rows of `sparse_columns`, or a block of
// rows of those columns that 8-bit products finish together.
constexpr int64_t sparse_columns = 128;
constexpr int64_t sparse_line = sparse_rows * dot_columns > 4 * sparse_columns ? sparse_rows * dot_columns : 4 * sparse_columns;
// Turned rows of all k wait in the second-level cache for the next panel of outputs if they are not more than so many bytes.
constexpr int64_t sparse_kept = 196608;
// Windows have so many taps at most.
constexpr int64_t sparse_taps = 64;

struct SparseWindow {
  const float* x;       // words
  const float* padding; // a pixel of them
  int64_t batch;
  int32_t input[3], output[3], kernel[3], strides[3], dilations[3], pads[3];
  int64_t pixel;   // words from pixel to pixel
  int64_t words;   // words of a pixel that are turned
  int64_t steps;   // of k for a tap
  int64_t unit;    // words of a step; steps * unit may be more than words: what is beyond meets weights of zero

  int64_t taps() const { return int64_t(kernel[0]) * kernel[1] * kernel[2]; }
  int64_t rows() const { return batch * output[0] * output[1] * output[2]; }

  // pointers[tap * sparse_rows + row] for rows first..first+count; the last is repeated up to `filled`.
  void find(int64_t first, int count, int filled, const float** pointers) const {
    for (int r = 0; r < filled; r++) {
      int64_t at = first + (r < count ? r : count - 1);
      int64_t corner[3];
      for (int i = 2; i >= 0; i--) {
        corner[i] = at % output[i] * strides[i] - pads[i];
        at /= output[i];
      }
      const float** to = pointers + r;
      for (int64_t a = 0; a < kernel[0]; a++)
        for (int64_t b = 0; b < kernel[1]; b++)
          for (int64_t d = 0; d < kernel[2]; d++, to += sparse_rows) {
            const int64_t p = corner[0] + a * dilations[0], q = corner[1] + b * dilations[1], r3 = corner[2] + d * dilations[2];
            const bool inside = p >= 0 && p < input[0] && q >= 0 && q < input[1] && r3 >= 0 && r3 < input[2];
            *to = inside ? x + (((at * input[0] + p) * input[1] + q) * input[2] + r3) * pixel : padding;
          }
    }
  }

  // Steps begin..end of k for `some` rows (a multiple of 4): word w of a step lies at to[w * sparse_rows + row].
  void turn(const float* const* pointers, int some, int64_t begin, int64_t end, float* to) const {
    while (begin < end) {
      const int64_t tap = begin / steps, step = begin % steps;
      const int64_t left = steps - step, count = left < end - begin ? left : end - begin;
      const int64_t first = step * unit, beyond = (step + count) * unit, last = beyond < words ? beyond : words;
      const float* const* rows = pointers + tap * sparse_rows;
      for (int r = 0; r < some; r += 4) {
        const float *a = rows[r], *b = rows[r + 1], *c = rows[r + 2], *d = rows[r + 3];
        float* out = to + r;
        int64_t k = first;
        for (; k + 4 <= last; k += 4, out += 4 * sparse_rows) turn_4x4(a + k, b + k, c + k, d + k, out, sparse_rows);
        for (; k < last; k++, out += sparse_rows) {
          const float four[4] = {a[k], b[k], c[k], d[k]};
          __builtin_memcpy(out, four, sizeof four);
        }
      }
      begin += count;
      to += count * unit * sparse_rows;
    }
  }
};

template <class Step>
SparseWindow sparse_window(const Step& s, const espalier::Context& c) {
  SparseWindow v{};
  v.x = c.at<const float>(s.x);
  v.batch = s.batch;
  for (int i = 0; i < 3; i++) {
    v.input[i] = s.input[i];
    v.output[i] = s.outputSize[i];
    v.kernel[i] = s.kernel[i];
    v.strides[i] = s.strides[i];
    v.dilations[i] = s.dilations[i];
    v.pads[i] = s.pads[i];
  }
  return v;
}

// A packed weight: outputs in panels, steps of k in blocks, a part is a panel in a block. Its directory gives, for each
// output that has anything there, its number in the panel and how many; outputs with equally many follow each other, so
// that the end of the inner loop is foreseen. Places are words of turned rows from the beginning of the block.
struct SparseWeight {
  const uint8_t* data;
  int64_t outputs, steps, panel, block, directory_at, places_at, values_at;

  int64_t panels() const { return (outputs + panel - 1) / panel; }
  int64_t parts() const { return (steps + block - 1) / block; }
  const uint32_t* start(int64_t which, int64_t part) const {
    return reinterpret_cast<const uint32_t*>(data) + 2 * (which * parts() + part);
  }
  const uint16_t* directory() const { return reinterpret_cast<const uint16_t*>(data + directory_at); }
  const uint16_t* places() const { return reinterpret_cast<const uint16_t*>(data + places_at); }
};

template <class Step>
SparseWeight sparse_weight(const Step& s, const espalier::Context& c, int64_t steps) {
  return {c.at<const uint8_t>(s.w), s.outputs, steps, s.panel, s.block, s.directoryAt, s.placesAt, s.valuesAt};
}

// Scratch of a thread: pointers, turned rows, sums, and a line of results that are to be finished.
struct SparseScratch {
  const float** pointers;
  float* turned;
  float* sums;
  float* line;

  bool keeps;  // rows are turned once for all panels

  SparseScratch(uint8_t* at, const SparseWindow& v, const SparseWeight& w) {
    keeps = w.panels() > 1 && w.steps * v.unit * sparse_rows * 4 <= sparse_kept;
    pointers = reinterpret_cast<const float**>(at);
    turned = reinterpret_cast<float*>(at + v.taps() * sparse_rows * 8);
    sums = turned + (keeps ? w.steps : w.block) * v.unit * sparse_rows;
    line = sums + w.panel * sparse_rows;
  }
};

// Adds to the sums of some outputs of equally many steps, whose places and values follow each other.
template <class Kind, int Vectors, int Outputs>
ESPALIER_INLINE void sparse_add(const uint16_t* entry, const uint16_t* place, const typename Kind::Value* value,
                                const float* turned, float* sums, bool fresh) {
  const int64_t count = entry[1];
  typename Kind::Element* own[Outputs];
  typename Kind::Sum s[Outputs][Vectors];
#pragma GCC unroll 8
  for (int o = 0; o < Outputs; o++) {
    own[o] = reinterpret_cast<typename Kind::Element*>(sums + entry[2 * o] * sparse_rows);
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; v++) s[o][v] = fresh ? typename Kind::Sum{} : load(own[o] + v * lanes);
  }
  const auto step = [&](int o, int64_t i, const auto& weight) __attribute__((always_inline)) {
    const float* x = turned + place[o * count + i];
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; v++) s[o][v] = Kind::add(s[o][v], x + v * lanes, weight);
  };
  int64_t i = 0;
  for (; i + Kind::group <= count && Kind::group > 1; i += Kind::group) {
    typename Kind::Group group[Outputs];
#pragma GCC unroll 8
    for (int o = 0; o < Outputs; o++) group[o] = Kind::read(value + (o * count + i) * Kind::width);
#pragma GCC unroll 8
    for (int j = 0; j < Kind::group; j++)
#pragma GCC unroll 8
      for (int o = 0; o < Outputs; o++) step(o, i + j, Kind::pick(group[o], j));
  }
  for (; i < count; i++)
#pragma GCC unroll 8
    for (int o = 0; o < Outputs; o++) step(o, i, Kind::spread(value + (o * count + i) * Kind::width));
#pragma GCC unroll 8
  for (int o = 0; o < Outputs; o++)
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; v++) store(own[o] + v * lanes, s[o][v]);
}

// Adds to the sums of `Kind::tall` outputs, which share their places: what is loaded of the activations meets the weights of
// each. `Vectors` of the rows at a time, so that all sums are in registers.
template <class Kind, int Vectors>
ESPALIER_INLINE void sparse_add_tall(int64_t count, const uint16_t* place, const typename Kind::Value* value,
                                     const float* turned, float* sums, bool fresh) {
  typename Kind::Sum s[Kind::tall][Vectors];
#pragma GCC unroll 8
  for (int o = 0; o < Kind::tall; o++)
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; v++)
      s[o][v] = fresh ? typename Kind::Sum{} : load(sums + o * sparse_rows + v * lanes);
  for (int64_t i = 0; i < count; i++, value += Kind::width) {
    const float* x = turned + place[i];
    f32v own[Vectors];
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; v++) own[v] = load(x + v * lanes);
#pragma GCC unroll 8
    for (int o = 0; o < Kind::tall; o++) {
      const f32v weight = splat(value[o]);
#pragma GCC unroll 8
      for (int v = 0; v < Vectors; v++) s[o][v] = fma(weight, own[v], s[o][v]);
    }
  }
#pragma GCC unroll 8
  for (int o = 0; o < Kind::tall; o++)
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; v++) store(sums + o * sparse_rows + v * lanes, s[o][v]);
}

// Products of a part of the weights for a block of so many vectors of rows, added to sums or, where they are fresh, put there.
// `Kind` says what a step is: `Value`, `width` of them together, of `tall` outputs; `Sum`, a vector of sums. With one output:
// `spread(values)`, a step's weights ready to multiply; `read` and `pick`, the same of a `group` of steps; `add(sum, words, weights)`.
template <class Kind, int Vectors>
__attribute__((noinline)) void sparse_multiply(const SparseWeight& w, const uint32_t* start, const float* turned, float* sums,
                                              bool fresh) {
  const uint16_t *entry = w.directory() + 2 * start[0], *const last = w.directory() + 2 * start[2];
  const uint16_t* place = w.places() + start[1];
  const auto* value = reinterpret_cast<const typename Kind::Value*>(w.data + w.values_at) + int64_t(start[1]) * Kind::width;
  while (entry < last) {
    int entries = 1;
    if constexpr (Kind::tall > 1) {
      constexpr int some = Vectors > 1 ? 2 : 1;
      float* const own = sums + int64_t(entry[0]) * Kind::tall * sparse_rows;
      int v = 0;
      for (; v + some <= Vectors; v += some)
        sparse_add_tall<Kind, some>(entry[1], place, value, turned + v * lanes, own + v * lanes, fresh);
      if (v < Vectors) sparse_add_tall<Kind, 1>(entry[1], place, value, turned + v * lanes, own + v * lanes, fresh);
    } else {
      constexpr int outputs = sparse_outputs(Vectors);
      if (outputs > 1 && entry + 2 * outputs <= last && entry[1] == entry[2 * outputs - 1]) {
        sparse_add<Kind, Vectors, outputs>(entry, place, value, turned, sums, fresh);
        entries = outputs;
      } else
        sparse_add<Kind, Vectors, 1>(entry, place, value, turned, sums, fresh);
    }
    const int64_t steps = int64_t(entries) * entry[1];
    entry += 2 * entries;
    place += steps;
    value += steps * Kind::width;
  }
}

// Walks the product: every part of the weights that has anything, then `finish(first row, rows, first column, columns)` for
// every block of rows and panel of outputs, whose sums lie in scratch.
template <class Kind, class Finish>
inline void sparse_walk(const Context& c, const SparseWindow& v, const SparseWeight& w, const SparseScratch& at,
                        const Finish& finish) {
  typedef decltype(&sparse_multiply<Kind, 1>) Multiply;
  constexpr Multiply multiply[] = {
      sparse_multiply<Kind, 1>, sparse_multiply<Kind, 2>, sparse_multiply<Kind, 3>, sparse_multiply<Kind, 4>,
#if !defined(__AVX2__)
      sparse_multiply<Kind, 5>, sparse_multiply<Kind, 6>, sparse_multiply<Kind, 7>, sparse_multiply<Kind, 8>,
#endif
  };
  const int64_t rows = v.rows(), vectors = (rows + lanes - 1) / lanes, blocks = (vectors + sparse_vectors - 1) / sparse_vectors;
  int64_t ready = -1;
  // Panels of outputs one after the other for a block of rows: each thread has rows of its own as long as there are enough.
  c.pieces(w.panels() * blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t piece = begin; piece < end; piece++) {
      const int64_t which = piece % w.panels(), block = piece / w.panels();
      const int64_t first = vectors * block / blocks * lanes, last = vectors * (block + 1) / blocks * lanes;
      const int filled = int(last - first), count = int((last < rows ? last : rows) - first);
      const int64_t column = which * w.panel, left = w.outputs - column, columns = left < w.panel ? left : w.panel;
      const bool known = block == ready;
      if (!known) v.find(first, count, filled, at.pointers);
      ready = block;
      // Mostly every output has something in the first part, which then begins its sums.
      const uint32_t* const head = w.start(which, 0);
      const bool complete = head[2] - head[0] == (columns + Kind::tall - 1) / Kind::tall;
      for (int64_t i = 0; i < columns && !complete; i++)
        for (int r = 0; r < filled; r += lanes) store(at.sums + i * sparse_rows + r, f32v{});
      for (int64_t part = 0; part < w.parts(); part++) {
        const uint32_t* const start = w.start(which, part);
        const bool empty = start[0] == start[2];
        const int64_t from = part * w.block, to = from + w.block < w.steps ? from + w.block : w.steps;
        float* const turned = at.keeps ? at.turned + from * v.unit * sparse_rows : at.turned;
        if (at.keeps ? !known : !empty) v.turn(at.pointers, filled, from, to, turned);
        if (!empty) multiply[filled / lanes - 1](w, start, turned, at.sums, complete && part == 0);
      }
      finish(first, count, column, columns);
    }
  });
}

// Four rows of sums as they are finished: line[row * pitch + column].
ESPALIER_INLINE void sparse_turn_sums(const float* sums, int64_t columns, float* line, int64_t pitch) {
  int64_t i = 0;
  for (; i + lanes <= columns; i += lanes, sums += lanes * sparse_rows) {
    f32v t[4];
    turn_columns(sums, sparse_rows, t);
    for (int q = 0; q < 4; q++) store(line + q * pitch + i, t[q]);
  }
  for (; lanes > 4 && i + 4 <= columns; i += 4, sums += 4 * sparse_rows)
    turn_4x4(sums, sums + sparse_rows, sums + 2 * sparse_rows, sums + 3 * sparse_rows, line + i, pitch);
  for (; i < columns; i++, sums += sparse_rows)
    for (int q = 0; q < 4; q++) __builtin_memcpy(line + q * pitch + i, sums + q, 4);
}

}  // namespace ESPALIER_ISA
