#include "core/random_batch.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

namespace triscale::core {
namespace {

const RandomStream kStream(7, Purpose::test, 0x123456789abcdefull);

std::vector<Isa> instruction_sets() {
  std::vector<Isa> sets;
  for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512}) {
    if (isa <= best_isa()) sets.push_back(isa);
  }
  return sets;
}

TEST(RandomBatch, WordsAreThoseOfTheStreamForAnyLengthAndInstructionSet) {
  for (const Isa isa : instruction_sets()) {
    for (const std::size_t n : {1u, 5u, 47u, 48u, 49u, 96u, 97u, 143u, 144u, 1000u}) {
      std::vector<std::uint32_t> words(n);
      const std::uint64_t first = 0xfffffffeull;  // the counter carries into its upper half
      fill_words(kStream, first, words, isa);
      for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(words[i], kStream.words(first + i / 4)[i % 4]) << n << " " << i;
    }
  }
}

TEST(RandomBatch, UniformsOfManyEntitiesAreThoseOfTheirStreams) {
  for (const Isa isa : instruction_sets()) {
    for (const std::size_t n : {1u, 11u, 12u, 30u}) {
      std::vector<std::uint64_t> entities, counters;
      for (std::size_t i = 0; i < n; ++i) {
        entities.push_back((std::uint64_t{3} << 40) + 0xfffffff0u + 7 * i);
        counters.push_back(0xfffffffaull + i * i);
      }
      std::vector<double> uniforms(n);
      fill_uniforms(11, Purpose::test, entities, counters, uniforms, isa);
      for (std::size_t i = 0; i < n; ++i)
        ASSERT_EQ(uniforms[i], RandomStream(11, Purpose::test, entities[i]).uniform(counters[i])) << n << " " << i;
    }
  }
}

TEST(RandomBatch, NormalsAreTheBoxMullerTransformOfTheWords) {
  std::vector<double> z(20000);
  fill_normals(kStream, 3, z);
  for (std::size_t i = 0; i < z.size(); ++i) {
    const auto words = kStream.words(3 + i / 4);
    const double u = (words[i % 4 / 2 * 2] + 0.5) * 0x1p-32;
    // The angle counts from the middle of a quadrant.
    const double phi = 2 * std::numbers::pi * ((words[i % 4 / 2 * 2 + 1] + 0.5) * 0x1p-32 - 0.125);
    const double expected = std::sqrt(-2 * std::log(u)) * (i % 2 == 0 ? std::cos(phi) : std::sin(phi));
    ASSERT_NEAR(z[i], expected, 1e-14 * (1 + std::abs(expected))) << i;
  }
}

TEST(RandomBatch, NormalsHaveTheSameBitsOnEveryInstructionSet) {
  std::vector<double> baseline(10007), best(10007);
  fill_normals(kStream, 1, baseline, Isa::baseline);
  fill_normals(kStream, 1, best, best_isa());
  EXPECT_EQ(baseline, best);
}

TEST(RandomBatch, NormalsHaveTheMomentsOfAStandardNormal) {
  constexpr double kNumber = 400000;
  std::vector<double> z(static_cast<std::size_t>(kNumber));
  fill_normals(kStream, 0, z);
  double m1 = 0, m2 = 0, m4 = 0, neighbours = 0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    m1 += z[i] / kNumber;
    m2 += z[i] * z[i] / kNumber;
    m4 += std::pow(z[i], 4) / kNumber;
    if (i > 0) neighbours += z[i] * z[i - 1] / kNumber;
  }
  // Five standard errors: variances of z, z^2, z^4 and of a product are 1, 2, 96 and 1.
  EXPECT_NEAR(m1, 0, 5 / std::sqrt(kNumber));
  EXPECT_NEAR(m2, 1, 5 * std::sqrt(2 / kNumber));
  EXPECT_NEAR(m4, 3, 5 * std::sqrt(96 / kNumber));
  EXPECT_NEAR(neighbours, 0, 5 / std::sqrt(kNumber));
}

}  // namespace
}  // namespace triscale::core
