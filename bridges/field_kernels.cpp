#include "bridges/field_kernels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "bridges/cell_sample.hpp"
#include "bridges/forward_models.hpp"
#include "bridges/kernel_error.hpp"
#include "bridges/kernel_spectrum.hpp"
#include "network/edges.hpp"

namespace triscale::bridges {

namespace {

bool has_membrane(const network::Circuit& circuit, std::size_t population) {
  const network::Population& p = circuit.populations[population];
  return !p.is_virtual && circuit.cell_types[p.cell_type].detailed.has_value();
}

/// About what a population was linearised.
struct PopulationState {
  std::vector<double> V_mV;
  Channels channels = Channels::linearised;
  SpikeResponse spike;
};

/// Whether the linearised membrane is stable: a cell near its threshold may have a negative slope conductance, which
/// only its spikes keep in bounds. Its channels then count as frozen.
Channels stable_channels(const QuasiActiveCell& cell) {
  constexpr double kLargestRatio = 4;
  const double frozen = cell.impedance(0, Channels::frozen).input_MOhm[cell.tree().soma()].real();
  const double linearised = cell.impedance(0, Channels::linearised).input_MOhm[cell.tree().soma()].real();
  return linearised > 0 && linearised < kLargestRatio * frozen ? Channels::linearised : Channels::frozen;
}

/// The field that kernels give the sampled cells of all populations together, and what they do not explain of it; one
/// value a sample and channel. A cell stands for the square root of the cells that it represents: their chance adds up
/// so.
struct SampledField {
  std::vector<double> predicted, error;
};

void add_field(const CellSample& sample, const std::vector<float>& predicted_mV,
               const std::vector<FieldWeights>& weights, std::size_t channels, double cells, SampledField& field) {
  constexpr double kEvery_ms = 0.5;
  const auto every = static_cast<std::size_t>(std::max(1.0, std::round(kEvery_ms / sample.dt_ms)));
  const double scale = std::sqrt(cells / static_cast<double>(std::max<std::size_t>(1, sample.cells.size())));
  const std::vector<double> mean = sample.mean_V_mV();
  const std::size_t samples = (sample.steps - sample.settled + every - 1) / every;
  field.predicted.resize(std::max(field.predicted.size(), samples * channels));
  field.error.resize(field.predicted.size());
  std::vector<double> p(sample.nodes), e(sample.nodes);
  for (std::size_t c = 0; c < sample.cells.size(); ++c) {
    for (std::size_t k = 0; k < samples; ++k) {
      const std::size_t step = sample.settled + k * every;
      const float* V = sample.at(c, step);
      const float* P = predicted_mV.data() + (c * sample.steps + step) * sample.nodes;
      for (std::size_t n = 0; n < sample.nodes; ++n) {
        p[n] = scale * P[n];
        e[n] = scale * (V[n] - mean[n]) - p[n];
      }
      weights[c].add(p, channels, field.predicted.data() + k * channels);
      weights[c].add(e, channels, field.error.data() + k * channels);
    }
  }
}

/// What kernels do not explain of a channel: a factor (gain - 1) that all cells share, and a variance that adds up from
/// cell to cell.
struct KernelFit {
  double gain = 1, private_variance = 0;
};

KernelFit fit_of(const SampledField& field, std::size_t channel, std::size_t channels) {
  double n = 0, p = 0, e = 0, pp = 0, ee = 0, pe = 0;
  for (std::size_t i = channel; i < field.predicted.size(); i += channels) {
    const double x = field.predicted[i], y = field.error[i];
    n += 1, p += x, e += y, pp += x * x, ee += y * y, pe += x * y;
  }
  if (!(n > 0)) return {};
  const double var_p = pp / n - p * p / (n * n), var_e = ee / n - e * e / (n * n),
               covariance = pe / n - p * e / (n * n);
  if (!(var_p > 0)) return {1, std::max(0.0, var_e)};
  return {1 + covariance / var_p, std::max(0.0, var_e - covariance * covariance / var_p)};
}

double variance_of(const measure::Signal& signal, std::size_t channel, double begin_ms) {
  double n = 0, sum = 0, squares = 0;
  for (std::size_t k = 0; k < signal.samples(); ++k) {
    if (signal.begin_ms + static_cast<double>(k) * signal.dt_ms < begin_ms) continue;
    const double x = signal.values[k * signal.channels + channel];
    n += 1, sum += x, squares += x * x;
  }
  return n > 0 ? std::max(0.0, squares / n - sum * sum / (n * n)) : 0.0;
}

class KernelDerivation {
 public:
  KernelDerivation(const network::Circuit& circuit, const measure::Activity& activity,
                   const FieldKernelOptions& options, std::size_t threads, core::Progress& progress)
      : circuit_(circuit),
        activity_(activity),
        options_(options),
        pool_(threads),
        progress_(progress),
        labels_(circuit),
        trains_(trains_of(circuit, activity)),
        models_(forward_models(circuit)) {
    dt_ms_ = circuit.run.dt_ms * std::max(1.0, std::round(kGrid_ms / circuit.run.dt_ms));
    first_ = -static_cast<std::int64_t>(std::ceil(kBefore_ms / dt_ms_));
    for (std::size_t k = 0; k < models_.size(); ++k) prepare_probe(k);
  }

