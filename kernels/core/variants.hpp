// A variant of the kernels: the same functions, compiled for one instruction set.
#pragma once
#include <stdint.h>

#include "context.hpp"

#define ESPALIER_JOIN(a, b) a##b
#define ESPALIER_NAME(isa) ESPALIER_JOIN(variant_, isa)
#define ESPALIER_QUOTE(isa) #isa
#define ESPALIER_TEXT(isa) ESPALIER_QUOTE(isa)

namespace espalier {

struct Variant {
  const char* name;
  // Runs a plan as one of `context.threads` threads (core/execute.hpp).
  void (*execute)(const int32_t* code, int64_t words, const Context& context, double* times, double (*clock)());
  const int32_t* traits;
  int32_t trait_count;
};

}  // namespace espalier
