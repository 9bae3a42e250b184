#include "pool.hpp"

#include <atomic>
#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace espalier {

void sleep_while(uint32_t* word, uint32_t value) {
  std::atomic_ref<uint32_t>(*word).wait(value, std::memory_order_acquire);
}
void wake_all(uint32_t* word) { std::atomic_ref<uint32_t>(*word).notify_all(); }

namespace {

// A run that follows another within this many looks finds its threads awake.
constexpr int patience = 20000;

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Worker {
  std::atomic<uint32_t> round{0};  // of the newest run that wants this thread
};

struct Pool {
  std::mutex taken;
  std::vector<std::unique_ptr<Worker>> workers;
  Barrier barrier;
  Fault fault;
  Tickets tickets;
  Job job{};
  int threads = 1;

  void enter(int thread) {
    const Context context{job.spaces, thread, threads, &barrier, &fault, &tickets};
    job.variant->execute(job.code, job.words, context, job.times, seconds);
  }

  void serve(Worker& worker, int thread) {
    uint32_t done = 0;
    for (;;) {
      int looks = 0;
      while (worker.round.load(std::memory_order_acquire) == done) {
        if (++looks < patience) relax();
        else worker.round.wait(done, std::memory_order_acquire);
      }
      done = worker.round.load(std::memory_order_acquire);
      enter(thread);
    }
  }

  // As many workers as can be had; a system that refuses threads gets a run on fewer.
  void grow(int wanted) {
    while (int(workers.size()) < wanted) {
      auto worker = std::make_unique<Worker>();
      const int thread = int(workers.size()) + 1;
      try {
        std::thread([this, w = worker.get(), thread] { serve(*w, thread); }).detach();
      } catch (const std::system_error&) {
        return;
      }
      workers.push_back(std::move(worker));
    }
  }
};

// Never destroyed: its threads outlive everything but the process.
Pool& pool() {
  static Pool* const only = new Pool;
  return *only;
}

}  // namespace

Fault run_on_pool(const Job& job, int threads) {
  Pool& p = pool();
  const std::lock_guard<std::mutex> guard(p.taken);
  p.grow(threads - 1);
  p.job = job;
  p.fault = Fault{};
  p.threads = std::min<int>(threads, int(p.workers.size()) + 1);
  for (int i = 0; i < p.threads - 1; i++) {
    p.workers[i]->round.fetch_add(1, std::memory_order_release);
    p.workers[i]->round.notify_one();
  }
  p.enter(0);
  return p.fault;
}

}  // namespace espalier
