// winograd_f32 against plain loops: random shapes, both sizes of tiles, all cuts into blocks, unaligned memory.
#include "../winograd.hpp"

#include "window.hpp"

using namespace ESPALIER_ISA;
using check::integer;
using check::random_floats;

namespace {

struct Case {
  int batch, channels, outputs, size, block_tiles, activation;
  bool extras;
  int input[2], output[2], pads[2];
};

std::string name_of(const Case& k) {
  std::string s = "winograd " + std::to_string(k.size) + " n" + std::to_string(k.batch) + " c" + std::to_string(k.channels) +
                  " o" + std::to_string(k.outputs) + " block " + std::to_string(k.block_tiles) + " act " +
                  std::to_string(k.activation);
  for (const auto& list : {k.input, k.output, k.pads}) s += " [" + std::to_string(list[0]) + " " + std::to_string(list[1]) + "]";
  return s;
}

// y[n, i, j, o] = act(sum over taps and channels + bias + residual), in double precision.
std::vector<float> plain(const Case& k, const espalier::steps::winograd_f32& s, const std::vector<float>& x,
                         const std::vector<float>& w, const std::vector<float>& bias, const std::vector<float>& residual) {
  std::vector<float> y;
  for (int n = 0; n < k.batch; n++)
    for (int i = 0; i < k.output[0]; i++)
      for (int j = 0; j < k.output[1]; j++)
        for (int o = 0; o < k.outputs; o++) {
          double sum = k.extras ? double(bias[o]) + residual[y.size()] : 0;
          for (int t = 0; t < 9; t++) {
            const int row = i + t / 3 - k.pads[0], column = j + t % 3 - k.pads[1];
            if (row < 0 || row >= k.input[0] || column < 0 || column >= k.input[1]) continue;
            const float* from = &x[((int64_t(n) * k.input[0] + row) * k.input[1] + column) * k.channels];
            for (int c = 0; c < k.channels; c++) sum += double(from[c]) * w[(int64_t(o) * k.channels + c) * 9 + t];
          }
          y.push_back(check::plain_activation(k.activation, float(sum), s.alpha, s.beta));
        }
  return y;
}

std::vector<float> pack(const Case& k, const std::vector<float>& w) {
  const int64_t panels = (k.outputs + gemm_columns - 1) / gemm_columns;
  const int64_t floats = panels * (k.size + 2) * (k.size + 2) * k.channels * gemm_columns;
  espalier::steps::winograd_pack_f32 s{};
  check::Memory memory;
  s.w = memory.add(w, 4);
  s.packed = memory.add(std::vector<float>(floats, NAN), 8);
  s.outputs = k.outputs;
  s.channels = k.channels;
  s.size = k.size;
  check::run(memory, 2, [&](const Context& c) { winograd_pack_f32(s, c); });
  const float* packed = memory.at<float>(s.packed);
  return {packed, packed + floats};
}

void convolve(const Case& k) {
  const auto x = random_floats(int64_t(k.batch) * k.input[0] * k.input[1] * k.channels);
  const auto w = random_floats(int64_t(k.outputs) * k.channels * 9), bias = random_floats(k.outputs);
  const auto residual = random_floats(int64_t(k.batch) * k.output[0] * k.output[1] * k.outputs);
  espalier::steps::winograd_f32 s{};
  s.batch = k.batch;
  for (int i = 0; i < 2; i++) {
    s.input[i] = k.input[i];
    s.output[i] = k.output[i];
    s.pads[i] = k.pads[i];
  }
  s.channels = k.channels;
  s.outputs = k.outputs;
  s.size = k.size;
  s.blockTiles = k.block_tiles;
  s.activation = k.activation;
  s.alpha = k.activation == 2 ? -0.5f : 0.1f;
  s.beta = 0.7f;
  // As lower-winograd.ts has them.
  const int64_t row = (k.channels + lanes - 1) / lanes * lanes, elements = (k.size + 2) * (k.size + 2);
  s.scratchBytes = int32_t(4 * elements * (k.block_tiles * row + 16 + k.block_tiles * gemm_columns));
  const std::vector<float> wanted = plain(k, s, x, w, bias, residual), packed = pack(k, w);
  std::vector<float> first;
  for (int threads = 1; threads <= 3; threads++) {
    check::Memory memory;
    s.x = memory.add(x, 4 * threads);
    s.w = memory.add(packed, 4);
    s.bias = k.extras ? memory.add(bias, 4) : check::absent;
    s.residual = k.extras ? memory.add(residual, 12) : check::absent;
    s.zeros = memory.add(std::vector<float>(k.channels), 4);
    s.y = memory.add(std::vector<float>(wanted.size(), NAN), 4);
    s.scratch = memory.add(std::vector<uint8_t>(s.scratchBytes * threads));
    check::run(memory, threads, [&](const Context& c) { winograd_f32(s, c); });
    const float* y = memory.at<float>(s.y);
    check::all_near(y, wanted, name_of(k), 1e-4f, 3e-5f);
    if (threads == 1) first.assign(y, y + wanted.size());
    else check::that(wanted.empty() || std::memcmp(first.data(), y, wanted.size() * 4) == 0, name_of(k) + ": same bits for all threads");
  }
}

Case random_case() {
  Case k;
  k.batch = integer(0, 8) == 0 ? 0 : integer(1, 3);
  k.channels = integer(1, integer(0, 1) ? 10 : 70);
  k.outputs = integer(1, integer(0, 1) ? 10 : 70);
  k.size = integer(0, 1) ? 4 : 2;
  k.block_tiles = integer(1, 40);
  k.activation = integer(0, 4);
  k.extras = integer(0, 1);
  for (int i = 0; i < 2; i++) {
    k.pads[i] = integer(0, 3);
    k.output[i] = integer(0, 12) == 0 ? 0 : integer(1, 11);
    k.input[i] = std::max(1, k.output[i] + 2 - k.pads[i] - integer(0, 3));
  }
  return k;
}

}  // namespace

int main() {
  for (int i = 0; i < 600; i++) convolve(random_case());
  return check::finish("winograd");
}
