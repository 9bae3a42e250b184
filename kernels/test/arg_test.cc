// Positions of extrema, the largest k and running sums against plain loops.
#include "../arg.hpp"

#include <algorithm>
#include <numeric>

#include "check.hpp"

using namespace ESPALIER_ISA;

namespace {

// Few different values, so that there are equals; sometimes NaN and infinities.
std::vector<float> random(size_t n, bool special) {
  std::vector<float> x(n);
  for (auto& v : x) {
    v = float(check::integer(-6, 6));
    if (special && check::integer(0, 9) == 0) v = check::integer(0, 1) ? NAN : (check::integer(0, 1) ? INFINITY : -INFINITY);
  }
  return x;
}

// Whether a comes before b in descending order, NaN first; of the smallest, NaN last.
bool before(float a, float b, bool smallest) {
  if (std::isnan(a) || std::isnan(b)) return smallest ? !std::isnan(a) && std::isnan(b) : std::isnan(a) && !std::isnan(b);
  return smallest ? a < b : a > b;
}

void compare(int outer, int length, int inner, int k, bool smallest, bool last, bool special) {
  const auto x = random(size_t(outer) * length * inner, special);
  const int lines = outer * inner;
  for (int threads = 1; threads <= 3; threads++) {
    check::Memory m;
    espalier::steps::arg_f32 a{m.add(x, 4), m.add(std::vector<int64_t>(lines), 8), outer, length, inner, smallest, last};
    check::run(m, threads, [&](auto& c) { arg_f32(a, c); });
    espalier::steps::top_k_f32 t{a.x,
                                 m.add(std::vector<float>(size_t(lines) * k), 4),
                                 m.add(std::vector<int64_t>(size_t(lines) * k), 8),
                                 m.add(std::vector<int64_t>(size_t(threads) * k)),
                                 outer, length, inner, k, smallest};
    check::run(m, threads, [&](auto& c) { top_k_f32(t, c); });
    bool same_arg = true, same_top = true;
    for (int line = 0; line < lines; line++) {
      auto at = [&](int i) { return x[size_t(line / inner * length + i) * inner + line % inner]; };
      int best = 0;
      for (int i = 1; i < length; i++) {
        const bool equal = at(i) == at(best) || (std::isnan(at(i)) && std::isnan(at(best)));
        if (equal ? last : std::isnan(at(i)) || (!std::isnan(at(best)) && before(at(i), at(best), smallest))) best = i;
      }
      same_arg &= length == 0 || m.at<int64_t>(a.y)[line] == best;
      std::vector<int> order(length);
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(), [&](int i, int j) { return before(at(i), at(j), smallest); });
      for (int i = 0; i < k; i++) {
        const size_t to = size_t(line / inner * k + i) * inner + line % inner;
        same_top &= m.at<int64_t>(t.indices)[to] == order[i] && check::near(m.at<float>(t.values)[to], at(order[i]), 0, 0);
      }
    }
    const std::string size = std::to_string(outer) + "x" + std::to_string(length) + "x" + std::to_string(inner);
    check::that(same_arg, "arg of " + size);
    check::that(same_top, "top k of " + size);
  }
}

void compare_sums(int outer, int length, int inner, bool exclusive, bool reverse) {
  const auto x = random(size_t(outer) * length * inner, false);
  const std::vector<int64_t> whole(x.begin(), x.end());
  const std::vector<int32_t> half(x.begin(), x.end());
  check::Memory m;
  espalier::steps::cumulate_f32 f{m.add(x, 4), m.add(x, 4), outer, length, inner, exclusive, reverse};
  espalier::steps::cumulate_integer l{m.add(whole, 8), m.add(whole, 8), outer, length, inner, exclusive, reverse, 8};
  espalier::steps::cumulate_integer i{m.add(half, 4), m.add(half, 4), outer, length, inner, exclusive, reverse, 4};
  check::run(m, 2, [&](auto& c) { cumulate_f32(f, c), cumulate_integer(l, c), cumulate_integer(i, c); });
  bool same = true;
  for (int line = 0; line < outer * inner; line++) {
    int64_t sum = 0;
    for (int j = 0; j < length; j++) {
      const size_t at = size_t(line / inner * length + (reverse ? length - 1 - j : j)) * inner + line % inner;
      const int64_t next = sum + whole[at], wanted = exclusive ? sum : next;
      same &= m.at<int64_t>(l.y)[at] == wanted && m.at<int32_t>(i.y)[at] == wanted && m.at<float>(f.y)[at] == float(wanted);
      sum = next;
    }
  }
  check::that(same, "running sums");
}

}  // namespace

int main() {
  for (int i = 0; i < 120; i++) {
    const int length = check::integer(1, i % 3 ? 80 : 9), inner = i % 2 ? 1 : check::integer(0, 70);
    compare(check::integer(0, 4), length, inner, check::integer(0, length), i % 4 < 2, i % 8 < 4, i % 5 == 0);
    compare_sums(check::integer(0, 3), check::integer(0, 30), inner, i % 4 < 2, i % 8 < 4);
  }
  return check::finish("arg");
}
