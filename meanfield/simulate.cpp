#include "meanfield/simulate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "meanfield/known_input.hpp"
#include "meanfield/lif_circuit.hpp"
#include "meanfield/mesoscopic_circuit.hpp"
#include "meanfield/rate_history.hpp"
#include "meanfield/ready_cells.hpp"

namespace triscale::meanfield {

namespace {

constexpr double kOutputInterval_ms = 1.0;

/// The longest step that divides the output interval and exceeds neither the shortest recurrent delay nor a fraction of
/// the fastest adaptation.
double step_for(const Model& model, double output_ms, double longest_ms) {
  constexpr double kStepsPerTimeConstant = 5.0;
  double limit_ms = std::min(longest_ms, output_ms);
  for (const PopulationModel& population : model.populations()) {
    for (const auto& kernel : population.transfer.adaptation_nA) {
      limit_ms = std::min(limit_ms, kernel.tau_ms / kStepsPerTimeConstant);
    }
    for (const Channel& channel : population.channels) {
      if (!model.circuit().populations[channel.source].is_virtual && channel.delay_ms > 0) {
        limit_ms = std::min(limit_ms, std::max(channel.delay_ms, model.circuit().run.dt_ms));
      }
    }
  }
  return output_ms / std::ceil(output_ms / limit_ms - 1e-9);
}

double longest_delay(const Model& model) {
  double delay_ms = 0;
  for (const PopulationModel& population : model.populations()) {
    for (const Channel& channel : population.channels) delay_ms = std::max(delay_ms, channel.delay_ms);
  }
  return delay_ms;
}

/// All populations, step by step.
class TimeCourse {
 public:
  TimeCourse(const Model& model, double step_ms, bool follow_spikes)
      : model_(model),
        step_ms_(step_ms),
        history_(model.populations().size(), longest_delay(model), step_ms),
        inputs_(model.populations().size()),
        rates_hz_(model.populations().size(), 0.0) {
    for (const PopulationModel& population : model.populations()) {
      courses_.emplace_back(population);
      ready_.emplace_back(population, step_ms);
      class_hz_.emplace_back(population.classes.size(), 0.0);
      unknown_hz_.emplace_back(population.classes.size(), 0.0);
    }
    if (follow_spikes) known_.emplace(model, step_ms);
    history_.push(rates_hz_);
  }

  /// From t_ms to t_ms + step.
  void step(double t_ms) {
    for (std::size_t i = 0; i < inputs_.size(); ++i) gather(i, t_ms);
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      courses_[i].step(inputs_[i], class_hz_[i], step_ms_);
    }
    if (known_) known_->advance(t_ms, inputs_, courses_);
    for (std::size_t i = 0; i < rates_hz_.size(); ++i) {
      const PopulationModel& population = model_.populations()[i];
      rates_hz_[i] = 0;
      unknown_hz_[i] = courses_[i].rates_hz();
      ready_[i].step(unknown_hz_[i]);
      class_hz_[i] = unknown_hz_[i];
      for (std::size_t k = 0; k < class_hz_[i].size(); ++k) {
        const double extra_hz = known_ ? known_->deviations(i)[k].extra_hz : 0.0;
        class_hz_[i][k] = std::max(0.0, class_hz_[i][k] + extra_hz);
        rates_hz_[i] += population.classes[k].share * class_hz_[i][k];
      }
      if (!std::isfinite(rates_hz_[i])) {
        throw core::NumericalError(fmt::format("mean-field tier: rate of population {} became {} at t = {} ms",
                                               model_.circuit().populations[population.population].name, rates_hz_[i],
                                               t_ms + step_ms_));
      }
    }
    history_.push(rates_hz_);
  }

  const std::vector<double>& rates_hz() const { return rates_hz_; }
  const std::vector<MembraneCourse>& courses() const { return courses_; }
  /// Of every class of a population, without what single known spikes add; they leave the mean as it is.
  const std::vector<double>& unknown_hz(std::size_t i) const { return unknown_hz_[i]; }

 private:
  /// Averages, over the step, of what arrives.
  void gather(std::size_t i, double t_ms) {
    const PopulationModel& population = model_.populations()[i];
    PopulationInput& input = inputs_[i];
    model_.set_currents(population, t_ms, t_ms + step_ms_, input);
    input.source_hz.assign(population.channels.size(), 0.0);
    for (std::size_t c = 0; c < population.channels.size(); ++c) {
      const Channel& channel = population.channels[c];
      const double begin_ms = t_ms - channel.delay_ms, end_ms = begin_ms + step_ms_;
      if (!model_.circuit().populations[channel.source].is_virtual) {
        input.source_hz[c] = history_.mean(model_.index_of(channel.source), begin_ms);
      } else if (end_ms > 0) {
        input.source_hz[c] = model_.external(channel.source).mean(begin_ms, end_ms);
      }
    }
  }

  const Model& model_;
  double step_ms_;
  MeanRateHistory history_;
  std::optional<KnownInput> known_;
  std::vector<PopulationInput> inputs_;
  std::vector<MembraneCourse> courses_;
  std::vector<ReadyCells> ready_;
  std::vector<std::vector<double>> class_hz_, unknown_hz_;  // of all populations
  std::vector<double> rates_hz_;
};

/// Remembers for each population the worst moment outside its hull.
class HullWatch {
 public:
  explicit HullWatch(const Model& model) : model_(model), worst_(model.populations().size()) {}

