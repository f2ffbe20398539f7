#include "meanfield/simulate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "meanfield/integrator.hpp"
#include "meanfield/known_input.hpp"
#include "meanfield/lif_circuit.hpp"
#include "meanfield/mesoscopic_circuit.hpp"
#include "meanfield/rate_history.hpp"

namespace triscale::meanfield {

namespace {

constexpr double kOutputInterval_ms = 1.0;
constexpr double kStepsPerTimeConstant = 5.0;

/// The longest step that divides the output interval and exceeds neither the shortest recurrent delay nor a fraction of
/// the fastest time constant.
double step_for(const Model& model, double output_ms, double longest_ms) {
  double limit_ms = std::min(longest_ms, output_ms);
  for (const PopulationModel& population : model.populations()) {
    limit_ms = std::min(limit_ms, population.time_constant_ms / kStepsPerTimeConstant);
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

/// Layout of the state: rates (Hz) of the simulated populations, then the adaptation currents (nA) of each.
class TimeCourse {
 public:
  TimeCourse(const Model& model, double step_ms)
      : model_(model),
        step_ms_(step_ms),
        history_(model.populations().size(), longest_delay(model), step_ms),
        known_(model, step_ms),
        inputs_(model.populations().size()) {
    for (const PopulationModel& population : model.populations()) size_ += population.transfer.adaptation_nA.size();
    size_ += model.populations().size();
  }

  std::size_t size() const { return size_; }

  void derivative(const State& state, State& slope, double t_ms) {
    std::size_t a = model_.populations().size();
    for (std::size_t i = 0; i < model_.populations().size(); ++i) {
      const PopulationModel& population = model_.populations()[i];
      PopulationInput& input = inputs_[i];
      gather(population, state, t_ms, input);
      input.adaptation_nA = 0;
      for (const auto& kernel : population.transfer.adaptation_nA) {
        input.adaptation_nA += state[a];
        slope[a] = (kernel.amplitude * kernel.tau_ms * state[i] / 1000.0 - state[a]) / kernel.tau_ms;
        ++a;
      }
      slope[i] = (population_rate_hz(population, input) - state[i]) / population.time_constant_ms;
    }
  }

  /// Makes the state at t_ms the newest entry of the history and takes the external input of the step that begins
  /// there: its average over the step, so that a jump of the input between or at grid times costs no accuracy.
  void accept(const State& state, double t_ms) {
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const PopulationModel& population = model_.populations()[i];
      model_.set_currents(population, t_ms, t_ms + step_ms_, inputs_[i]);
      inputs_[i].source_hz.assign(population.channels.size(), 0.0);
      for (std::size_t c = 0; c < population.channels.size(); ++c) {
        const Channel& channel = population.channels[c];
        if (!model_.circuit().populations[channel.source].is_virtual) continue;
        const double then_ms = t_ms - channel.delay_ms;
        inputs_[i].source_hz[c] =
            then_ms + step_ms_ > 0 ? model_.external(channel.source).mean(then_ms, then_ms + step_ms_) : 0.0;
      }
    }
    State slope(state.size());
    derivative(state, slope, t_ms);
    State rates_hz = state;
    for (std::size_t i = 0; i < inputs_.size(); ++i) rates_hz[i] = rate_hz(i, state);
    history_.push(rates_hz, slope);
    if (known_.any()) known_.advance(t_ms, inputs_);
  }

  /// The rate that others see: the state and what known external spikes add to it.
  double rate_hz(std::size_t population, const State& state) const {
    return std::max(0.0, state[population] + known_.extra_hz()[population]);
  }

  const std::vector<PopulationInput>& inputs() const { return inputs_; }

 private:
  /// Recurrent rates as they arrive at t_ms.
  void gather(const PopulationModel& population, const State& state, double t_ms, PopulationInput& input) const {
    for (std::size_t c = 0; c < population.channels.size(); ++c) {
      const Channel& channel = population.channels[c];
      if (model_.circuit().populations[channel.source].is_virtual) continue;
      const std::size_t source = model_.index_of(channel.source);
      const bool delayed = channel.delay_ms >= step_ms_ * (1 - 1e-9);
      input.source_hz[c] = delayed ? history_.at(source, t_ms - channel.delay_ms) : rate_hz(source, state);
    }
  }

  const Model& model_;
  double step_ms_;
  std::size_t size_ = 0;
  RateHistory history_;
  KnownInput known_;
  std::vector<PopulationInput> inputs_;
};

/// Remembers for each population the worst moment outside its hull.
class HullWatch {
 public:
  explicit HullWatch(const Model& model) : model_(model), worst_(model.populations().size()) {}

  void look(const std::vector<PopulationInput>& inputs, double t_ms) {
    for (std::size_t i = 0; i < worst_.size(); ++i) {
      const double share = share_outside_hull(model_.populations()[i], inputs[i]);
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

  void add(const std::vector<PopulationInput>& inputs) {
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      const std::vector<double> rates_hz = class_rates_hz(model_.populations()[i], inputs[i]);
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

std::vector<double> all_rates(const Model& model, const TimeCourse& course, const State& state, double t_ms) {
  std::vector<double> rates_hz(model.circuit().populations.size(), 0.0);
  for (std::size_t p = 0; p < rates_hz.size(); ++p) {
    rates_hz[p] = model.circuit().populations[p].is_virtual ? model.external(p).at(t_ms)
                                                            : course.rate_hz(model.index_of(p), state);
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
  constexpr std::size_t kLookInterval = 20;  // outputs between two looks at single cells, which cost as much as a step
  constexpr std::size_t kProgressInterval = 100;
  constexpr double kStart_ms = 200;
  const auto setup_start = std::chrono::steady_clock::now();
  const Model model(circuit, options.model);
  const double duration_ms = circuit.run.duration_ms;
  const double output_ms = std::max(kOutputInterval_ms, circuit.run.dt_ms);
  const double step_ms = step_for(model, output_ms, options.longest_step_ms);
  const auto steps_per_output = static_cast<std::size_t>(std::lround(output_ms / step_ms));
  const auto outputs = static_cast<std::size_t>(std::ceil(duration_ms / output_ms - 1e-9));

  TimeCourse course(model, step_ms);
  HullWatch hull(model);
  CellRates cell_rates(model);
  core::RunStatistics statistics;
  statistics.cells = model.cells();
  statistics.synapses = model.synapses();
  statistics.edge_hash = model.edge_hash();
  statistics.setup_s = seconds_since(setup_start);

  const auto loop_start = std::chrono::steady_clock::now();
  State state(course.size(), 0.0);
  const ComponentName name = [&](std::size_t i) {
    return i < model.populations().size()
               ? fmt::format("rate of population {}", circuit.populations[model.populations()[i].population].name)
               : std::string("an adaptation current");
  };
  std::size_t step = 0;
  const StepObserver observe = [&](double, const State& now) {
    const double t_ms = static_cast<double>(step) * step_ms;
    course.accept(now, t_ms);
    if (step % steps_per_output == 0) {
      const std::size_t output = step / steps_per_output;
      recorder.record_rates(t_ms, all_rates(model, course, now, t_ms));
      // All rates start at 0; the way from there to the working point is not what the fit was made for.
      const bool started = t_ms >= std::min(kStart_ms, 0.1 * duration_ms);
      if (started && (output % kLookInterval == 0 || output == outputs)) {
        hull.look(course.inputs(), t_ms);
        cell_rates.add(course.inputs());
      }
      if (output % kProgressInterval == 0 || output == outputs) progress.advance(t_ms, duration_ms);
    }
    ++step;
  };
  integrate_fixed([&](const State& x, State& dx, double t) { course.derivative(x, dx, t); }, state, 0,
                  static_cast<double>(outputs) * output_ms, outputs * steps_per_output, observe, name);
  hull.report(warnings);
  cell_rates.record(recorder);
  statistics.wall_s = seconds_since(loop_start);
  return statistics;
}

}  // namespace triscale::meanfield
