// Convolutions of 8-bit integers beside plain loops: grouped, depthwise, strided, dilated, padded on uneven sides.
#include "../conv_i8.hpp"
#include "sums_i8.hpp"

using namespace check;

struct Shape {
  int batch, groups, channels, columns, input[2], kernel[2], strides[2], pads[4], dilations[2], output[2];
};

static bool random_shape(Shape& s, bool depthwise) {
  s.batch = integer(0, 9) ? integer(1, 2) : 0;
  s.groups = depthwise ? integer(1, 70) : integer(0, 1) ? 1 : integer(1, 3);
  s.channels = depthwise ? 1 : integer(1, 19);
  s.columns = depthwise ? 1 : integer(1, 40);
  for (int i = 0; i < 2; i++) {
    s.input[i] = integer(1, 11);
    s.kernel[i] = integer(1, 4);
    s.strides[i] = integer(1, 2);
    s.dilations[i] = integer(1, 2);
    s.pads[i] = integer(0, 2);
    s.pads[i + 2] = integer(0, 2);
    const int room = s.input[i] + s.pads[i] + s.pads[i + 2] - (s.kernel[i] - 1) * s.dilations[i] - 1;
    if (room < 0) return false;
    s.output[i] = room / s.strides[i] + 1;
  }
  return true;
}

template <class Step>
void set_window(Step& s, const Shape& shape) {
  s.batch = shape.batch;
  for (int i = 0; i < 2; i++) {
    s.input[i] = shape.input[i];
    s.outputSize[i] = shape.output[i];
    s.kernel[i] = shape.kernel[i];
    s.strides[i] = shape.strides[i];
    s.pads[i] = shape.pads[i];
    s.dilations[i] = shape.dilations[i];
  }
}

static void convolution(const Shape& shape, bool depthwise) {
  Memory memory;
  const int taps = shape.kernel[0] * shape.kernel[1], channels = shape.groups * shape.channels;
  const int outputs = shape.groups * shape.columns, threads = integer(1, 3);
  const int64_t pixels = int64_t(shape.batch) * shape.input[0] * shape.input[1];
  const int64_t places = int64_t(shape.batch) * shape.output[0] * shape.output[1];
  const Call call = random_call(outputs, places * outputs, !depthwise);
  const auto x = bytes(pixels * channels), w = bytes(int64_t(outputs) * shape.channels * taps);
  const espalier::Operand y =
      memory.add(std::vector<uint8_t>(places * outputs * result_bytes[call.output], 55), call.output > 1 ? 1 : 0);
  const espalier::Operand xs = memory.add(x, 1), ws = memory.add(w, 1);

  if (depthwise) {
    espalier::steps::pack_depthwise_i8 pack{};
    pack.x = ws;
    pack.isSigned = call.w_signed;
    pack.channels = outputs;
    pack.taps = taps;
    const int64_t whole = round_up(outputs, dot_columns);
    pack.y = memory.add(std::vector<uint8_t>(whole * ((taps + 1) / 2 * 2 + 4)));
    espalier::steps::depthwise_i8 s{};
    set_fields(s, call, memory);
    set_window(s, shape);
    s.channels = outputs;
    s.x = xs;
    s.w = pack.y;
    s.y = y;
    s.scratchBytes = int(round_up(outputs, 64));
    s.scratch = memory.add(std::vector<uint8_t>(int64_t(threads) * s.scratchBytes));
    run(memory, threads, [&](const espalier::Context& c) {
      pack_depthwise_i8(pack, c);
      c.barrier();
      depthwise_i8(s, c);
    });
  } else {
    const int stride = int(round_up(shape.channels, dot_depth));
    espalier::steps::prepare_i8 prepare{};
    prepare.x = xs;
    prepare.zero = maybe(memory, call.x_zero);
    prepare.isSigned = call.x_signed;
    prepare.rows = int(pixels * shape.groups);
    prepare.columns = shape.channels;
    prepare.stride = stride;
    prepare.y = memory.add(std::vector<activation8>(pixels * shape.groups * stride));
    espalier::steps::pack_i8 pack{};
    pack.x = ws;
    pack.isSigned = call.w_signed;
    pack.groups = shape.groups;
    pack.columns = shape.columns;
    pack.taps = taps;
    pack.channels = shape.channels;
    pack.groupStride = shape.columns * shape.channels * taps;
    pack.columnStride = shape.channels * taps;
    pack.channelStride = taps;
    pack.tapStride = 1;
    const int64_t depth = round_up(taps * stride, dot_run);
    const int64_t panels = (shape.columns + dot_columns - 1) / dot_columns;
    pack.y = memory.add(std::vector<uint8_t>(shape.groups * panels * dot_columns * (depth + 4)));
    espalier::steps::conv_i8 s{};
    set_fields(s, call, memory);
    set_window(s, shape);
    s.groups = shape.groups;
    s.channels = shape.channels;
    s.columns = shape.columns;
    s.xGroup = stride;
    s.x = prepare.y;
    s.w = pack.y;
    s.y = y;
    s.scratchBytes = int(round_up(shape.groups * stride * sizeof(activation8), 64) + 32 * depth);
    s.scratch = memory.add(std::vector<uint8_t>(int64_t(threads) * s.scratchBytes));
    run(memory, threads, [&](const espalier::Context& c) {
      prepare_i8(prepare, c);
      pack_i8(pack, c);
      c.barrier();
      conv_i8(s, c);
    });
  }

  const uint8_t* found = memory.at<uint8_t>(y);
  bool ok = true;
  int64_t at = 0;
  for (int n = 0; n < shape.batch; n++)
    for (int oy = 0; oy < shape.output[0]; oy++)
      for (int ox = 0; ox < shape.output[1]; ox++)
        for (int o = 0; o < outputs; o++, at++) {
          int32_t sum = 0;
          for (int t = 0; t < taps; t++) {
            const int py = oy * shape.strides[0] - shape.pads[0] + t / shape.kernel[1] * shape.dilations[0];
            const int px = ox * shape.strides[1] - shape.pads[1] + t % shape.kernel[1] * shape.dilations[1];
            if (py < 0 || py >= shape.input[0] || px < 0 || px >= shape.input[1]) continue;
            for (int i = 0; i < shape.channels; i++) {
              const int64_t pixel = (int64_t(n) * shape.input[0] + py) * shape.input[1] + px;
              const int a = value(x[pixel * channels + o / shape.columns * shape.channels + i], call.x_signed);
              const int b = value(w[(int64_t(o) * shape.channels + i) * taps + t], call.w_signed);
              sum += (a - x_zero(call)) * (b - w_zero(call, o));
            }
          }
          ok = ok && right(call, sum, o, at, found);
        }
  that(ok, std::string(depthwise ? "depthwise_i8 " : "conv_i8 ") + std::to_string(channels) + " to " +
               std::to_string(outputs) + " " + describe(call));
}

int main() {
  for (int i = 0; i < 400; i++) {
    Shape shape{};
    const bool depthwise = integer(0, 2) == 0;
    if (random_shape(shape, depthwise)) convolution(shape, depthwise);
  }
  // Many taps: few rows share pointers.
  Shape wide{1, 1, 3, 5, {12, 14}, {11, 11}, {1, 1}, {5, 5, 5, 5}, {1, 1}, {12, 14}};
  convolution(wide, false);
  return finish("conv_i8");
}