  void look(const std::vector<MembraneCourse>& courses, double t_ms) {
    for (std::size_t i = 0; i < worst_.size(); ++i) {
      const double share = share_outside_hull(model_.populations()[i], courses[i].statistics());
      if (share > worst_[i].share) worst_[i] = {share, t_ms};
    }
  }

  void report(std::vector<core::Problem>& warnings) const {
    for (std::size_t i = 0; i < worst_.size(); ++i) {
      if (!(worst_[i].share > 0)) continue;
      const std::size_t population = model_.populations()[i].population;
      warnings.push_back(hull_warning(model_.circuit().populations[population].name, worst_[i].share, worst_[i].t_ms));
    }
  }

 private:
  struct Moment {
    double share = 0, t_ms = 0;
  };
  const Model& model_;
  std::vector<Moment> worst_;
};

/// Averages the rates of single cells over the run.
class CellRates {
 public:
  explicit CellRates(const Model& model) : model_(model), sums_(model.populations().size()) {}

  void add(const TimeCourse& course) {
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      const std::vector<double>& rates_hz = course.unknown_hz(i);
      sums_[i].resize(rates_hz.size(), 0.0);
      for (std::size_t k = 0; k < rates_hz.size(); ++k) sums_[i][k] += rates_hz[k];
    }
    ++samples_;
  }

  void record(core::Recorder& recorder) const {
    if (samples_ == 0) return;
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      const PopulationModel& population = model_.populations()[i];
      std::vector<double> rates_hz;
      for (const std::size_t k : population.class_of_cell) {
        rates_hz.push_back(sums_[i][k] / static_cast<double>(samples_));
      }
      recorder.record_cell_rates(population.population, rates_hz);
    }
  }

 private:
  const Model& model_;
  std::vector<std::vector<double>> sums_;  // of every class
  std::size_t samples_ = 0;
};

std::vector<double> all_rates(const Model& model, const TimeCourse& course, double t_ms) {
  std::vector<double> rates_hz(model.circuit().populations.size(), 0.0);
  for (std::size_t p = 0; p < rates_hz.size(); ++p) {
    rates_hz[p] =
        model.circuit().populations[p].is_virtual ? model.external(p).at(t_ms) : course.rates_hz()[model.index_of(p)];
  }
  return rates_hz;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

core::RunStatistics simulate(const network::Circuit& circuit, std::size_t /*threads*/, core::Recorder& recorder,
                             core::Progress& progress) {
  std::vector<core::Problem> warnings;
  return simulate(circuit, SimulationOptions{}, recorder, progress, warnings);
}

core::RunStatistics simulate(const network::Circuit& circuit, const SimulationOptions& options,
                             core::Recorder& recorder, core::Progress& progress, std::vector<core::Problem>& warnings) {
  if (is_lif_circuit(circuit)) return simulate_lif(circuit, options.longest_step_ms, recorder, progress, warnings);
  if (is_mesoscopic_circuit(circuit)) return simulate_mesoscopic_circuit(circuit, recorder, progress, warnings);
  constexpr std::size_t kLookInterval = 20;  // outputs between two looks at the hull, which cost as much as a step
  constexpr std::size_t kProgressInterval = 100;
  constexpr double kStart_ms = 200;
  const auto setup_start = std::chrono::steady_clock::now();
  const Model model(circuit, options.model);
  const double duration_ms = circuit.run.duration_ms;
  const double output_ms = std::max(kOutputInterval_ms, circuit.run.dt_ms);
  const double step_ms = step_for(model, output_ms, options.longest_step_ms);
  const auto steps_per_output = static_cast<std::size_t>(std::lround(output_ms / step_ms));
  const auto outputs = static_cast<std::size_t>(std::ceil(duration_ms / output_ms - 1e-9));

  TimeCourse course(model, step_ms, options.follow_spikes);
  HullWatch hull(model);
  CellRates cell_rates(model);
  core::RunStatistics statistics;
  statistics.cells = model.cells();
  statistics.synapses = model.synapses();
  statistics.edge_hash = model.edge_hash();
  statistics.setup_s = seconds_since(setup_start);

  const auto loop_start = std::chrono::steady_clock::now();
  for (std::size_t output = 0; output <= outputs; ++output) {
    const double t_ms = static_cast<double>(output) * output_ms;
    for (std::size_t k = output > 0 ? steps_per_output : 0; k > 0; --k) {
      course.step(t_ms - static_cast<double>(k) * step_ms);
    }
    recorder.record_rates(t_ms, all_rates(model, course, t_ms));
    // All cells start at rest; the way from there to the working point is not what the fit was made for.
    const bool started = t_ms >= std::min(kStart_ms, 0.1 * duration_ms);
    if (started) cell_rates.add(course);
    if (started && (output % kLookInterval == 0 || output == outputs)) hull.look(course.courses(), t_ms);
    if (output % kProgressInterval == 0 || output == outputs) progress.advance(t_ms, duration_ms);
  }
  hull.report(warnings);
  cell_rates.record(recorder);
  statistics.wall_s = seconds_since(loop_start);
  return statistics;
}

}  // namespace triscale::meanfield
