// How threads share work: every piece is done exactly once, whoever comes late, and numbers are drawn anew after a barrier.
#include "../core/context.hpp"

#include <atomic>

#include "check.hpp"

using check::integer;
using espalier::Context;

namespace {

void pieces_are_done_once() {
  for (int turn = 0; turn < 60; turn++) {
    const int threads = integer(1, 40);
    const int64_t n = turn % 7 == 0 ? 0 : integer(1, 3000), grain = integer(1, 50);
    // More calls than there are numbers to draw, some with a barrier between.
    const int calls = integer(1, 40);
    std::vector<std::vector<std::atomic<int>>> done;
    for (int i = 0; i < calls; i++) done.emplace_back(n);
    std::atomic<bool> bounds{true};
    const check::Memory memory;
    check::run(memory, threads, [&](const Context& c) {
      for (int i = 0; i < calls; i++) {
        if (i % 9 == 8) c.barrier();
        if (c.thread == i % 3) std::this_thread::yield();
        c.pieces(n, grain, [&](int64_t begin, int64_t end) {
          if (begin < 0 || begin >= end || end > n) bounds = false;
          else
            for (int64_t p = begin; p < end; p++) done[i][p]++;
        });
      }
      c.barrier();
    });
    bool once = true;
    for (auto& call : done)
      for (auto& count : call) once = once && count == 1;
    check::that(once && bounds, "pieces: " + std::to_string(n) + " on " + std::to_string(threads) + " threads");
  }
}

}  // namespace

int main() {
  pieces_are_done_once();
  return check::finish("context");
}
