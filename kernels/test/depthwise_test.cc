// depthwise_f32 against plain loops: random windows, multipliers, unaligned memory.
#include "../depthwise.hpp"

#include "window.hpp"

using namespace ESPALIER_ISA;
using check::integer;

namespace {

// Half of them of the usual kind, which has tiles of its own; some so high that sums are made in parts.
check::Window random_kernel() {
  check::Window k = check::random_window(integer(0, 1) ? 12 : 70);
  if (integer(0, 1)) return k;
  k.kernel[2] = integer(0, 1) ? 3 : 5;
  k.strides[2] = integer(1, 2);
  k.dilations[2] = 1;
  k.output[2] = integer(5, 23);
  k.input[2] = std::max(1, (k.output[2] - 1) * k.strides[2] + k.kernel[2] - k.pads[2] - integer(0, 3));
  if (integer(0, 4)) return k;
  k.kernel[1] = integer(30, 70);
  k.input[1] = std::max(1, (k.output[1] - 1) * k.strides[1] + (k.kernel[1] - 1) * k.dilations[1] + 1 - k.pads[1]);
  return k;
}

}  // namespace

int main() {
  const int none[3] = {0, 0, 0};
  for (int i = 0; i < 300; i++) {
    const check::Window k = random_kernel();
    const int multiplier = integer(0, 2) ? 1 : integer(2, 3);
    const int64_t taps = check::product(k.kernel), ins = check::product(k.input), outs = check::product(k.output);
    const int64_t C = k.channels, O = C * multiplier;
    const bool extras = integer(0, 1), relu = integer(0, 1);
    const auto x = check::random_floats(k.batch * ins * C), w = check::random_floats(O * taps);
    const auto bias = check::random_floats(O), residual = check::random_floats(k.batch * outs * O);
    std::vector<float> wanted(k.batch * outs * O);
    for (int64_t n = 0; n < k.batch; n++)
      for (int64_t at = 0; at < outs; at++)
        for (int64_t o = 0; o < O; o++) {
          const int64_t to = (n * outs + at) * O + o;
          double sum = extras ? double(bias[o]) + residual[to] : 0;
          check::each_tap(k, at, none, [&](int64_t t, int64_t p, bool) {
            if (p >= 0) sum += double(x[(n * ins + p) * C + o / multiplier]) * w[o * taps + t];
          });
          wanted[to] = relu && sum < 0 ? 0 : float(sum);
        }
    espalier::steps::depthwise_f32 s{};
    espalier::steps::depthwise_pack_f32 pack{};
    check::set_window(s, k);
    s.multiplier = multiplier;
    s.activation = relu;
    for (int threads = 1; threads <= 3; threads++) {
      check::Memory memory;
      s.x = memory.add(x, 4 * threads);
      pack.w = memory.add(w, 4);
      pack.packed = s.w = memory.add(std::vector<float>(w.size(), NAN), 8);
      pack.outputs = int(O);
      pack.taps = int(taps);
      s.bias = extras ? memory.add(bias, 4) : check::absent;
      s.residual = extras ? memory.add(residual, 12) : check::absent;
      s.y = memory.add(std::vector<float>(wanted.size(), NAN), 4);
      check::run(memory, threads, [&](const Context& c) {
        depthwise_pack_f32(pack, c);
        c.barrier();
        depthwise_f32(s, c);
      });
      check::all_near(memory.at<float>(s.y), wanted, "depthwise " + std::to_string(i), 1e-4f, 1e-5f);
    }
  }
  return check::finish("depthwise");
}
