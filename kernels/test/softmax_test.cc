// Softmax, its logarithm and the indicator of the largest, against plain loops in float64.
#include "../softmax.hpp"

#include "check.hpp"

using namespace ESPALIER_ISA;

namespace {

std::vector<float> expected(const std::vector<float>& x, int outer, int length, int inner, int mode) {
  std::vector<float> y(x.size());
  for (int line = 0; line < outer * inner; line++) {
    auto at = [&](int i) { return size_t(line / inner * length + i) * inner + line % inner; };
    if (mode == 2) {
      int best = 0;
      for (int i = 0; i < length; i++)
        if (x[at(i)] > x[at(best)] || (std::isnan(x[at(i)]) && !std::isnan(x[at(best)]))) best = i;
      for (int i = 0; i < length; i++) y[at(i)] = i == best;
      continue;
    }
    double largest = -INFINITY, total = 0;
    for (int i = 0; i < length; i++) largest = std::isnan(x[at(i)]) ? NAN : std::max<double>(largest, x[at(i)]);
    for (int i = 0; i < length; i++) total += std::exp(x[at(i)] - largest);
    for (int i = 0; i < length; i++)
      y[at(i)] = float(mode == 0 ? std::exp(x[at(i)] - largest) / total : x[at(i)] - largest - std::log(total));
  }
  return y;
}

void compare(int outer, int length, int inner, int special) {
  std::vector<float> x(size_t(outer) * length * inner);
  for (auto& v : x) v = check::uniform(-20, 20);
  const float odd[] = {NAN, INFINITY, -INFINITY};
  if (special > 0)
    for (size_t i = 0; i < x.size(); i++)
      if (special == 4 ? i < size_t(length) : check::integer(0, 20) == 0) x[i] = odd[special == 4 ? 2 : special - 1];
  for (int mode = 0; mode < 3; mode++)
    for (int threads = 1; threads <= 3; threads++) {
      check::Memory m;
      espalier::steps::softmax_f32 s{m.add(x, 4), m.add(std::vector<float>(x.size()), 4), outer, length, inner, mode};
      check::run(m, threads, [&](auto& c) { softmax_f32(s, c); });
      check::all_near(m.at<float>(s.y), expected(x, outer, length, inner, mode),
                      "softmax mode " + std::to_string(mode) + " of " + std::to_string(outer) + "x" +
                          std::to_string(length) + "x" + std::to_string(inner),
                      1e-5f, 2e-6f);
    }
}

}  // namespace

int main() {
  for (int i = 0; i < 40; i++)
    compare(check::integer(0, 5), check::integer(0, 70), i % 2 ? 1 : check::integer(0, 90), i % 5);
  compare(2, 50257, 1, 0);
  compare(3, 1000, 1, 0);
  return check::finish("softmax");
}
