// Normalisations against plain loops in float64.
#include "../normalize.hpp"

#include "check.hpp"

using namespace ESPALIER_ISA;

namespace {

std::vector<float> random(size_t n, float about = 0) {
  std::vector<float> x(n);
  for (auto& v : x) v = about + check::uniform(-2, 2);
  return x;
}

struct Moments {
  double mean, inverse;
};

template <class At>
Moments moments(int mode, int n, double epsilon, const At& at) {
  double mean = 0, total = 0;
  if (mode == 0 || mode == 4) {
    for (int i = 0; i < n; i++) mean += at(i);
    mean /= n;
  }
  for (int i = 0; i < n; i++) total += mode == 2 ? std::fabs(at(i)) : (at(i) - mean) * (at(i) - mean);
  if (mode == 2) return {0, total == 0 ? 0 : 1 / total};
  if (mode == 3) return {0, total == 0 ? 0 : 1 / std::sqrt(total)};
  if (mode == 4) return {mean, 1 / (std::sqrt(total / n) + epsilon)};
  return {mean, 1 / std::sqrt(total / n + epsilon)};
}

void compare_rows(int rows, int groups, int inner, int period, int mode, int given, float about) {
  const int length = groups * inner;
  const bool has_residual = given & 1, has_scale = given & 2, has_bias = given & 4, has_sum = given & 8;
  const auto x = random(size_t(rows) * length, about), residual = random(x.size());
  const auto scale = random(size_t(period) * groups), bias = random(scale.size());
  std::vector<float> y(x.size()), sum(x.size()), means(rows), inverses(rows);
  for (int r = 0; r < rows; r++) {
    for (int i = 0; i < length; i++) sum[r * length + i] = x[r * length + i] + (has_residual ? residual[r * length + i] : 0);
    const auto m = moments(mode, length, 1e-5, [&](int i) { return double(sum[r * length + i]); });
    means[r] = float(m.mean), inverses[r] = float(m.inverse);
    for (int i = 0; i < length; i++) {
      const int p = r % period * groups + i / inner;
      y[r * length + i] = float((sum[r * length + i] - m.mean) * m.inverse * (has_scale ? scale[p] : 1) + (has_bias ? bias[p] : 0));
    }
  }
  for (int threads = 1; threads <= 3; threads++) {
    check::Memory m;
    espalier::steps::normalize_f32 s{};
    s.x = m.add(x, 4);
    s.residual = has_residual ? m.add(residual, 4) : check::absent;
    s.scale = has_scale ? m.add(scale, 4) : check::absent;
    s.bias = has_bias ? m.add(bias, 4) : check::absent;
    s.y = m.add(std::vector<float>(x.size()), 4);
    s.sum = has_sum ? m.add(std::vector<float>(x.size()), 4) : check::absent;
    s.mean = has_sum ? m.add(std::vector<float>(rows)) : check::absent;
    s.inverse = has_sum ? m.add(std::vector<float>(rows)) : check::absent;
    s.rows = rows, s.length = length, s.mode = mode, s.epsilon = 1e-5f, s.period = period, s.inner = inner;
    check::run(m, threads, [&](auto& c) { normalize_f32(s, c); });
    const std::string what = "normalisation " + std::to_string(mode) + " of " + std::to_string(rows) + "x" +
                             std::to_string(groups) + "x" + std::to_string(inner);
    const float absolute = 2e-5f * (1 + std::fabs(about));
    check::all_near(m.at<float>(s.y), y, what, 1e-4f, absolute);
    if (!has_sum) continue;
    check::all_near(m.at<float>(s.sum), sum, what + ", sum", 1e-6f);
    check::all_near(m.at<float>(s.mean), means, what + ", mean", 1e-5f, 1e-5f);
    check::all_near(m.at<float>(s.inverse), inverses, what + ", inverse", 1e-4f);
  }
}

void compare_columns(int outer, int length, int inner, int mode) {
  const auto x = random(size_t(outer) * length * inner);
  std::vector<float> y(x.size());
  for (int line = 0; line < outer * inner; line++) {
    auto at = [&](int i) { return size_t(line / inner * length + i) * inner + line % inner; };
    const auto m = moments(mode, length, 1e-9, [&](int i) { return double(x[at(i)]); });
    for (int i = 0; i < length; i++) y[at(i)] = float((x[at(i)] - m.mean) * m.inverse);
  }
  check::Memory m;
  espalier::steps::normalize_columns_f32 s{m.add(x, 4), m.add(y, 4), outer, length, inner, mode, 1e-9f};
  std::memset(m.at<float>(s.y), 0, y.size() * 4);
  check::run(m, 2, [&](auto& c) { normalize_columns_f32(s, c); });
  check::all_near(m.at<float>(s.y), y, "columns " + std::to_string(mode), 1e-4f, 1e-5f);
}

void compare_lrn(int batch, int channels, int inner, int size) {
  const auto x = random(size_t(batch) * channels * inner);
  std::vector<float> y(x.size());
  for (int n = 0; n < batch; n++)
    for (int k = 0; k < channels; k++)
      for (int i = 0; i < inner; i++) {
        double squares = 0;
        for (int o = std::max(0, k - (size - 1) / 2); o <= std::min(channels - 1, k + size / 2); o++)
          squares += double(x[(size_t(n) * channels + o) * inner + i]) * x[(size_t(n) * channels + o) * inner + i];
        const size_t at = (size_t(n) * channels + k) * inner + i;
        y[at] = float(x[at] / std::pow(1.5 + 0.3 / size * squares, 0.75));
      }
  check::Memory m;
  espalier::steps::lrn_f32 s{m.add(x, 4), m.add(std::vector<float>(x.size()), 4), batch, channels, inner, size, 0.3f, 0.75f, 1.5f};
  check::run(m, 3, [&](auto& c) { lrn_f32(s, c); });
  check::all_near(m.at<float>(s.y), y, "lrn", 1e-5f);
}

}  // namespace

int main() {
  for (int i = 0; i < 60; i++) {
    const int mode = i % 5, groups = check::integer(1, 6), inner = check::integer(1, 40);
    compare_rows(check::integer(0, 9), groups * inner, 1, check::integer(1, 3), mode, i % 16, i % 3 == 0 ? 100.f : 0.f);
    compare_rows(check::integer(0, 9), groups, inner, check::integer(1, 3), mode, (i + 5) % 16, 0);
    compare_columns(check::integer(0, 3), check::integer(1, 20), check::integer(0, 40), mode);
    compare_lrn(check::integer(0, 3), check::integer(1, 9), check::integer(0, 40), check::integer(1, 6));
  }
  return check::finish("normalize");
}