  network::CircuitKernels run(network::Derivation& derivation) {
    for (std::size_t p = 0; p < circuit_.populations.size(); ++p) {
      if (has_membrane(circuit_, p)) derive_targets(p);
      progress_.advance(static_cast<double>(p + 1), static_cast<double>(circuit_.populations.size() + 1));
    }
    network::CircuitKernels out;
    out.seed = circuit_.run.seed;
    out.edge_hash = network::kEdgeHashStart;
    for (std::size_t k = 0; k < circuit_.projections.size(); ++k) {
      out.edge_hash = network::hash_edges(out.edge_hash, k, network::edges_of(circuit_, k));
    }
    for (Probe& probe : probes_) out.probes.push_back(finish(probe));
    judge_kernels(out);
    for (const Probe& probe : probes_) {
      derivation.field_kernels[circuit_.field_probes[probe.index].name] = provenance(probe, out.probes[probe.index]);
    }
    progress_.advance(1, 1);
    return out;
  }

 private:
  static constexpr double kGrid_ms = 0.1;
  static constexpr double kBefore_ms = 2;

  struct Probe {
    std::size_t index, channels;
    std::vector<char> per_cell;           // by population: a kernel for every cell, or one
    std::vector<std::size_t> first_slot;  // by population
    KernelSpectrum spectrum;
    std::vector<std::vector<double>> own;  // of a slot's own spikes, [sample][channel] from first_ on
    SampledField field;
  };

  std::size_t samples() const { return probes_.front().spectrum.samples() + static_cast<std::size_t>(-first_); }

  void prepare_probe(std::size_t k) {
    const std::size_t channels = models_[k]->channels();
    const std::vector<char> per_cell = single_kernels(channels);
    std::vector<KernelSpectrum::Slot> slots(labels_.count());
    std::vector<std::size_t> first_slot;
    std::size_t n_slots = 0;
    for (std::size_t p = 0; p < circuit_.populations.size(); ++p) {
      const std::size_t size = circuit_.populations[p].size;
      first_slot.push_back(n_slots);
      for (std::size_t i = 0; i < size; ++i) {
        slots[labels_.first(p) + i] = {static_cast<std::uint32_t>(n_slots + (per_cell[p] ? i : 0)),
                                       per_cell[p] ? 1.0 : 1.0 / static_cast<double>(size)};
      }
      n_slots += per_cell[p] ? size : 1;
    }
    probes_.push_back(
        {k, channels, per_cell, first_slot,
         KernelSpectrum(channels, std::move(slots), n_slots, dt_ms_, options_.length_ms, options_.highest_Hz),
         std::vector<std::vector<double>>(n_slots), SampledField{}});
  }

