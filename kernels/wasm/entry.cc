// The door to JavaScript from WebAssembly. The embedder makes the memory and one instance a thread; each enters `run` with
// its own number. Compiled as part of isa/wasm*.cc, so that there is one translation unit a module.
#include "../core/execute.hpp"
#include "../core/traits.hpp"

extern "C" {
__attribute__((import_module("env"), import_name("clock"))) double espalier_clock();
// Sleeps where the thread may; may return early.
__attribute__((import_module("env"), import_name("sleep"))) void espalier_sleep(uint32_t* word, uint32_t value);
}

namespace espalier {

void sleep_while(uint32_t* word, uint32_t value) { espalier_sleep(word, value); }
void wake_all(uint32_t* word) { __builtin_wasm_memory_atomic_notify(reinterpret_cast<int*>(word), 0xffffffffu); }

}  // namespace espalier

extern "C" {

// The call frame that all threads of a run share, in memory.
struct Frame {
  espalier::Barrier barrier;  // 8 bytes
  espalier::Fault fault;      // code, step, value: 16 bytes
  const int32_t* code;
  uint32_t words;
  uint8_t* const* spaces;
  double* times;
  uint32_t threads;
  espalier::Tickets tickets;  // zeros at first
};

__attribute__((export_name("run"))) void run(Frame* frame, int thread) {
  const espalier::Context context{frame->spaces,     thread,        int(frame->threads),
                                  &frame->barrier, &frame->fault, &frame->tickets};
  ESPALIER_ISA::execute(frame->code, frame->words, context, frame->times, espalier_clock);
}

__attribute__((export_name("trait"))) int trait(int index) {
  constexpr int count = sizeof(ESPALIER_ISA::traits) / sizeof(int32_t);
  return index < count ? ESPALIER_ISA::traits[index] : -1;
}

}
