// What a kernel sees beside its step: memory, and its place among the threads. Every thread of a run calls every kernel;
// a kernel takes its share by a rule that depends on sizes alone, so that results do not depend on the thread count.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "barrier.hpp"

#define ESPALIER_FORCED inline __attribute__((always_inline))

namespace espalier {

// An operand of a step: a block of memory and an offset into it. Two words, written by plan/encode.ts.
struct Operand {
  int32_t place;  // space | (offset % 64) << 24; -1 when absent
  int32_t units;  // offset / 64

  ESPALIER_FORCED bool present() const { return place != -1; }
};

struct Range {
  int64_t begin;
  int64_t end;
};

// What went wrong in a run: kernels cannot throw, so they note the first fault, skip the element and go on.
struct Fault {
  int32_t code = 0;  // FaultCode; 0 while all is well
  int32_t step = 0;  // number of the step
  int64_t value = 0;  // the offending number
};
enum FaultCode : int32_t { no_fault = 0, index_out_of_range = 1, division_by_zero = 2, bad_length = 3 };

struct Context {
  uint8_t* const* spaces;
  int thread;
  int threads;
  Barrier* meeting;
  Fault* first_fault = nullptr;
  int32_t step = 0;

  // The operand's address; null when it is absent.
  template <class T>
  ESPALIER_FORCED T* at(Operand o) const {
    if (!o.present()) return nullptr;
    return reinterpret_cast<T*>(spaces[o.place & 0xffffff] + int64_t(o.units) * 64 + ((uint32_t(o.place) >> 24) & 63));
  }

  // This thread's share of n pieces, in order, whole multiples of `grain` but for the last.
  ESPALIER_FORCED Range share(int64_t n, int64_t grain = 1) const {
    const int64_t grains = (n + grain - 1) / grain;
    const int64_t begin = grains * thread / threads * grain;
    const int64_t end = grains * (thread + 1) / threads * grain;
    return {begin < n ? begin : n, end < n ? end : n};
  }

  // Notes a fault, the first of a run. The element that led to it is to be skipped.
  ESPALIER_FORCED void fault(FaultCode code, int64_t value) const {
    int32_t none = no_fault;
    if (first_fault == nullptr ||
        !__atomic_compare_exchange_n(&first_fault->code, &none, code, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
      return;
    first_fault->step = step;
    first_fault->value = value;
  }

  // All threads of the run meet here; each must call it equally often.
  ESPALIER_FORCED void barrier() const {
    if (threads > 1) meeting->wait(threads);
  }
};

}  // namespace espalier