  /// Which populations get a kernel for every cell: simulated ones first, small ones first, as long as they fit.
  std::vector<char> single_kernels(std::size_t channels) const {
    std::vector<std::size_t> order(circuit_.populations.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      const network::Population &x = circuit_.populations[a], &y = circuit_.populations[b];
      return x.is_virtual != y.is_virtual ? y.is_virtual : x.size < y.size;
    });
    const double of_cell = static_cast<double>(channels) * options_.length_ms / dt_ms_;
    double left = static_cast<double>(options_.most_values);
    std::vector<char> chosen(order.size(), 0);
    for (const std::size_t p : order) {
      const double needed = static_cast<double>(circuit_.populations[p].size) * of_cell;
      if (needed > left) continue;
      chosen[p] = 1;
      left -= needed;
    }
    return chosen;
  }

  /// The part of all kernels that comes from the cells of one population.
  void derive_targets(std::size_t p) {
    const network::Population& population = circuit_.populations[p];
    const network::DetailedCell& type = *circuit_.cell_types[population.cell_type].detailed;
    const CellSample sample =
        sample_cells(circuit_, p, activity_, activity_.duration_ms, options_.sampled_cells, quiet_);
    const QuasiActiveCell cell(type, circuit_.run, sample.mean_V_mV());
    const Channels channels = stable_channels(cell);
    LinearInput input(circuit_, p, cell.tree(), trains_.rates_hz);
    // The mean conductance is that of the synapses as they are; their effect is what saturation leaves.
    std::vector<std::vector<double>> background(population.size);
    double mean_background_uS = 0;
    for (std::size_t c = 0; c < population.size; ++c) {
      background[c] = input.background_uS(c, cell.V_mV());
      for (const double G : background[c]) mean_background_uS += G / static_cast<double>(population.size);
    }
    input.saturate(cell, channels);

    std::vector<float> predicted_mV = linear_potentials(sample, cell, channels, input, trains_);
    SpikeResponse response;
    if (options_.own_spikes) response = fit_spike_response(sample, predicted_mV);
    add_spike_response(sample, response, predicted_mV);
    states_.push_back({p, cell.V_soma_mV(), mean_background_uS, channels, response.spikes, response.known()});

    for (Probe& probe : probes_)
      add_population(probe, p, sample, cell, channels, background, input, response, predicted_mV);
  }

  void add_population(Probe& probe, std::size_t p, const CellSample& sample, const QuasiActiveCell& cell,
                      Channels channels, const std::vector<std::vector<double>>& background, const LinearInput& input,
                      const SpikeResponse& response, const std::vector<float>& predicted_mV) {
    const network::Population& population = circuit_.populations[p];
    const std::vector<char> counts = counting_cells(circuit_, circuit_.field_probes[probe.index], p);
    if (counts.empty()) return;
    const auto& frequencies = probe.spectrum.frequencies();
    std::vector<std::vector<Complex>> admittance(frequencies.size());
    pool_.parallel_for(frequencies.size(), [&](std::size_t begin, std::size_t end) {
      for (std::size_t f = begin; f < end; ++f) admittance[f] = cell.membrane_admittance_at(frequencies[f], channels);
    });
    const network::Morphology& morphology = *circuit_.cell_types[population.cell_type].detailed->morphology;
    const auto weights_of = [&](std::size_t c) {
      const network::Placement placement =
          population.placements.empty() ? network::Placement{} : population.placements[c];
      return field_weights(*models_[probe.index], morphology, cell.tree(), placement);
    };
    for (std::size_t c = 0; c < population.size; ++c) {
      if (!counts[c]) continue;
      const FieldWeights weights = weights_of(c);
      probe.spectrum.add_cell(cell.tree(), admittance, background[c], input, c, cell.V_mV(), weights, pool_);
      add_own_field(probe, p, c, response, weights);
    }
    std::vector<FieldWeights> sampled;
    for (const std::uint32_t c : sample.cells) sampled.push_back(weights_of(c));
    add_field(sample, predicted_mV, sampled, probe.channels, static_cast<double>(population.size), probe.field);
  }

