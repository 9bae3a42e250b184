// Steps between float32 and 8 bits beside plain loops: by tensor and by channel, signed or not, ranges taken from the data,
// special numbers, 1 to 3 threads.
#include "../quantize.hpp"
#include "sums_i8.hpp"

using namespace check;

static uint8_t quantized(float x, float scale, int zero, bool is_signed) {
  const float least = is_signed ? -128 : 0, quotient = x / scale;
  if (std::isnan(quotient)) return uint8_t(int(least));
  return uint8_t(int(std::fmin(std::fmax(std::nearbyint(quotient) + zero, least), least + 255)));
}

static std::vector<float> floats(int64_t n, float lo, float hi) {
  std::vector<float> v(n);
  for (auto& x : v) x = uniform(lo, hi);
  return v;
}

static void linear(int outer, int channels, int inner) {
  Memory memory;
  const int64_t count = int64_t(outer) * channels * inner;
  const bool is_signed = integer(0, 1), zeros = integer(0, 1);
  auto x = floats(count, -40, 40);
  for (int64_t i = 0; i < count; i++) {
    const int special = integer(0, 30);
    if (special == 0) x[i] = INFINITY;
    if (special == 1) x[i] = NAN;
    if (special == 2) x[i] = -1e30f;
    if (special == 3) x[i] = 0.5f;
  }
  auto scale = floats(channels, 0.05f, 0.5f);
  if (integer(0, 1)) scale[0] = 1;
  const auto zero = zeros ? bytes(channels) : std::vector<uint8_t>{};
  espalier::steps::quantize q{};
  q.x = memory.add(x, 4);
  q.scale = memory.add(scale);
  q.zero = maybe(memory, zero);
  q.y = memory.add(std::vector<uint8_t>(count, 55), 1);
  q.isSigned = is_signed;
  q.outer = outer;
  q.channels = channels;
  q.inner = inner;
  espalier::steps::dequantize d{};
  d.x = q.y;
  d.scale = q.scale;
  d.zero = q.zero;
  d.y = memory.add(std::vector<float>(count));
  d.type = is_signed;
  d.outer = outer;
  d.channels = channels;
  d.inner = inner;
  run(memory, integer(1, 3), [&](const espalier::Context& c) {
    quantize(q, c);
    c.barrier();
    dequantize(d, c);
  });
  bool ok = true;
  for (int64_t i = 0; i < count; i++) {
    const int64_t channel = i / inner % channels;
    const int own = zeros ? value(zero[channel], is_signed) : 0;
    const uint8_t byte = memory.at<uint8_t>(q.y)[i];
    ok = ok && byte == quantized(x[i], scale[channel], own, is_signed) &&
         memory.at<float>(d.y)[i] == float(value(byte, is_signed) - own) * scale[channel];
  }
  that(ok, "quantize, dequantize " + std::to_string(outer) + "x" + std::to_string(channels) + "x" + std::to_string(inner));
}

static void dequantize_wide(int channels, int inner) {
  Memory memory;
  std::vector<int32_t> x(int64_t(channels) * inner), zero(channels);
  for (auto& v : x) v = integer(-2000000000, 2000000000);
  for (auto& v : zero) v = integer(-1000, 1000);
  const auto scale = floats(channels, 0.001f, 1);
  espalier::steps::dequantize d{};
  d.x = memory.add(x, 4);
  d.scale = memory.add(scale);
  d.zero = memory.add(zero);
  d.y = memory.add(std::vector<float>(x.size()));
  d.type = 2;
  d.outer = 1;
  d.channels = channels;
  d.inner = inner;
  run(memory, 2, [&](const espalier::Context& c) { dequantize(d, c); });
  bool ok = true;
  for (size_t i = 0; i < x.size(); i++)
    ok = ok && memory.at<float>(d.y)[i] == float(x[i] - zero[i / inner]) * scale[i / inner];
  that(ok, "dequantize int32");
}

