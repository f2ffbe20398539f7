/// A barrier for threads that meet again after microseconds: it spins for a moment, then sleeps. (Yielding in place of
/// sleeping costs a scheduler's time slice at every meeting as soon as another program wants the core.) What was
/// written before it is seen behind it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>

namespace triscale::core {

class SpinBarrier {
 public:
  explicit SpinBarrier(std::size_t threads)
      : threads_(threads), spins_(threads <= std::thread::hardware_concurrency() ? kSpins : 0) {}

  void arrive_and_wait() {
    if (threads_ == 1) return;
    const std::uint32_t round = round_.load(std::memory_order_relaxed);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
      arrived_.store(0, std::memory_order_relaxed);
      round_.store(round + 1, std::memory_order_release);
      round_.notify_all();
      return;
    }
    for (int i = 0; i < spins_ && round_.load(std::memory_order_acquire) == round; ++i) {
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
    round_.wait(round, std::memory_order_acquire);  // returns at once if the round is over
  }

 private:
  static constexpr int kSpins = 2000;
  const std::size_t threads_;
  const int spins_;  ///< none where threads share cores
  alignas(64) std::atomic<std::size_t> arrived_{0};
  alignas(64) std::atomic<std::uint32_t> round_{0};
};

}  // namespace triscale::core
