// LSTM, GRU and RNN layers after the product of all inputs: for each step the product of the hidden state with the
// recurrent weights, and the gates, in one pass over the hidden units.
//
// Floor with few samples: the recurrent weights, read once a step from the cache that holds them (512 LSTM units:
// 4 MiB). They lie as the pass reads them: for `lanes` units, for each k, the weights of all gates. Steps walk the panels
// to and fro, so that a step starts with what the one before has left in the nearest cache; several are read at once.
// Threads split the panels; a unit's cell state stays with its thread, the hidden state is exchanged at one barrier a step
// (two where GRU's reset gate comes before the product).
#pragma once
#include "core/bytes.hpp"
#include "gemm_streams.hpp"
#include "generated/steps.hpp"
#include "math/activation.hpp"

namespace ESPALIER_ISA {

using espalier::Context;
using espalier::Range;

// Sums of a tile of samples and gates: what leaves registers for the operands.
#if defined(__wasm__)
constexpr int recurrent_sums = 9;
#else
constexpr int recurrent_sums = registers * 3 / 4;
#endif

enum RecurrentCell { cell_rnn = 0, cell_lstm = 1, cell_gru = 2, cell_gru_linear = 3 };

inline void pack_recurrent_f32(const espalier::steps::pack_recurrent_f32& s, const Context& c) {
  const float* x = c.at<const float>(s.x);
  float* y = c.at<float>(s.y);
  const int64_t hidden = s.hidden, panels = (hidden + lanes - 1) / lanes;
  const Range mine = c.share(s.directions * panels);
  for (int64_t p = mine.begin; p < mine.end; p++) {
    const int64_t direction = p / panels, unit = p % panels * lanes;
    const float* from = x + (direction * s.gates + s.first) * hidden * hidden;
    float* to = y + p * hidden * s.count * lanes;
    for (int64_t k = 0; k < hidden; k++)
      for (int gate = 0; gate < s.count; gate++)
        for (int lane = 0; lane < lanes; lane++)
          *to++ = unit + lane < hidden ? from[(gate * hidden + unit + lane) * hidden + k] : 0.0f;
  }
}

// A recurrent layer in the middle of its walk, seen from one thread.
struct Recurrent {
  const espalier::steps::recurrent_f32& s;
  const Context& c;
  const float *x, *r, *r_hidden, *bias, *peepholes, *parameters;
  const int32_t* lengths;
  float *states, *cells, *gated, *y;
  int64_t hidden, samples, steps, panels;
  int gates;

  Recurrent(const espalier::steps::recurrent_f32& step, const Context& context) : s(step), c(context) {
    x = c.at<const float>(s.x);
    r = c.at<const float>(s.r);
    r_hidden = c.at<const float>(s.rHidden);
    bias = c.at<const float>(s.bias);
    peepholes = c.at<const float>(s.peepholes);
    parameters = c.at<const float>(s.parameters);
    lengths = c.at<const int32_t>(s.lengths);
    hidden = s.hidden;
    samples = s.samples;
    steps = s.steps;
    panels = (hidden + lanes - 1) / lanes;
    const int64_t state = s.directions * samples * hidden;
    states = c.at<float>(s.scratch);  // before and after a step, in turn
    cells = states + 2 * state;       // LSTM: cell states. GRU: update gates, on the way
    gated = cells + state;            // GRU: hidden states behind the reset gate
    y = c.at<float>(s.y);
    gates = s.cell == cell_rnn ? 1 : s.cell == cell_lstm ? 4 : 3;
  }

  // The hidden states after `step` steps, [directions, samples, hidden].
  ESPALIER_INLINE float* states_after(int64_t step) const {
    return states + (step & 1) * s.directions * samples * hidden;
  }
  // Where a state lies in the operator's inputs and outputs.
  ESPALIER_INLINE int64_t outside(int64_t direction, int64_t sample) const {
    return (s.batchFirst ? sample * s.directions + direction : direction * samples + sample) * hidden;
  }
  ESPALIER_INLINE int64_t length_of(int64_t sample) const {
    if (lengths == nullptr) return steps;
    const int64_t length = lengths[sample];
    if (length >= 0 && length <= steps) return length;
    c.fault(espalier::bad_length, length);
    return 0;
  }
  ESPALIER_INLINE f32v activated(int64_t direction, int index, f32v v) const {
    const int i = int(direction) * 3 + index;
    if (s.clip >= 0) v = clip(v, splat(-s.clip), splat(s.clip));
    return activate(s.activations[i], v, splat(parameters[2 * i]), splat(parameters[2 * i + 1]));
  }
};

// The units of a panel in one sample and step: reads and writes of vectors that may be cut short.
struct RecurrentUnits {
  const Recurrent& layer;
  int64_t direction, sample, unit, step;
  int count;

