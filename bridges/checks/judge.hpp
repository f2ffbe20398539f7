/// Turns differences between two tiers into verdicts: holds the blocks of simulated time, draws them anew (block
/// bootstrap, measure/bootstrap.hpp), holds the interval of a difference against its tolerance, and files the outcome.
/// The checks of single statistics (population_checks.hpp, and others that a caller adds) say what is compared.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bridges/checks/consistency.hpp"
#include "measure/bootstrap.hpp"
#include "measure/consistency_result.hpp"

namespace triscale::bridges {

/// Extrapolating the width of an interval further than this is fiction.
inline constexpr double kMaxExtrapolation = 1000.0;

/// How often each block of time counts; see measure::BlockResampler.
using Multiplicity = std::span<const double>;

/// A statistic of a replicate; nullopt where it does not exist.
using Statistic = std::function<std::optional<double>(Multiplicity)>;

/// A statistic's values where it exists: in every replicate, and without each run (if there are several).
struct Replicates {
  std::vector<double> values;
  std::vector<double> without_run;

  double mean() const;
  void shift(double by);
};

/// What a check is about.
struct CheckSubject {
  std::string population;
  std::string finer, coarser;  ///< tiers
};

class Judge {
 public:
  /// `duration_ms`: of the shortest run; `runs`: how many with different noise.
  Judge(double duration_ms, const ConsistencyOptions& options, std::size_t runs = 1);

  const ConsistencyOptions& options() const { return options_; }
  const measure::BlockGrid& grid() const { return grid_; }
  const measure::BlockResampler& resampler() const { return resampler_; }
  Multiplicity original() const { return resampler_.original(); }
  /// Analysed time of all runs together.
  double window_s() const { return grid_.window().length_ms() / 1000.0 * static_cast<double>(resampler_.runs()); }
  double shortest_useful_run_ms() const;

  Replicates replicates_of(const Statistic& statistic) const;
  /// Likewise of several statistics that share most of their work.
  using Statistics = std::function<std::vector<std::optional<double>>(Multiplicity)>;
  std::vector<Replicates> replicates_of(std::size_t number, const Statistics& statistics) const;
  /// nullopt where there are too few blocks, or the statistic is missing in too many replicates.
  std::optional<measure::Interval> interval_of(const Replicates& replicates) const;

  /// Which differences count: in both directions, or only the coarser value falling short.
  enum class Sides { both, shortfall };

  measure::ConsistencyCheck begin_check(const CheckSubject& subject, const char* statistic, double tolerance) const;
  /// Files a comparison that makes no sense, with the reason.
  void omit(const CheckSubject& subject, const std::string& statistic, std::string reason);
  /// Files a comparison that the data do not allow yet.
  void undecided(measure::ConsistencyCheck check, std::string note, double needed_ms);
  /// Files the verdict that the interval of `check.difference` gives, and the time that would decide if none.
  void decide(measure::ConsistencyCheck check, std::optional<measure::Interval> interval, Sides sides = Sides::both);
  void add(measure::TierSummary summary) { result_.tiers.push_back(std::move(summary)); }

  /// Everything that was filed, with the overall verdict. Call once, at the end.
  measure::Consistency conclude();

 private:
  ConsistencyOptions options_;
  measure::BlockGrid grid_;
  measure::BlockResampler resampler_;
  measure::Consistency result_;
};

}  // namespace triscale::bridges