  void add_own_field(Probe& probe, std::size_t p, std::size_t cell, const SpikeResponse& response,
                     const FieldWeights& weights) {
    if (!response.known()) return;
    const std::size_t slot = probe.first_slot[p] + (probe.per_cell[p] ? cell : 0);
    const double share = probe.per_cell[p] ? 1.0 : 1.0 / static_cast<double>(circuit_.populations[p].size);
    std::vector<double>& own = probe.own[slot];
    if (own.empty()) own.assign(samples() * probe.channels, 0.0);
    const std::vector<double> field = spike_field(response, weights, probe.channels, dt_ms_, first_, samples());
    for (std::size_t i = 0; i < own.size(); ++i) own[i] += share * field[i];
  }

  /// The error of the sampled cells against the signal that all cells make together in the same time.
  void judge_kernels(network::CircuitKernels& kernels) const {
    constexpr double kSettle_ms = 300;
    network::Circuit shorter = circuit_;
    shorter.run.duration_ms = activity_.duration_ms;
    const std::vector<measure::Signal> signals = signals_of(shorter, kernels, activity_);
    for (const Probe& probe : probes_) {
      for (std::size_t c = 0; c < probe.channels; ++c) {
        const KernelFit fit = fit_of(probe.field, c, probe.channels);
        const measure::Signal& signal = signals[probe.index];
        const double of_kernels = signal.channels > c ? variance_of(signal, c, kSettle_ms) : 0.0;
        const double error = (fit.gain - 1) * (fit.gain - 1) * of_kernels + fit.private_variance;
        const double total = fit.gain * fit.gain * of_kernels + fit.private_variance;
        kernels.probes[probe.index].unexplained_variance.push_back(total > 0 ? std::min(1.0, error / total) : 0.0);
      }
    }
  }

  network::FieldKernels finish(const Probe& probe) {
    network::FieldKernels out;
    out.probe = circuit_.field_probes[probe.index].name;
    out.channels = probe.channels;
    out.dt_ms = dt_ms_;
    out.first = first_;
    out.samples = samples();
    const std::size_t lead = static_cast<std::size_t>(-first_) * probe.channels, size = out.samples * out.channels;
    for (std::size_t p = 0; p < circuit_.populations.size(); ++p) {
      const bool per_cell = probe.per_cell[p] != 0;
      const std::size_t cells = per_cell ? circuit_.populations[p].size : 1, first_slot = probe.first_slot[p];
      network::SourceKernels source{p, std::vector<float>(cells * size, 0.0f), per_cell};
      pool_.parallel_for(cells, [&](std::size_t begin, std::size_t end) {
        for (std::size_t c = begin; c < end; ++c) {
          float* to = source.values.data() + c * size;
          const std::vector<double> synaptic = probe.spectrum.kernel(first_slot + c);
          for (std::size_t i = 0; i < synaptic.size(); ++i) to[lead + i] = static_cast<float>(synaptic[i]);
          const std::vector<double>& own = probe.own[first_slot + c];
          for (std::size_t i = 0; i < own.size(); ++i) to[i] += static_cast<float>(own[i]);
        }
      });
      out.sources.push_back(std::move(source));
    }
    return out;
  }

