/// A small pool of threads with static partition: part p of n parts is always the same piece of work, so what a thread
/// computes never depends on timing. Clean under the thread sanitizer.
#pragma once

#include <barrier>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace triscale::core {

class ThreadPool {
 public:
  /// threads >= 1; 0 means all cores of the machine. One of them is the calling thread.
  explicit ThreadPool(std::size_t threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  std::size_t size() const { return workers_.size() + 1; }

  /// Runs work(part) for part = 0 .. size()-1, one part a thread, and returns when all are done. The first exception
  /// (lowest part) is thrown again here.
  void run(const std::function<void(std::size_t)>& work);

  /// Splits [0, n) into size() contiguous ranges and runs body(begin, end) on each.
  void parallel_for(std::size_t n, const std::function<void(std::size_t, std::size_t)>& body);

 private:
  void execute(std::size_t part) noexcept;

  const std::function<void(std::size_t)>* work_ = nullptr;
  bool stop_ = false;
  std::vector<std::exception_ptr> errors_;
  std::barrier<> start_;
  std::barrier<> finish_;
  std::vector<std::jthread> workers_;
};

}  // namespace triscale::core
