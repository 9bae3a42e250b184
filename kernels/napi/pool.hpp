// The threads of the process: one pool, shared by every session. A run takes the pool, enters the plan on as many
// threads as it asks for, and leaves when all are through. Threads sleep when there is nothing to do and never keep the
// process alive.
#pragma once
#include <stdint.h>

#include "../core/variants.hpp"

namespace espalier {

struct Job {
  const Variant* variant;
  const int32_t* code;
  int64_t words;
  uint8_t* const* spaces;
  double* times;  // may be null
};

// Runs `job` on the calling thread and `threads - 1` others; gives the first fault. Calls wait for each other.
Fault run_on_pool(const Job& job, int threads);

}  // namespace espalier
