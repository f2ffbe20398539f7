#include "core/shared_progress.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

#include "core/error.hpp"
#include "core/parallel.hpp"

namespace triscale::core {
namespace {

class Seen : public Progress {
 public:
  void advance(double done, double total) override {
    shares.push_back(done / total);
    if (done / total >= interrupt_at) throw Interrupted();
  }
  std::vector<double> shares;
  double interrupt_at = 2;
};

TEST(SharedProgress, AddsUpThePartsOfSeveralThreadsAndNeverGoesBack) {
  Seen seen;
  SharedProgress shared(seen, 4);
  ThreadPool pool(4);
  pool.run([&](std::size_t) {
    PartProgress part(shared, 1);
    for (int k = 1; k <= 100; ++k) part.advance(k, 100);
  });
  ASSERT_EQ(seen.shares.size(), 400u);
  for (std::size_t i = 1; i < seen.shares.size(); ++i) EXPECT_GE(seen.shares[i], seen.shares[i - 1]);
  EXPECT_NEAR(seen.shares.back(), 1, 1e-12);
}

TEST(SharedProgress, StagesOfAPartFollowOneAnother) {
  Seen seen;
  SharedProgress shared(seen, 1);
  PartProgress part(shared, 1);
  part.stage(0.2);
  part.advance(500, 1000);
  part.advance(1000, 1000);
  part.stage(0.6);
  part.advance(1, 2);
  part.finish();
  ASSERT_EQ(seen.shares.size(), 4u);
  EXPECT_NEAR(seen.shares[0], 0.1, 1e-12);
  EXPECT_NEAR(seen.shares[1], 0.2, 1e-12);
  EXPECT_NEAR(seen.shares[2], 0.4, 1e-12);
  EXPECT_NEAR(seen.shares[3], 1, 1e-12);
}

TEST(SharedProgress, AnInterruptReachesThePartThatReports) {
  Seen seen;
  seen.interrupt_at = 0.5;
  SharedProgress shared(seen, 2);
  ThreadPool pool(2);
  EXPECT_THROW(pool.run([&](std::size_t) {
    PartProgress part(shared, 1);
    for (int k = 1; k <= 1000; ++k) part.advance(k, 1000);
  }),
               Interrupted);
  EXPECT_LT(seen.shares.size(), 1100u) << "both parts stop at the first report past the interrupt";
}

}  // namespace
}  // namespace triscale::core