  network::Provenance provenance(const Probe& probe, const network::FieldKernels& kernels) const {
    network::Provenance out;
    out.method =
        "linear response of the actual cells and synapses about the state under the network's spikes, and the "
        "cells' own spikes by regression";
    for (const State& state : states_) {
      const std::string& name = circuit_.populations[state.population].name;
      out.operating_point[name + ".V_soma_mV"] = state.V_soma_mV;
      out.operating_point[name + ".G_background_nS"] = 1000 * state.background_uS;
      if (state.channels == Channels::frozen) {
        out.notes.push_back(
            fmt::format("{}: channels count as frozen, because linearised ones are close to unstable at "
                        "the mean potential",
                        name));
      }
      if (!state.own_field) {
        out.notes.push_back(
            fmt::format("{}: {} spikes of the sampled cells are too few for the field of the cells' own "
                        "spikes, which is left out",
                        name, state.spikes));
      }
    }
    for (std::size_t p = 0; p < circuit_.populations.size(); ++p) {
      double rate_hz = 0;
      const std::size_t size = circuit_.populations[p].size;
      for (std::size_t i = 0; i < size; ++i) rate_hz += trains_.rates_hz[labels_.first(p) + i];
      if (size > 0)
        out.operating_point[circuit_.populations[p].name + ".rate_hz"] = rate_hz / static_cast<double>(size);
    }
    double error = 0;
    for (const double share : kernels.unexplained_variance) error += share / static_cast<double>(probe.channels);
    out.fit_error["unexplained_variance"] = error;
    for (std::size_t p = 0; p < circuit_.populations.size(); ++p) {
      if (probe.per_cell[p]) continue;
      out.notes.push_back(fmt::format("{}: one kernel for all {} cells; kernels of single ones would be too many",
                                      circuit_.populations[p].name, circuit_.populations[p].size));
    }
    return out;
  }

  struct State {
    std::size_t population;
    double V_soma_mV, background_uS;
    Channels channels;
    std::size_t spikes;
    bool own_field;
  };

  const network::Circuit& circuit_;
  const measure::Activity& activity_;
  const FieldKernelOptions& options_;
  core::ThreadPool pool_;
  core::Progress& progress_;
  core::NoProgress quiet_;
  SourceLabels labels_;
  SourceTrains trains_;
  ForwardModels models_;
  double dt_ms_ = kGrid_ms;
  std::int64_t first_ = 0;
  std::vector<Probe> probes_;
  std::vector<State> states_;
};

}  // namespace

std::vector<core::Problem> missing_for_field_kernels(const network::Circuit& circuit) {
  std::vector<core::Problem> problems;
  for (const network::Population& population : circuit.populations) {
    if (population.is_virtual || circuit.cell_types[population.cell_type].detailed) continue;
    problems.push_back({"", "populations." + population.name, "",
                        "must have detailed cells for field kernels: a point has no currents in space", ""});
  }
  for (const network::SynapseType& type : circuit.synapse_types) {
    if (!network::is_gap_junction(type)) continue;
    problems.push_back(
        {"", "synapse_types." + type.name, "", "is a gap junction, which field kernels cannot follow", ""});
  }
  return problems;
}

network::CircuitKernels derive_field_kernels(const network::Circuit& circuit, const measure::Activity& activity,
                                             const FieldKernelOptions& options, std::size_t threads,
                                             network::Derivation& derivation, core::Progress& progress) {
  if (circuit.field_probes.empty()) return {};
  if (std::vector<core::Problem> problems = missing_for_field_kernels(circuit); !problems.empty()) {
    throw core::InputError(std::move(problems));
  }
  return KernelDerivation(circuit, activity, options, threads, progress).run(derivation);
}

network::CircuitKernels derive_field_kernels(const network::Circuit& circuit, const FieldKernelOptions& options,
                                             std::size_t threads, network::Derivation& derivation,
                                             core::Progress& progress) {
  if (circuit.field_probes.empty()) return {};
  core::NoProgress quiet;
  const double duration_ms = std::min(options.observed_ms, circuit.run.duration_ms);
  const measure::Activity activity = point_activity(circuit, duration_ms, threads, quiet);
  return derive_field_kernels(circuit, activity, options, threads, derivation, progress);
}

}  // namespace triscale::bridges
