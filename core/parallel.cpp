#include "core/parallel.hpp"

#include <algorithm>

namespace triscale::core {

namespace {
std::size_t resolve(std::size_t threads) {
  return threads > 0 ? threads : std::max<std::size_t>(1, std::thread::hardware_concurrency());
}
}  // namespace

ThreadPool::ThreadPool(std::size_t threads)
    : errors_(resolve(threads)),
      start_(static_cast<std::ptrdiff_t>(resolve(threads))),
      finish_(static_cast<std::ptrdiff_t>(resolve(threads))) {
  for (std::size_t part = 1; part < errors_.size(); ++part) {
    workers_.emplace_back([this, part] {
      for (;;) {
        start_.arrive_and_wait();
        if (stop_) return;
        execute(part);
        finish_.arrive_and_wait();
      }
    });
  }
}

ThreadPool::~ThreadPool() {
  stop_ = true;
  if (!workers_.empty()) start_.arrive_and_wait();
}

void ThreadPool::execute(std::size_t part) noexcept {
  try {
    (*work_)(part);
  } catch (...) {
    errors_[part] = std::current_exception();
  }
}

void ThreadPool::run(const std::function<void(std::size_t)>& work) {
  work_ = &work;
  if (!workers_.empty()) start_.arrive_and_wait();
  execute(0);
  if (!workers_.empty()) finish_.arrive_and_wait();
  for (std::exception_ptr& error : errors_) {
    if (!error) continue;
    const std::exception_ptr first = error;
    std::fill(errors_.begin(), errors_.end(), nullptr);
    std::rethrow_exception(first);
  }
}

void ThreadPool::parallel_for(std::size_t n, const std::function<void(std::size_t, std::size_t)>& body) {
  run([&](std::size_t part) {
    const std::size_t begin = n * part / size();
    const std::size_t end = n * (part + 1) / size();
    if (begin < end) body(begin, end);
  });
}

}  // namespace triscale::core
