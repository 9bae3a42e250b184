// What a kernel sees beside its step: memory, and its place among the threads. Every thread of a run calls every kernel;
// how it cuts a sum depends on sizes alone, so that results do not depend on the number of threads or on who does what.
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

// Where threads draw numbers for pieces of work: a word for each thread's own share of each piece of work since the last
// barrier, at which they are zeros again. A thread's words are a cache line: others touch it only when they help out.
struct alignas(64) Tickets {
  static constexpr int threads = 32;
  static constexpr int turns = 16;
  uint32_t drawn[threads][turns] = {};
};

struct Context {
  uint8_t* const* spaces;
  int thread;
  int threads;
  Barrier* meeting;
  Fault* first_fault = nullptr;
  Tickets* tickets = nullptr;
  int32_t step = 0;
  mutable int32_t turn = 0;  // calls of `pieces` since the last barrier

  // The operand's address; null when it is absent.
  template <class T>
  ESPALIER_FORCED T* at(Operand o) const {
    if (!o.present()) return nullptr;
    return reinterpret_cast<T*>(spaces[o.place & 0xffffff] + int64_t(o.units) * 64 + ((uint32_t(o.place) >> 24) & 63));
  }

  // This thread's share of n pieces, in order, whole multiples of `grain` but for the last.
  ESPALIER_FORCED Range share(int64_t n, int64_t grain = 1) const { return share_of(thread, n, grain); }

  ESPALIER_FORCED Range share_of(int whose, int64_t n, int64_t grain) const {
    const int64_t grains = (n + grain - 1) / grain;
    const int64_t begin = grains * whose / threads * grain;
    const int64_t end = grains * (whose + 1) / threads * grain;
    return {begin < n ? begin : n, end < n ? end : n};
  }

  // Calls f(begin, end) for parts of 0..n of at most `grain`: those of this thread's share in order, then those that
  // other threads have not come to, since a core may be slower than another or busy elsewhere. For work whose parts do
  // not depend on who does them. A part should take some ten microseconds.
  template <class F>
  ESPALIER_FORCED void pieces(int64_t n, int64_t grain, const F& f) const {
    if (threads == 1) {
      if (n > 0) f(int64_t(0), n);
      return;
    }
    const int32_t now = turn++;
    const bool drawn = tickets != nullptr && now < Tickets::turns && threads <= Tickets::threads;
    for (int i = 0; i < (drawn ? threads : 1); i++) {
      const int whose = thread + i < threads ? thread + i : thread + i - threads;
      const Range all = share_of(whose, n, grain);
      int64_t step = drawn ? grain : all.end - all.begin;
      for (int64_t begin = all.begin; begin < all.end;) {
        if (drawn) {
          uint32_t* const word = &tickets->drawn[whose][now];
          // Looked at first: what is empty is not written to.
          begin = all.begin + int64_t(__atomic_load_n(word, __ATOMIC_RELAXED)) * grain;
          if (begin >= all.end) break;
          begin = all.begin + int64_t(__atomic_fetch_add(word, 1, __ATOMIC_RELAXED)) * grain;
          if (begin >= all.end) break;
        }
        f(begin, begin + step < all.end ? begin + step : all.end);
        begin += step;
      }
    }
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
    if (threads == 1) return;
    meeting->wait(threads, [this]() __attribute__((always_inline)) {
      if (turn == 0 || tickets == nullptr) return;
      for (int t = 0; t < threads && t < Tickets::threads; t++)
        for (int i = 0; i < Tickets::turns; i++) tickets->drawn[t][i] = 0;
    });
    turn = 0;
  }
};

}  // namespace espalier
