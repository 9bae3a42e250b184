// Resampling along an axis against the sum that its tables say.
#include "../resize.hpp"

#include "check.hpp"

namespace k = ESPALIER_ISA;

static void resample(int outer, int input, int output, int inner, int most, bool equal) {
  espalier::steps::resample_f32 s{};
  s.outer = outer, s.input = input, s.output = output, s.inner = inner, s.outside = -3;
  s.taps = equal ? most : 0;
  std::vector<int32_t> starts{0}, indices;
  std::vector<float> weights;
  for (int j = 0; j < output; j++) {
    const int taps = equal ? most : check::integer(0, most);
    for (int t = 0; t < taps; t++) {
      indices.push_back(check::integer(0, input - 1));
      weights.push_back(check::uniform());
    }
    starts.push_back(int32_t(indices.size()));
  }
  std::vector<float> x(int64_t(outer) * input * inner), expected;
  for (auto& v : x) v = check::uniform();
  for (int o = 0; o < outer; o++)
    for (int j = 0; j < output; j++)
      for (int i = 0; i < inner; i++) {
        double sum = starts[j] == starts[j + 1] ? -3 : 0;
        for (int t = starts[j]; t < starts[j + 1]; t++) sum += double(weights[t]) * x[(int64_t(o) * input + indices[t]) * inner + i];
        expected.push_back(float(sum));
      }
  for (int threads = 1; threads <= 3; threads++) {
    check::Memory memory;
    s.x = memory.add(x, 4), s.starts = memory.add(starts), s.indices = memory.add(indices), s.weights = memory.add(weights);
    s.y = memory.add(std::vector<float>(expected.size()), 4);
    check::run(memory, threads, [&](const auto& c) { k::resample_f32(s, c); });
    check::all_near(memory.at<float>(s.y), expected, "resample_f32 inner " + std::to_string(inner), 1e-5f, 1e-5f);
  }
}

int main() {
  for (int inner : {1, 3, 8, 37})
    for (int taps : {1, 2, 4, 7})
      for (bool equal : {false, true}) {
        resample(3, 5, 11, inner, taps, equal);
        resample(1, 20, 6, inner, taps, equal);
        resample(0, 2, 6, inner, taps, equal);
      }
  resample(4, 3, 0, 2, 2, true);
  return check::finish("resize");
}
