/// Counter-based random numbers: every draw is a pure function of (seed, purpose, entity, counter), so results do not
/// depend on the number of threads or the order of evaluation.
///
/// Generator: Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", SC'11),
/// from the Random123 library. Key = (seed mixed with purpose), counter = (entity, counter).
#pragma once

#include <array>
#include <cstdint>

namespace triscale::core {

/// What a stream of random numbers is used for; two purposes never share numbers. Append only: the values are part of
/// "same seed, same bits".
enum class Purpose : std::uint32_t {
  connectivity = 1,
  dendritic_site = 2,
  weight = 3,
  delay = 4,
  poisson_input = 5,
  current_noise = 6,
  initial_state = 7,
  escape_noise = 8,
  bootstrap = 9,
  fit_stimulus = 10,
  transfer_grid = 11,
  release = 12,
  position = 13,
  poisson_counts = 20,
  poisson_refinement = 21,
  common_train = 22,
  common_train_choice = 23,
  coefficient_draws = 24,
  test = 1000,
};

/// A stream addressed by (seed, purpose, entity). `entity` is any 64-bit label, such as projection * 2^32 + target.
/// Draw number k can be read at random; next_*() walk through k = 0, 1, 2, ...
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, Purpose purpose, std::uint64_t entity);

  std::array<std::uint32_t, 2> key() const { return key_; }
  std::uint64_t entity() const { return entity_; }

  /// Four independent 32-bit words for counter k.
  std::array<std::uint32_t, 4> words(std::uint64_t k) const;
  /// Uniform on the open interval (0, 1), 53 bits, from the first two words of counter k.
  double uniform(std::uint64_t k) const;
  /// Standard normal by Box-Muller from counter k.
  double normal(std::uint64_t k) const;

  double next_uniform() { return uniform(position_++); }
  double next_normal() { return normal(position_++); }
  /// Uniform integer in [0, n), n >= 1.
  std::uint64_t next_below(std::uint64_t n);
  /// Exponential with mean 1.
  double next_exponential();
  /// Poisson with the given mean (products of uniforms; cost grows with the mean).
  std::uint64_t next_poisson(double mean);

 private:
  std::array<std::uint32_t, 2> key_;
  std::uint64_t entity_;
  std::uint64_t position_ = 0;
};

}  // namespace triscale::core
