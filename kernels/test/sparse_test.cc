// Products with sparse weights, float32 and 8-bit, beside plain loops: odd sizes, windows, empty and full rows, none at all,
// 1 to 3 threads; 8-bit results are compared bit for bit.
#include "../sparse.hpp"
#include "../sparse_i8.hpp"
#include "sums_i8.hpp"
#include "window.hpp"

using namespace check;

namespace {

struct Shape {
  int batch, input[3], kernel[3], strides[3], dilations[3], pads[3], output[3], channels, outputs;
  int taps() const { return kernel[0] * kernel[1] * kernel[2]; }
  int64_t pixels() const { return int64_t(batch) * input[0] * input[1] * input[2]; }
  int64_t rows() const { return int64_t(batch) * output[0] * output[1] * output[2]; }
};

Shape random_shape(bool matrix, bool flat) {
  Shape s{};
  s.batch = matrix ? 1 : integer(1, 2);
  s.channels = integer(0, 20) == 0 ? 2000 : integer(1, 40);
  s.outputs = integer(1, 90);
  for (int i = 0; i < 3; i++) {
    const bool used = !matrix && (i > 0 || !flat);
    s.kernel[i] = used ? integer(1, 3) : 1;
    s.strides[i] = used ? integer(1, 2) : 1;
    s.dilations[i] = used ? integer(1, 2) : 1;
    s.pads[i] = used ? integer(0, 2) : 0;
    const int span = (s.kernel[i] - 1) * s.dilations[i] + 1;
    s.input[i] = matrix ? (i == 2 ? integer(1, 200) : 1) : used ? span + integer(0, 8) : 1;
    s.output[i] = (s.input[i] + 2 * s.pads[i] - span) / s.strides[i] + 1;
  }
  return s;
}

// Where output `row` finds its input for a tap; -1 on padding.
int64_t pixel_of(const Shape& s, int64_t row, int tap) {
  const int t[3] = {tap / (s.kernel[1] * s.kernel[2]), tap / s.kernel[2] % s.kernel[1], tap % s.kernel[2]};
  int place[3];
  for (int i = 2; i >= 0; i--) {
    place[i] = int(row % s.output[i]) * s.strides[i] - s.pads[i] + t[i] * s.dilations[i];
    row /= s.output[i];
    if (place[i] < 0 || place[i] >= s.input[i]) return -1;
  }
  return ((row * s.input[0] + place[0]) * s.input[1] + place[1]) * s.input[2] + place[2];
}

// Numbers of [outputs][tap][channel], of which most are zero; rows that are full, and empty ones.
template <class T>
std::vector<T> random_weights(const Shape& s, const std::function<T()>& number) {
  const int64_t k = int64_t(s.taps()) * s.channels;
  std::vector<T> w(s.outputs * k);
  const int percent = integer(0, 3) == 0 ? 100 : integer(0, 40);
  const bool some = integer(0, 1);
  for (int o = 0; o < s.outputs; o++) {
    const int here = o % 7 == 3 && some ? 0 : o % 11 == 5 ? 100 : percent;
    for (int64_t i = 0; i < k; i++) w[o * k + i] = integer(0, 99) < here ? number() : T(0);
  }
  return w;
}

// The packed form (sparse/parts.ts), made plainly. Steps of `width` numbers of a tap.
template <class T, class Step>
std::vector<uint8_t> pack(const Shape& s, const std::vector<T>& w, int width, int64_t pitch, Step& step) {
  struct Entry {
    uint16_t output;
    std::vector<uint16_t> places;
    std::vector<T> values;
  };
  const int in_tap = (s.channels + width - 1) / width, steps = s.taps() * in_tap;
  step.panel = integer(1, 100);
  if (width == 4) step.panel = (step.panel + dot_columns - 1) / dot_columns * dot_columns;
  step.block = std::min<int>(integer(1, 60), int(65536 / pitch));
  const int panels = (s.outputs + step.panel - 1) / step.panel, blocks = (steps + step.block - 1) / step.block;
  std::vector<uint32_t> starts;
  std::vector<uint16_t> directory, places;
  std::vector<T> values;
  const auto note = [&] {
    starts.push_back(uint32_t(directory.size() / 2));
    starts.push_back(uint32_t(places.size()));
  };
  for (int j = 0; j < panels; j++)
    for (int b = 0; b < blocks; b++) {
      note();
      std::vector<Entry> entries;
      for (int o = j * step.panel; o < std::min(s.outputs, (j + 1) * step.panel); o++) {
        Entry entry{uint16_t(o - j * step.panel), {}, {}};
        for (int q = b * step.block; q < std::min(steps, (b + 1) * step.block); q++) {
          T four[4] = {};
          bool any = false;
          for (int i = 0; i < width; i++) {
            const int channel = q % in_tap * width + i;
            if (channel < s.channels) four[i] = w[(int64_t(o) * s.taps() + q / in_tap) * s.channels + channel];
            any = any || four[i] != 0;
          }
          if (!any) continue;
          entry.places.push_back(uint16_t((q - b * step.block) * pitch));
          entry.values.insert(entry.values.end(), four, four + width);
        }
        if (!entry.places.empty()) entries.push_back(entry);
      }
      std::stable_sort(entries.begin(), entries.end(),
                       [](const Entry& a, const Entry& b) { return a.places.size() < b.places.size(); });
      for (const Entry& e : entries) {
        directory.push_back(e.output);
        directory.push_back(uint16_t(e.places.size()));
        places.insert(places.end(), e.places.begin(), e.places.end());
        values.insert(values.end(), e.values.begin(), e.values.end());
      }
    }
  note();
  std::vector<uint8_t> bytes;
  const auto add = [&](const void* data, size_t size) {
    const size_t at = (bytes.size() + 63) / 64 * 64;
    bytes.resize(at + size);
    if (size) std::memcpy(bytes.data() + at, data, size);
    return int32_t(at);
  };
  add(starts.data(), starts.size() * 4);
  step.directoryAt = add(directory.data(), directory.size() * 2);
  step.placesAt = add(places.data(), places.size() * 2);
  step.valuesAt = add(values.data(), values.size() * sizeof(T));
  return bytes;
}

template <class Step>
void set_window(Step& step, const Shape& s) {
  step.batch = s.batch;
  step.channels = s.channels;
  step.outputs = s.outputs;
  for (int i = 0; i < 3; i++) {
    step.input[i] = s.input[i];
    step.outputSize[i] = s.output[i];
    step.kernel[i] = s.kernel[i];
    step.strides[i] = s.strides[i];
    step.dilations[i] = s.dilations[i];
    step.pads[i] = s.pads[i];
  }
}

int64_t scratch_bytes(const Shape& s, int width, int panel, int block, int64_t pitch) {
  const int64_t steps = int64_t(s.taps()) * ((s.channels + width - 1) / width);
  const int64_t turned = s.outputs > panel && steps * pitch * 4 <= sparse_kept ? steps : block;
  const int64_t bytes = (s.channels + 8) * 4 + 64 + s.taps() * sparse_rows * 8 + 4 * (turned * pitch + panel * sparse_rows) +
                        4 * sparse_line;
  return (bytes + 63) / 64 * 64;
}

void test_f32(const Shape& s) {
  Memory memory;
  espalier::steps::sparse_f32 step{};
  set_window(step, s);
  const int stride = s.channels + integer(0, 3);
  std::vector<float> x(s.pixels() * stride), bias(s.outputs), residual(s.rows() * s.outputs);
  for (auto* v : {&x, &bias, &residual})
    for (auto& e : *v) e = uniform();
  const auto w = random_weights<float>(s, [] { return uniform(); });
  const bool biased = integer(0, 1), added = integer(0, 1);
  step.x = memory.add(x);
  step.tall = integer(0, 1) ? 4 : 1;
  if (step.tall > 1) {
    // Four outputs are one, with four times the channels.
    const int64_t k = int64_t(s.taps()) * s.channels;
    Shape stacked = s;
    stacked.outputs = (s.outputs + 3) / 4;
    stacked.channels = 4 * s.channels;
    std::vector<float> u(stacked.outputs * 4 * k);
    for (int o = 0; o < s.outputs; o++)
      for (int64_t i = 0; i < k; i++) u[o / 4 * 4 * k + i * 4 + o % 4] = w[o * k + i];
    step.w = memory.add(pack(stacked, u, 4, sparse_rows, step));
    step.panel *= 4;
  } else
    step.w = memory.add(pack(s, w, 1, sparse_rows, step));
  step.bias = biased ? memory.add(bias) : absent;
  step.residual = added ? memory.add(residual) : absent;
  step.zeros = memory.add(std::vector<float>(s.channels));
  step.y = memory.add(std::vector<float>(s.rows() * s.outputs, 7));
  step.xStride = stride;
  step.activation = integer(0, 1);
  const int threads = integer(1, 3);
  step.scratchBytes = int(scratch_bytes(s, 1, step.panel, step.block, sparse_rows));
  step.scratch = memory.add(std::vector<uint8_t>(int64_t(step.scratchBytes) * threads + 64));
  run(memory, threads, [&](const espalier::Context& c) { sparse_f32(step, c); });
  std::vector<float> expected(s.rows() * s.outputs);
  for (int64_t row = 0; row < s.rows(); row++)
    for (int o = 0; o < s.outputs; o++) {
      double sum = 0;
      for (int tap = 0; tap < s.taps(); tap++) {
        const int64_t pixel = pixel_of(s, row, tap);
        for (int i = 0; pixel >= 0 && i < s.channels; i++)
          sum += double(x[pixel * stride + i]) * w[(int64_t(o) * s.taps() + tap) * s.channels + i];
      }
      const int64_t at = row * s.outputs + o;
      sum += (biased ? bias[o] : 0) + (added ? residual[at] : 0);
      expected[at] = float(step.activation == 1 && sum < 0 ? 0 : sum);
    }
  all_near(memory.at<float>(step.y), expected, "sparse_f32 " + std::to_string(s.rows()) + "x" + std::to_string(s.outputs), 1e-4f, 1e-4f);
}

void test_i8(const Shape& s) {
  Memory memory;
  const Call call = random_call(s.outputs, s.rows() * s.outputs, false);
  const auto x = bytes(s.pixels() * s.channels);
  // Packed as signed bytes.
  const auto w = random_weights<int8_t>(s, [] { return int8_t(integer(-128, 127)); });
  espalier::steps::prepare_i8 prepare{};
  const int stride = int(round_up(s.channels, dot_depth));
  prepare.x = memory.add(x, 1);
  prepare.zero = maybe(memory, call.x_zero);
  prepare.isSigned = call.x_signed;
  prepare.rows = int(s.pixels());
  prepare.columns = s.channels;
  prepare.stride = stride;
  prepare.y = memory.add(std::vector<activation8>(s.pixels() * stride, activation8(77)));
  espalier::steps::sparse_i8 step{};
  set_fields(step, call, memory);
  set_window(step, s);
  auto packed = pack(s, w, 4, sparse_rows * quad_words, step);
  step.sumsAt = int((packed.size() + 63) / 64 * 64);
  packed.resize(step.sumsAt + 4 * round_up(s.outputs, dot_columns));
  for (int o = 0; o < s.outputs; o++) {
    int32_t sum = 0;
    for (int64_t i = 0; i < int64_t(s.taps()) * s.channels; i++) sum += w[o * int64_t(s.taps()) * s.channels + i];
    std::memcpy(packed.data() + step.sumsAt + 4 * o, &sum, 4);
  }
  step.x = prepare.y;
  step.w = memory.add(packed);
  step.xStride = stride;
  step.y = memory.add(std::vector<uint8_t>(s.rows() * s.outputs * result_bytes[call.output], 55), call.output > 1 ? 1 : 0);
  const int threads = integer(1, 3);
  step.scratchBytes = int(scratch_bytes(s, 4, step.panel, step.block, sparse_rows * quad_words));
  step.scratch = memory.add(std::vector<uint8_t>(int64_t(step.scratchBytes) * threads + 64));
  run(memory, threads, [&](const espalier::Context& c) {
    prepare_i8(prepare, c);
    c.barrier();
    sparse_i8(step, c);
  });
  bool ok = true;
  for (int64_t row = 0; row < s.rows(); row++)
    for (int o = 0; o < s.outputs; o++) {
      int32_t sum = 0;
      for (int tap = 0; tap < s.taps(); tap++) {
        const int64_t pixel = pixel_of(s, row, tap);
        for (int i = 0; pixel >= 0 && i < s.channels; i++)
          sum += (value(x[pixel * s.channels + i], call.x_signed) - x_zero(call)) *
                 w[(int64_t(o) * s.taps() + tap) * s.channels + i];
      }
      ok = ok && right(call, sum, o, row * s.outputs + o, memory.at<uint8_t>(step.y));
    }
  that(ok, "sparse_i8 " + std::to_string(s.rows()) + "x" + std::to_string(s.outputs) + " " + describe(call));
}

}  // namespace

int main() {
  for (int i = 0; i < 150; i++) {
    test_f32(random_shape(i % 2 == 0, i % 3 > 0));
    test_i8(random_shape(i % 2 == 0, i % 3 > 0));
  }
  Shape none = random_shape(true, true);
  none.outputs = 0;
  test_f32(none);
  none = random_shape(true, true);
  none.batch = 0;
  test_f32(none);
  test_i8(none);
  return finish("sparse");
}
