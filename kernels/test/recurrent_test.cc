// Recurrent layers against a walk in double precision: every cell, direction, layout, with and without optional inputs.
#include "../recurrent.hpp"

#include "check.hpp"

namespace k = ESPALIER_ISA;
namespace steps = espalier::steps;
using Floats = std::vector<float>;

struct Case {
  int cell, steps, samples, directions, hidden, backwards, batch_first;
  bool full;  // bias, lengths, initial states, peepholes
  float clip;
};

static Floats random_floats(int64_t n, float scale = 1) {
  Floats values(n);
  for (auto& v : values) v = check::uniform(-scale, scale);
  return values;
}

static double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

static void layer(const Case& t) {
  const int T = t.steps, N = t.samples, D = t.directions, H = t.hidden, G = t.cell == 0 ? 1 : t.cell == 1 ? 4 : 3;
  const Floats x = random_floats(int64_t(T) * N * D * G * H, 2), r = random_floats(int64_t(D) * G * H * H, 0.5f);
  const Floats bias = random_floats(t.full ? 2 * D * G * H : 0), peepholes = random_floats(t.full ? 3 * D * H : 0);
  const Floats h0 = random_floats(t.full ? D * N * H : 0), c0 = random_floats(t.full ? D * N * H : 0);
  std::vector<int32_t> lengths(N, T);
  if (t.full) for (auto& length : lengths) length = check::integer(0, T);
  Floats y(int64_t(T) * D * N * H), y_h(int64_t(D) * N * H), y_c(y_h.size());
  const auto clipped = [&](double v) { return t.clip < 0 ? v : std::min<double>(t.clip, std::max<double>(-t.clip, v)); };
  const auto f = [&](double v) { return sigmoid(clipped(v)); };
  const auto g = [&](double v) { return std::tanh(clipped(v)); };
  for (int d = 0; d < D; d++)
    for (int n = 0; n < N; n++) {
      const int64_t state = int64_t(t.batch_first ? n * D + d : d * N + n) * H;
      std::vector<double> h(H), c(H);
      if (t.full) std::copy_n(&h0[state], H, h.begin()), std::copy_n(&c0[state], H, c.begin());
      for (int s = 0; s < lengths[n]; s++) {
        const int time = t.backwards >> d & 1 ? lengths[n] - 1 - s : s;
        const int64_t row = t.batch_first ? int64_t(n) * T + time : int64_t(time) * N + n;
        const auto input = [&](int gate, int i) { return x[((row * D + d) * G + gate) * H + i] + (t.full ? bias[(d * 2 * G + gate) * H + i] : 0.0); };
        const auto product = [&](int gate, int i, const std::vector<double>& of) {
          double sum = t.full ? bias[((d * 2 + 1) * G + gate) * H + i] : 0.0;
          for (int j = 0; j < H; j++) sum += r[((d * G + gate) * H + i) * int64_t(H) + j] * of[j];
          return sum;
        };
        const auto peephole = [&](int gate, int i) { return t.full ? peepholes[(d * 3 + gate) * H + i] : 0.0; };
        std::vector<double> next(H), reset(H);
        for (int i = 0; t.cell == 2 && i < H; i++) reset[i] = h[i] * f(input(1, i) + product(1, i, h));
        for (int i = 0; i < H; i++) {
          if (t.cell == 0) {
            next[i] = g(input(0, i) + product(0, i, h));
          } else if (t.cell == 1) {
            const double in = f(input(0, i) + product(0, i, h) + peephole(0, i) * c[i]);
            const double forget = f(input(2, i) + product(2, i, h) + peephole(2, i) * c[i]);
            c[i] = forget * c[i] + in * g(input(3, i) + product(3, i, h));
            next[i] = f(input(1, i) + product(1, i, h) + peephole(1, i) * c[i]) * g(c[i]);
          } else {
            const double z = f(input(0, i) + product(0, i, h));
            const double candidate = t.cell == 2 ? input(2, i) + product(2, i, reset)
                                                 : input(2, i) + f(input(1, i) + product(1, i, h)) * product(2, i, h);
            next[i] = (1 - z) * g(candidate) + z * h[i];
          }
        }
        h = next;
        const int64_t out = t.batch_first ? (int64_t(n) * T + time) * D + d : (int64_t(time) * D + d) * N + n;
        for (int i = 0; i < H; i++) y[out * H + i] = float(h[i]);
      }
      for (int i = 0; i < H; i++) y_h[state + i] = float(h[i]), y_c[state + i] = float(c[i]);
    }

  for (int threads = 1; threads <= 3; threads++) {
    check::Memory memory;
    const auto packed = [&](int first, int count) {
      steps::pack_recurrent_f32 p{memory.add(r), {}, D, G, first, count, H};
      const int panels = (H + k::lanes - 1) / k::lanes;
      p.y = memory.add(Floats(int64_t(D) * panels * H * count * k::lanes));
      check::run(memory, threads, [&](const auto& c) { k::pack_recurrent_f32(p, c); });
      return p.y;
    };
    steps::recurrent_f32 s{};
    s.x = memory.add(x, 4);
    s.r = packed(0, t.cell == 2 ? 2 : G);
    s.rHidden = t.cell == 2 ? packed(2, 1) : check::absent;
    s.bias = t.full ? memory.add(bias, 4) : check::absent;
    s.lengths = t.full ? memory.add(lengths) : check::absent;
    s.initialH = t.full ? memory.add(h0, 4) : check::absent;
    s.initialC = t.full ? memory.add(c0, 4) : check::absent;
    s.peepholes = t.full && t.cell == 1 ? memory.add(peepholes, 4) : check::absent;
    s.parameters = memory.add(Floats(6 * D));
    s.scratch = memory.add(random_floats(4 * int64_t(D) * N * H));
    s.y = memory.add(random_floats(y.size())), s.yH = memory.add(random_floats(y_h.size()));
    s.yC = t.cell == 1 ? memory.add(random_floats(y_c.size())) : check::absent;
    s.cell = t.cell, s.steps = T, s.samples = N, s.directions = D, s.hidden = H;
    s.backwards = t.backwards, s.batchFirst = t.batch_first, s.clip = t.clip;
    const int first = t.cell == 0 ? k::activation_tanh : k::activation_sigmoid;
    for (int d = 0; d < D; d++) s.activations[3 * d] = first, s.activations[3 * d + 1] = s.activations[3 * d + 2] = k::activation_tanh;
    check::run(memory, threads, [&](const auto& c) { k::recurrent_f32(s, c); });
    const std::string what = "cell " + std::to_string(t.cell) + " hidden " + std::to_string(H) + " samples " + std::to_string(N);
    check::all_near(memory.at<float>(s.y), y, what + ": Y", 1e-3f, 1e-5f);
    check::all_near(memory.at<float>(s.yH), y_h, what + ": Y_h", 1e-3f, 1e-5f);
    if (t.cell == 1) check::all_near(memory.at<float>(s.yC), y_c, what + ": Y_c", 1e-3f, 1e-5f);
  }
}

int main() {
  for (int cell = 0; cell <= 3; cell++)
    for (int round = 0; round < 24; round++)
      layer({cell, check::integer(0, 6), check::integer(1, 8), round % 3 == 2 ? 2 : 1, check::integer(1, 40),
             round % 3 == 0 ? 0 : round % 3 == 1 ? 1 : 2, round / 3 % 2, round % 2 == 0, round % 5 == 0 ? 0.8f : -1.0f});
  return check::finish("recurrent");
}
