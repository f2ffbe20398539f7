/// Run under the thread-sanitizer preset as well: the pool must be clean there.
#include "core/parallel.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <stdexcept>
#include <string>

namespace triscale::core {
namespace {

class Threads : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Pool, Threads, testing::Values(1, 2, 3, 8));

TEST_P(Threads, EveryIndexIsVisitedExactlyOnce) {
  ThreadPool pool(GetParam());
  EXPECT_EQ(pool.size(), GetParam());
  for (const std::size_t n : {0u, 1u, 2u, 7u, 8u, 9u, 1000u}) {
    std::vector<int> visits(n, 0);
    pool.parallel_for(n, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) ++visits[i];
    });
    EXPECT_EQ(visits, std::vector<int>(n, 1)) << n;
  }
}

TEST_P(Threads, EveryPartRunsOnceAtATime) {
  ThreadPool pool(GetParam());
  std::vector<std::size_t> parts(pool.size(), 0);
  for (int repeat = 0; repeat < 200; ++repeat) pool.run([&](std::size_t part) { ++parts[part]; });
  EXPECT_EQ(parts, std::vector<std::size_t>(pool.size(), 200));
}

TEST_P(Threads, WorkOfOneRoundIsVisibleInTheNext) {
  // Without a barrier between rounds this sum would be wrong, and the thread sanitizer would say so.
  ThreadPool pool(GetParam());
  std::vector<long> values(101, 1);
  std::vector<long> next(values.size());
  for (int round = 0; round < 20; ++round) {
    pool.parallel_for(values.size(), [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) next[i] = values[(i + 50) % values.size()] + 1;
    });
    values.swap(next);
  }
  EXPECT_EQ(std::accumulate(values.begin(), values.end(), 0L), 101L * 21L);
}

TEST_P(Threads, TheExceptionOfTheLowestPartComesOutAndThePoolStaysUsable) {
  ThreadPool pool(GetParam());
  for (int repeat = 0; repeat < 3; ++repeat) {
    try {
      pool.run([](std::size_t part) { throw std::runtime_error("part " + std::to_string(part)); });
      FAIL() << "an exception must come out";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "part 0");
    }
    std::atomic<std::size_t> runs{0};
    pool.run([&](std::size_t) { ++runs; });
    EXPECT_EQ(runs, pool.size());
  }
}

TEST(ThreadPool, AnExceptionInAWorkerThreadComesOut) {
  ThreadPool pool(4);
  EXPECT_THROW(pool.run([](std::size_t part) {
    if (part == 3) throw std::out_of_range("3");
  }),
               std::out_of_range);
}

TEST(ThreadPool, ZeroMeansAllCores) {
  EXPECT_GE(ThreadPool(0).size(), 1u);
}

TEST(ThreadPool, ThePartitionDependsOnSizesOnly) {
  ThreadPool pool(3);
  std::vector<std::size_t> first(10), second(10);
  const auto mark = [&](std::vector<std::size_t>& begins) {
    pool.parallel_for(begins.size(), [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) begins[i] = begin;
    });
  };
  mark(first);
  mark(second);
  EXPECT_EQ(first, second);
  EXPECT_EQ(first, (std::vector<std::size_t>{0, 0, 0, 3, 3, 3, 6, 6, 6, 6}));
}

}  // namespace
}  // namespace triscale::core
