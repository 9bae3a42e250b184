// Walks a plan: the same function in every thread. A step is [opcode, words, flags, fields...] (plan/encode.ts).
#pragma once
#include "../generated/steps.hpp"
#include "context.hpp"

#if defined(ESPALIER_BASE)
// The variant that this one differs from in its 8-bit kernels alone.
namespace ESPALIER_BASE {
bool execute_step(const int32_t* step, const espalier::Context& c);
}
#endif

namespace ESPALIER_ISA {

using espalier::Context;

// Not inline: variants that differ in few kernels call the others'.
bool execute_step(const int32_t* step, const Context& c) {
  switch (step[0]) {
#define ESPALIER_STEP(opcode, name)                                             \
  case opcode:                                                                  \
    name(*reinterpret_cast<const espalier::steps::name*>(step + 3), c);         \
    return true;
#if defined(ESPALIER_BASE)
    ESPALIER_INT8_STEPS(ESPALIER_STEP)
  }
  return ESPALIER_BASE::execute_step(step, c);
#else
    ESPALIER_STEPS(ESPALIER_STEP)
  }
  return false;
#endif
#undef ESPALIER_STEP
}

// Every thread of the run calls this, and all leave it together. With `times`, threads meet around each step and thread 0
// adds its seconds, as `clock` gives them.
inline void execute(const int32_t* code, int64_t words, const Context& run, double* times, double (*clock)()) {
  Context c = run;
  for (int64_t at = 0; at < words; at += code[at + 1], c.step++) {
    if (code[at + 2] & 1) c.barrier();
    const double start = times ? clock() : 0;
    execute_step(code + at, c);
    if (times) {
      c.barrier();
      if (c.thread == 0) times[c.step] += clock() - start;
    }
  }
  c.barrier();
}

}  // namespace ESPALIER_ISA