static void dynamic(int rows, int columns, float lo, float hi, bool prepared) {
  Memory memory;
  const int64_t count = int64_t(rows) * columns;
  const auto x = floats(count, lo, hi);
  const int stride = int(round_up(columns, dot_depth)) + dot_depth;
  espalier::steps::dynamic_quantize s{};
  s.x = memory.add(x);
  s.y = prepared ? memory.add(std::vector<activation8>(int64_t(rows) * stride)) : memory.add(std::vector<uint8_t>(count));
  s.scale = memory.add(std::vector<float>(1));
  s.zero = memory.add(std::vector<uint8_t>(1));
  s.scratch = memory.add(std::vector<float>(2 * ((count + range_chunk - 1) / range_chunk)));
  s.rows = rows;
  s.columns = columns;
  s.stride = prepared ? stride : 0;
  run(memory, integer(1, 3), [&](const espalier::Context& c) { dynamic_quantize(s, c); });
  float least = 0, most = 0;
  for (float v : x) least = std::fmin(least, v), most = std::fmax(most, v);
  const float scale = (most - least) / 255;
  const int zero = scale > 0 ? int(std::nearbyint(std::fmin(-least / scale, 255.0f))) : 0;
  bool ok = *memory.at<float>(s.scale) == scale && *memory.at<uint8_t>(s.zero) == zero;
  for (int64_t i = 0; i < count; i++) {
    const int q = scale > 0 ? quantized(x[i], scale, zero, false) : 0;
    if (!prepared) ok = ok && memory.at<uint8_t>(s.y)[i] == q;
    else {
      const int kept = memory.at<activation8>(s.y)[i / columns * stride + i % columns];
      ok = ok && kept == (dot_depth == 2 ? q - zero : activations_signed ? q - 128 : q);
    }
  }
  for (int r = 0; prepared && r < rows; r++)
    for (int i = columns; i < stride; i++) ok = ok && memory.at<activation8>(s.y)[r * stride + i] == 0;
  that(ok, "dynamic_quantize " + std::to_string(rows) + "x" + std::to_string(columns));
}

static void add(int count) {
  Memory memory;
  const auto a = bytes(count), b = bytes(count), zeros = bytes(3);
  const auto scales = floats(3, 0.01f, 0.2f);
  espalier::steps::add_i8 s{};
  for (int i = 0; i < 3; i++) s.isSigned[i] = integer(0, 1);
  s.a = memory.add(a, 1);
  s.b = memory.add(b, 2);
  s.y = memory.add(std::vector<uint8_t>(count), 3);
  s.aScale = memory.add(std::vector<float>{scales[0]});
  s.bScale = memory.add(std::vector<float>{scales[1]});
  s.yScale = memory.add(std::vector<float>{scales[2]});
  s.aZero = memory.add(std::vector<uint8_t>{zeros[0]});
  s.bZero = memory.add(std::vector<uint8_t>{zeros[1]});
  s.yZero = memory.add(std::vector<uint8_t>{zeros[2]});
  s.activation = integer(0, 1);
  s.count = count;
  espalier::steps::lookup_i8 t{};
  t.x = s.a;
  t.table = memory.add(bytes(256));
  t.y = memory.add(std::vector<uint8_t>(count), 1);
  t.count = count;
  run(memory, integer(1, 3), [&](const espalier::Context& c) {
    add_i8(s, c);
    lookup_i8(t, c);
  });
  bool ok = true, found = true;
  for (int i = 0; i < count; i++) {
    const double left = double(value(a[i], s.isSigned[0]) - value(zeros[0], s.isSigned[0])) * scales[0];
    const double right = double(value(b[i], s.isSigned[1]) - value(zeros[1], s.isSigned[1])) * scales[1];
    const double sum = s.activation ? std::fmax(left + right, 0) : left + right;
    const int zero = value(zeros[2], s.isSigned[2]);
    const uint8_t byte = memory.at<uint8_t>(s.y)[i];
    ok = ok && (byte == quantized(float(sum) - 1e-5f, scales[2], zero, s.isSigned[2]) ||
                byte == quantized(float(sum) + 1e-5f, scales[2], zero, s.isSigned[2]));
    found = found && memory.at<uint8_t>(t.y)[i] == memory.at<uint8_t>(t.table)[a[i]];
  }
  that(ok, "add_i8 of " + std::to_string(count));
  that(found, "lookup_i8 of " + std::to_string(count));
}

int main() {
  for (int i = 0; i < 100; i++) linear(integer(1, 4), integer(0, 1) ? 1 : integer(2, 9), integer(1, 40));
  linear(1, 1, 5000);
  linear(0, 3, 3);
  for (int i = 0; i < 20; i++) dequantize_wide(integer(1, 4), integer(1, 40));
  for (int i = 0; i < 40; i++)
    dynamic(integer(1, 40), integer(1, 300), integer(0, 1) ? -3 : 1, integer(0, 1) ? 5 : 2, integer(0, 1));
  dynamic(3, 17, -2, -1, true);
  dynamic(3, 17, 0, 0, true);
  dynamic(0, 5, 0, 1, false);
  for (int count : {0, 1, 7, 31, 3000}) add(count);
  return finish("quantize");
}