  ESPALIER_INLINE f32v read(const float* p) const { return count == lanes ? load(p + unit) : load_part(p + unit, count); }
  ESPALIER_INLINE void write(float* p, f32v v) const {
    if (count == lanes) store(p + unit, v);
    else store_part(p + unit, v, count);
  }
  ESPALIER_INLINE int64_t state() const { return (direction * layer.samples + sample) * layer.hidden; }
  // The step of the sequence that is walked now.
  ESPALIER_INLINE int64_t time(int64_t length) const {
    return layer.s.backwards >> direction & 1 ? length - 1 - step : step;
  }
  ESPALIER_INLINE f32v biased(int gate, int part, f32v v) const {
    if (layer.bias == nullptr) return v;
    return v + read(layer.bias + ((direction * 2 + part) * layer.gates + gate) * layer.hidden);
  }
  // The input's part of a gate, Wb with it.
  ESPALIER_INLINE f32v input(int gate, int64_t t) const {
    const int64_t row = layer.s.batchFirst ? sample * layer.steps + t : t * layer.samples + sample;
    return biased(gate, 0, read(layer.x + ((row * layer.s.directions + direction) * layer.gates + gate) * layer.hidden));
  }
  ESPALIER_INLINE f32v peephole(int gate, f32v cell, f32v v) const {
    if (layer.peepholes == nullptr) return v;
    return fma(read(layer.peepholes + (direction * 3 + gate) * layer.hidden), cell, v);
  }
  // What the layer puts out for step t.
  ESPALIER_INLINE void put(int64_t t, f32v h) const {
    if (layer.y == nullptr) return;
    const int64_t directions = layer.s.directions;
    const int64_t row = layer.s.batchFirst ? (sample * layer.steps + t) * directions + direction
                                           : (t * directions + direction) * layer.samples + sample;
    write(layer.y + row * layer.hidden, h);
  }
  ESPALIER_INLINE void advance(int64_t t, f32v h) const {
    write(layer.states_after(step + 1) + state(), h);
    put(t, h);
  }
  // A sequence that has ended keeps its state and puts out zeros.
  ESPALIER_INLINE void rest() const {
    write(layer.states_after(step + 1) + state(), read(layer.states_after(step) + state()));
    put(step, f32v{});
  }
};

ESPALIER_INLINE void lstm_units(const RecurrentUnits& u, int64_t t, const f32v (&product)[4]) {
  const Recurrent& layer = u.layer;
  float* cell = layer.cells + u.state();
  const f32v old = u.read(cell);
  const auto gate = [&](int index) { return u.biased(index, 1, u.input(index, t) + product[index]); };
  const f32v input = layer.activated(u.direction, 0, u.peephole(0, old, gate(0)));
  const f32v forget =
      layer.s.coupled ? splat(1.0f) - input : layer.activated(u.direction, 0, u.peephole(2, old, gate(2)));
  const f32v updated = fma(forget, old, input * layer.activated(u.direction, 1, gate(3)));
  const f32v output = layer.activated(u.direction, 0, u.peephole(1, updated, gate(1)));
  u.write(cell, updated);
  u.advance(t, output * layer.activated(u.direction, 2, updated));
}

// The new state of a GRU from its update gate and candidate.
ESPALIER_INLINE void gru_advance(const RecurrentUnits& u, int64_t t, f32v update, f32v candidate) {
  const f32v old = u.read(u.layer.states_after(u.step) + u.state());
  u.advance(t, fma(update, old - candidate, candidate));
}

ESPALIER_INLINE void gru_linear_units(const RecurrentUnits& u, int64_t t, const f32v (&product)[3]) {
  const auto gate = [&](int index) {
    return u.layer.activated(u.direction, 0, u.biased(index, 1, u.input(index, t) + product[index]));
  };
  const f32v update = gate(0), reset = gate(1);
  const f32v hidden = fma(reset, u.biased(2, 1, product[2]), u.input(2, t));
  gru_advance(u, t, update, u.layer.activated(u.direction, 1, hidden));
}

// Up to the reset gate; the update gate waits where LSTM has its cell.
ESPALIER_INLINE void gru_gate_units(const RecurrentUnits& u, int64_t t, const f32v (&product)[2]) {
  const auto gate = [&](int index) {
    return u.layer.activated(u.direction, 0, u.biased(index, 1, u.input(index, t) + product[index]));
  };
  u.write(u.layer.cells + u.state(), gate(0));
  u.write(u.layer.gated + u.state(), gate(1) * u.read(u.layer.states_after(u.step) + u.state()));
}

ESPALIER_INLINE void gru_candidate_units(const RecurrentUnits& u, int64_t t, const f32v (&product)[1]) {
  const f32v hidden = u.biased(2, 1, u.input(2, t) + product[0]);
  gru_advance(u, t, u.read(u.layer.cells + u.state()), u.layer.activated(u.direction, 1, hidden));
}

ESPALIER_INLINE void rnn_units(const RecurrentUnits& u, int64_t t, const f32v (&product)[1]) {
  u.advance(t, u.layer.activated(u.direction, 0, u.biased(0, 1, u.input(0, t) + product[0])));
}

// One pass over this thread's panels: products with `from`, then `finish` for every sample that still has steps to go.
// Samples are taken some at a time, panel by panel; those left over one by one, with several panels as streams.
template <int gates, class F>
ESPALIER_INLINE void recurrent_pass(const Recurrent& layer, Range panels, int64_t step, const float* from,
                                    const float* weights, bool final, F finish) {
  constexpr int budget = recurrent_sums / gates, most_rows = budget < 6 ? budget : 6;
  constexpr int streams = gemm_streams_for(gates);
  const int64_t hidden = layer.hidden, directions = layer.s.directions;
  const bool back = step & 1;
  for (int64_t d = 0; d < directions; d++) {
    const int64_t direction = back ? directions - 1 - d : d, base = direction * layer.panels;
    const int64_t begin = panels.begin > base ? panels.begin : base;
    const int64_t end = panels.end < base + layer.panels ? panels.end : base + layer.panels;
    const float* h = from + direction * layer.samples * hidden;
    const auto take = [&](int64_t panel, int64_t sample, const f32v(&product)[gates]) {
      const int64_t unit = (panel - base) * lanes;
      const int count = int(hidden - unit < lanes ? hidden - unit : lanes);
      const RecurrentUnits units{layer, direction, sample, unit, step, count};
      const int64_t length = layer.length_of(sample);
      if (step < length) finish(units, units.time(length), product);
      else if (final) units.rest();
    };
    const int64_t groups = end > begin ? (end - begin + streams - 1) / streams : 0;
    for (int64_t g = 0; g < groups; g++) {
      const int64_t first = begin + (back ? groups - 1 - g : g) * streams;
      const int64_t count = end - first < streams ? end - first : streams;
      const float* own[streams];
      for (int64_t i = 0; i < streams; i++)
        own[i] = weights + (first + (i < count ? i : count - 1)) * hidden * gates * lanes;
      int64_t done = 0;
      for (int64_t i = 0; i < count; i++)
        for (done = 0; done + most_rows <= layer.samples; done += most_rows) {
          f32v product[most_rows][1][gates] = {};
          gemm_streams<most_rows, 1, gates>(product, h + done * hidden, hidden, {own[i]}, hidden);
          for (int row = 0; row < most_rows; row++) take(first + i, done + row, product[row][0]);
        }
      for (int64_t sample = done; sample < layer.samples; sample++) {
        f32v product[1][streams][gates] = {};
        gemm_streams(product, h + sample * hidden, hidden, own, hidden);
        for (int64_t i = 0; i < count; i++) take(first + i, sample, product[0][i]);
      }
    }
  }
}

// Copies states between the layer's own memory and the operator's; zeros where there is no source.
ESPALIER_INLINE void recurrent_states(const Recurrent& layer, Range panels, float* own, float* given, bool reading) {
  for (int64_t panel = panels.begin; panel < panels.end; panel++)
    for (int64_t sample = 0; sample < layer.samples; sample++) {
      const int64_t direction = panel / layer.panels, unit = panel % layer.panels * lanes;
      const int count = int(layer.hidden - unit < lanes ? layer.hidden - unit : lanes);
      float* inner = own + (direction * layer.samples + sample) * layer.hidden + unit;
      float* outer = given == nullptr ? nullptr : given + layer.outside(direction, sample) + unit;
      for (int lane = 0; lane < count; lane++) {
        if (!reading) outer[lane] = inner[lane];
        else inner[lane] = outer == nullptr ? 0.0f : outer[lane];
      }
    }
}

inline void recurrent_f32(const espalier::steps::recurrent_f32& s, const Context& c) {
  const Recurrent layer(s, c);
  const Range mine = c.share(s.directions * layer.panels);
  recurrent_states(layer, mine, layer.states_after(0), c.at<float>(s.initialH), true);
  if (s.cell == cell_lstm) recurrent_states(layer, mine, layer.cells, c.at<float>(s.initialC), true);
  for (int64_t step = 0; step < layer.steps; step++) {
    c.barrier();
    const float* h = layer.states_after(step);
    switch (s.cell) {
      case cell_lstm: recurrent_pass<4>(layer, mine, step, h, layer.r, true, lstm_units); break;
      case cell_gru_linear: recurrent_pass<3>(layer, mine, step, h, layer.r, true, gru_linear_units); break;
      case cell_gru:
        recurrent_pass<2>(layer, mine, step, h, layer.r, false, gru_gate_units);
        c.barrier();
        recurrent_pass<1>(layer, mine, step, layer.gated, layer.r_hidden, true, gru_candidate_units);
        break;
      default: recurrent_pass<1>(layer, mine, step, h, layer.r, true, rnn_units);
    }
  }
  if (s.yH.present()) recurrent_states(layer, mine, layer.states_after(layer.steps), c.at<float>(s.yH), false);
  if (s.yC.present()) recurrent_states(layer, mine, layer.cells, c.at<float>(s.yC), false);
}

}  // namespace ESPALIER_ISA
