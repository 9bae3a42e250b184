// Reductions against plain loops, for axes of every pattern; sums of a million elements; the same bits for any threads.
#include "../reduce.hpp"

#include "check.hpp"

using namespace ESPALIER_ISA;

namespace {

std::vector<double> expected(const std::vector<double>& x, const std::vector<int>& shape, bool first, int operation,
                             double least, double greatest) {
  size_t kept = 1;
  for (size_t i = 0; i < shape.size(); i++)
    if ((i % 2 == 0) != first) kept *= shape[i];
  std::vector<std::vector<double>> groups(kept);
  for (size_t index = 0; index < x.size(); index++) {
    size_t rest = index, output = 0, stride = 1;
    for (size_t i = shape.size(); i-- > 0;) {
      if ((i % 2 == 0) != first) output += rest % shape[i] * stride, stride *= shape[i];
      rest /= shape[i];
    }
    groups[output].push_back(x[index]);
  }
  std::vector<double> y;
  for (auto& g : groups) {
    double sum = 0, absolute = 0, squares = 0, product = 1, most = least, fewest = greatest, powers = 0;
    for (double v : g) {
      sum += v, absolute += std::fabs(v), squares += v * v, product *= v;
      most = std::isnan(v) || std::isnan(most) ? NAN : std::max(most, v);
      fewest = std::isnan(v) || std::isnan(fewest) ? NAN : std::min(fewest, v);
    }
    for (double v : g) powers += std::exp(v - most);
    const double all[] = {sum,           sum / g.size(), absolute, std::sqrt(squares), squares, std::log(sum), most, fewest,
                          product, std::isfinite(most) ? most + std::log(powers) : most};
    y.push_back(all[operation]);
  }
  return y;
}

int splits_for(int i) { return i % 3 == 0 ? check::integer(2, 7) : 1; }

void compare_floats(std::vector<int> shape, bool first, int operation, int splits, bool special) {
  size_t size = 1, kept = 1;
  for (size_t i = 0; i < shape.size(); i++) {
    size *= shape[i];
    if ((i % 2 == 0) != first) kept *= shape[i];
  }
  std::vector<float> x(size);
  for (auto& v : x) v = operation == 5 ? check::uniform(0.1f, 2) : operation == 8 ? check::uniform(0.8f, 1.25f) : check::uniform(-3, 3);
  if (special && size > 0) x[check::integer(0, int(size) - 1)] = check::integer(0, 1) ? NAN : INFINITY;
  const auto wanted = expected({x.begin(), x.end()}, shape, first, operation, -INFINITY, INFINITY);
  std::vector<float> bits;
  for (int threads = 1; threads <= 3; threads++) {
    check::Memory m;
    espalier::steps::reduce_f32 s{};
    s.x = m.add(x, 4);
    s.y = m.add(std::vector<float>(kept), 4);
    s.partials = splits > 1 ? m.add(std::vector<double>(2 * kept * splits)) : check::absent;
    s.operation = operation, s.splits = splits, s.rank = int(shape.size()), s.firstReduced = first;
    for (size_t i = 0; i < shape.size(); i++) s.shape[i] = shape[i];
    check::run(m, threads, [&](auto& c) { reduce_f32(s, c); });
    std::string what = "reduction " + std::to_string(operation) + " splits " + std::to_string(splits) + (first ? " R" : " K");
    for (int extent : shape) what += " " + std::to_string(extent);
    check::all_near(m.at<float>(s.y), {wanted.begin(), wanted.end()}, what, 1e-5f, 5e-5f);
    std::vector<float> found(m.at<float>(s.y), m.at<float>(s.y) + kept);
    if (threads == 1) bits = found;
    check::that(kept == 0 || std::memcmp(bits.data(), found.data(), kept * 4) == 0, what + ": the same bits");
  }
}

template <class T>
void compare_integers(std::vector<int> shape, bool first, int operation) {
  size_t size = 1, kept = 1;
  for (size_t i = 0; i < shape.size(); i++) {
    size *= shape[i];
    if ((i % 2 == 0) != first) kept *= shape[i];
  }
  std::vector<T> x(size);
  for (auto& v : x) v = T(operation == 8 ? check::integer(1, 2) : check::integer(std::is_signed_v<T> ? -9 : 0, 9));
  auto wanted = expected({x.begin(), x.end()}, shape, first, operation, double(std::numeric_limits<T>::min()),
                         double(std::numeric_limits<T>::max()));
  check::Memory m;
  espalier::steps::reduce_integer s{};
  s.x = m.add(x, sizeof(T));
  s.y = m.add(std::vector<T>(kept), sizeof(T));
  s.size = sizeof(T), s.isSigned = std::is_signed_v<T>, s.operation = operation, s.rank = int(shape.size());
  s.firstReduced = first;
  for (size_t i = 0; i < shape.size(); i++) s.shape[i] = shape[i];
  check::run(m, 2, [&](auto& c) { reduce_integer(s, c); });
  bool same = true;
  for (size_t i = 0; i < kept; i++) {
    const double value = std::isnan(wanted[i]) ? 0 : std::trunc(wanted[i]);
    if (std::fabs(value) < 9e15 && double(m.at<T>(s.y)[i]) != (operation == 6 || operation == 7 || sizeof(T) > 1 ? value : double(T(int64_t(value)))))
      same = false;
  }
  check::that(same, "integers, reduction " + std::to_string(operation));
}

}  // namespace

int main() {
  for (int i = 0; i < 150; i++) {
    std::vector<int> shape(check::integer(1, 5));
    for (auto& extent : shape) extent = check::integer(i % 20 == 0 ? 0 : 1, shape.size() > 3 ? 7 : 40);
    const bool first = check::integer(0, 1);
    const int splits = splits_for(i);
    compare_floats(shape, first, i % 10, splits, i % 4 == 1 && i % 10 != 5);
    const int operations[] = {0, 1, 2, 4, 6, 7};
    std::vector<int> small = shape;
    for (auto& extent : small) extent = std::min(extent, 5);
    compare_integers<int32_t>(shape, first, operations[i % 6]);
    compare_integers<int64_t>(shape, first, operations[i % 6]);
    compare_integers<int64_t>({3, 9, 2}, first, 8);
    compare_integers<uint8_t>(small, first, 6 + i % 2);
    compare_integers<int8_t>(small, first, 6 + i % 2);
  }
  for (int operation : {0, 1, 4, 6, 9}) {
    compare_floats({1000003}, true, operation, 16, false);
    compare_floats({3001, 1037}, true, operation, 3, false);
    compare_floats({2, 301, 1037}, false, operation, 1, false);
  }
  return check::finish("reduce");
}
