// conv_f32 and conv_transpose_f32 against plain loops: random shapes, all ways to cut the work, unaligned memory.
#include "../conv.hpp"

#include "window.hpp"

using namespace ESPALIER_ISA;
using check::integer;

namespace {

// Channels and outputs are those of a group.
struct Case : check::Window {
  int groups, outputs;
};

using check::product;
using check::random_floats;

std::string name_of(const Case& k) {
  std::string s = "n" + std::to_string(k.batch) + " g" + std::to_string(k.groups) + " c" + std::to_string(k.channels) +
                  " o" + std::to_string(k.outputs);
  for (const auto& list : {k.input, k.output, k.kernel, k.strides, k.dilations, k.pads}) {
    s += " [";
    for (int i = 0; i < 3; i++) s += std::to_string(list[i]) + " ";
    s += "]";
  }
  return s;
}

// Calls f(output pixel, input pixel, tap) wherever a tap of a window meets the input.
template <class F>
void each_tap(const check::Window& k, const F& f) {
  const int none[3] = {0, 0, 0};
  for (int64_t o = 0; o < product(k.output); o++)
    check::each_tap(k, o, none, [&](int64_t t, int64_t i, bool) {
      if (i >= 0) f(o, i, t);
    });
}

template <class S>
void fill_step(S& s, const Case& k, int chunk0, int chunk1, bool copied, int depth, int activation) {
  check::set_window(s, k);
  s.groups = k.groups;
  s.channels = k.channels * k.groups;
  s.outputs = k.outputs * k.groups;
  s.chunk[0] = chunk0;
  s.chunk[1] = chunk1;
  s.copied = copied;
  s.depth = depth;
  s.activation = activation;
  s.alpha = activation == 2 ? -0.5f : 0.1f;
  s.beta = 0.7f;
}

int64_t up(int64_t bytes) { return (bytes + 63) / 64 * 64; }

// Bytes of scratch of a thread, as lower-convolution.ts has them.
int64_t scratch_of(const Case& k, int chunk0, int chunk1, bool copied) {
  const int64_t pixels = copied ? int64_t(chunk0) * chunk1 : chunk0;
  const int64_t runs = copied ? k.kernel[0] * k.kernel[1] : product(k.kernel);
  const int64_t window = copied ? int64_t(k.kernel[0]) * ((chunk1 - 1) * k.strides[1] + (k.kernel[1] - 1) * k.dilations[1] + 1) *
                                      ((chunk0 - 1) * k.strides[2] + k.kernel[2]) * k.channels * 4
                                : 0;
  return up(runs * pixels * 8) + up(pixels * 8) + up(pixels * gemm_columns * 4) + up(window);
}

// The packed weights, through the kernel that packs; w is [group][output][channel][tap].
std::vector<float> pack(const Case& k, const std::vector<float>& w, const std::vector<int>& order, bool transposed) {
  const int64_t taps = product(k.kernel), panels = (k.outputs + gemm_columns - 1) / gemm_columns;
  std::vector<int32_t> words(sizeof(espalier::steps::conv_pack_f32) / 4 + taps);
  auto& s = *reinterpret_cast<espalier::steps::conv_pack_f32*>(words.data());
  check::Memory memory;
  s.w = memory.add(w, 4);
  s.packed = memory.add(std::vector<float>(k.groups * panels * taps * k.channels * gemm_columns, NAN), 8);
  s.groups = k.groups;
  s.outputs = k.outputs;
  s.channels = k.channels;
  s.outputStride = int32_t(transposed ? taps : taps * k.channels);
  s.channelStride = int32_t(transposed ? taps * k.outputs : taps);
  s.groupStride = int32_t(taps * k.channels * k.outputs);
  s.taps_count = int32_t(taps);
  int32_t* list = s.taps;
  for (int64_t t = 0; t < taps; t++) list[t] = order[t];
  check::run(memory, 2, [&](const Context& c) { conv_pack_f32(s, c); });
  const float* packed = memory.at<float>(s.packed);
  return {packed, packed + k.groups * panels * taps * k.channels * gemm_columns};
}

void forward(const Case& k, int chunk0, int chunk1, bool copied, int depth, int activation, bool extras) {
  const int64_t taps = product(k.kernel), ins = product(k.input), outs = product(k.output);
  const int64_t C = k.channels * k.groups, O = k.outputs * k.groups;
  const auto x = random_floats(k.batch * ins * C), w = random_floats(O * k.channels * taps);
  const auto bias = random_floats(O), residual = random_floats(k.batch * outs * O);
  std::vector<int> order(taps);
  for (int t = 0; t < taps; t++) order[t] = t;
  espalier::steps::conv_f32 s{};
  fill_step(s, k, chunk0, chunk1, copied, depth, activation);
  std::vector<float> wanted(k.batch * outs * O);
  for (int64_t n = 0; n < k.batch; n++)
    for (int64_t o = 0; o < O; o++) {
      std::vector<double> sums(outs, extras ? bias[o] : 0);
      const int64_t g = o / k.outputs;
      each_tap(k, [&](int64_t at, int64_t i, int64_t t) {
        for (int64_t c = 0; c < k.channels; c++)
          sums[at] += double(x[(n * ins + i) * C + g * k.channels + c]) * w[(o * k.channels + c) * taps + t];
      });
      for (int64_t at = 0; at < outs; at++) {
        const int64_t to = (n * outs + at) * O + o;
        wanted[to] = check::plain_activation(activation, float(sums[at] + (extras ? residual[to] : 0)), s.alpha, s.beta);
      }
    }
  std::vector<float> first;
  for (int threads = 1; threads <= 3; threads++) {
    check::Memory memory;
    s.x = memory.add(x, 4 * threads);
    s.w = memory.add(pack(k, w, order, false), 4);
    s.bias = extras ? memory.add(bias, 4) : check::absent;
    s.residual = extras ? memory.add(residual, 12) : check::absent;
    s.zeros = memory.add(std::vector<float>(C), 4);
    s.y = memory.add(std::vector<float>(wanted.size(), NAN), 4);
    s.scratchBytes = int32_t(scratch_of(k, chunk0, chunk1, copied));
    s.scratch = memory.add(std::vector<uint8_t>(s.scratchBytes * threads));
    check::run(memory, threads, [&](const Context& c) { conv_f32(s, c); });
    const float* y = memory.at<float>(s.y);
    check::all_near(y, wanted, "conv " + name_of(k) + " chunk " + std::to_string(chunk0) + " " + std::to_string(chunk1) +
                                   (copied ? " copied" : "") + " depth " + std::to_string(depth) + " act " +
                                   std::to_string(activation), 1e-4f, 1e-5f);
    if (threads == 1) first.assign(y, y + wanted.size());
    else check::that(wanted.empty() || std::memcmp(first.data(), y, wanted.size() * 4) == 0, "conv: same bits for all threads");
  }
}

void transposed(const Case& k, int chunk, int depth, int activation) {
  // k.input is the operator's input, k.output its output: windows lead from the output to the input.
  Case back = k;
  std::swap(back.input, back.output);
  const int64_t taps = product(k.kernel), ins = product(k.input), outs = product(k.output);
  const int64_t C = k.channels * k.groups, O = k.outputs * k.groups;
  const auto x = random_floats(k.batch * ins * C), w = random_floats(C * k.outputs * taps), bias = random_floats(O);
  espalier::steps::conv_transpose_f32 s{};
  fill_step(s, k, chunk, 1, false, depth, activation);
  std::vector<float> wanted(k.batch * outs * O);
  for (int64_t n = 0; n < k.batch; n++)
    for (int64_t o = 0; o < O; o++) {
      std::vector<double> sums(outs, bias[o]);
      const int64_t g = o / k.outputs;
      each_tap(back, [&](int64_t i, int64_t at, int64_t t) {
        for (int64_t c = 0; c < k.channels; c++)
          sums[at] += double(x[(n * ins + i) * C + g * k.channels + c]) *
                      w[((g * k.channels + c) * k.outputs + o % k.outputs) * taps + t];
      });
      for (int64_t at = 0; at < outs; at++)
        wanted[(n * outs + at) * O + o] = check::plain_activation(activation, float(sums[at]), s.alpha, s.beta);
    }
  std::vector<int> order;
  for (int64_t phase = 0; phase < product(k.strides); phase++) {
    const int64_t p[3] = {phase / k.strides[2] / k.strides[1], phase / k.strides[2] % k.strides[1], phase % k.strides[2]};
    for (int t = 0; t < taps; t++) {
      const int64_t tap[3] = {t / k.kernel[2] / k.kernel[1], t / k.kernel[2] % k.kernel[1], t % k.kernel[2]};
      bool own = true;
      for (int a = 0; a < 3; a++) own = own && (p[a] + k.pads[a] - tap[a] * k.dilations[a]) % k.strides[a] == 0;
      if (own) order.push_back(t);
    }
  }
  check::that(int64_t(order.size()) == taps, "every tap belongs to one phase");
  for (int threads = 1; threads <= 3; threads++) {
    check::Memory memory;
    s.x = memory.add(x, 4);
    s.w = memory.add(pack(k, w, order, true), 4);
    s.bias = memory.add(bias, 4);
    s.zeros = memory.add(std::vector<float>(C), 4);
    s.y = memory.add(std::vector<float>(wanted.size(), NAN), 4);
    s.scratchBytes = int32_t(scratch_of(k, chunk, 1, false));
    s.scratch = memory.add(std::vector<uint8_t>(s.scratchBytes * threads));
    check::run(memory, threads, [&](const Context& c) { conv_transpose_f32(s, c); });
    check::all_near(memory.at<float>(s.y), wanted, "conv_transpose " + name_of(k), 1e-4f, 1e-5f);
  }
}

Case random_case() {
  Case k;
  static_cast<check::Window&>(k) = check::random_window(integer(0, 1) ? 4 : 40);
  k.groups = integer(0, 2) ? 1 : integer(2, 4);
  k.outputs = integer(1, integer(0, 1) ? 8 : 40);
  return k;
}

}  // namespace

int main() {
  const int activations[] = {0, 1, 2, 3, 4};
  for (int i = 0; i < 300; i++) {
    Case k = random_case();
    const int depth = integer(0, 1) ? 256 : integer(1, 20);
    const int activation = activations[integer(0, 4)];
    forward(k, integer(1, 30), 1, false, depth, activation, integer(0, 1));
    Case t = k;
    std::swap(t.input, t.output);
    transposed(t, integer(1, 30), depth, activation);
    k.groups = 1;
    k.dilations[2] = 1;
    forward(k, integer(1, 12), integer(1, 5), true, depth, activation, integer(0, 1));
  }
  return check::finish("conv");
}
