// Where the threads of a run meet. Waiting spins for some microseconds, since the others are rarely late, then sleeps.
#pragma once
#include <stdint.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace espalier {

// How a thread sleeps is the host's business (napi/pool.cc, wasm/entry.cc): while `*word` is `value`, until woken.
// Functions here are inlined by force: a copy that some variant compiled must not serve processors without its
// instructions.
void sleep_while(uint32_t* word, uint32_t value);
void wake_all(uint32_t* word);

inline __attribute__((always_inline)) void relax() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

struct Barrier {
  uint32_t arrived = 0;
  uint32_t round = 0;
  static constexpr int spins = 4000;

  // `last` is called by the thread that comes last, before any of them goes on.
  template <class F>
  inline __attribute__((always_inline)) void wait(int threads, const F& last) {
    const uint32_t now = __atomic_load_n(&round, __ATOMIC_ACQUIRE);
    if (__atomic_add_fetch(&arrived, 1, __ATOMIC_ACQ_REL) == uint32_t(threads)) {
      last();
      __atomic_store_n(&arrived, 0, __ATOMIC_RELAXED);
      __atomic_store_n(&round, now + 1, __ATOMIC_RELEASE);
      wake_all(&round);
      return;
    }
    for (int i = 0; i < spins; i++) {
      if (__atomic_load_n(&round, __ATOMIC_ACQUIRE) != now) return;
      relax();
    }
    while (__atomic_load_n(&round, __ATOMIC_ACQUIRE) == now) sleep_while(&round, now);
  }
};

}  // namespace espalier
