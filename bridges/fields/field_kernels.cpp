#include "bridges/fields/field_kernels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "bridges/fields/forward_models.hpp"
#include "bridges/fields/kernel_error.hpp"
#include "bridges/fields/kernel_residual.hpp"
#include "bridges/fields/kernel_spectrum.hpp"
#include "bridges/fields/met_potential.hpp"
#include "bridges/point/cell_sample.hpp"
#include "network/edges.hpp"
#include "network/field_cells.hpp"

namespace triscale::bridges {

namespace {

bool has_membrane(const network::Circuit& circuit, std::size_t population) {
  const network::Population& p = circuit.populations[population];
  return !p.is_virtual && circuit.cell_types[p.cell_type].detailed.has_value();
}

/// Whether the linearised membrane is stable: a cell near its threshold may have a negative slope conductance, which
/// only its spikes keep in bounds. Its channels then count as frozen.
Channels stable_channels(const QuasiActiveCell& cell) {
  constexpr double kLargestRatio = 4;
  const double frozen = cell.impedance(0, Channels::frozen).input_MOhm[cell.tree().soma()].real();
  const double linearised = cell.impedance(0, Channels::linearised).input_MOhm[cell.tree().soma()].real();
  return linearised > 0 && linearised < kLargestRatio * frozen ? Channels::linearised : Channels::frozen;
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
    std::vector<std::size_t> sampled;  // by population that shares one: cells that have a slot of their own behind it
    std::vector<KernelSpectrum::Slot> slots;  // by label
    KernelSpectrum spectrum;
    std::vector<std::vector<double>> own;  // of a slot's own spikes, [sample][channel] from first_ on
    ProbeResidual residual;
  };

  std::size_t samples() const { return probes_.front().spectrum.samples() + static_cast<std::size_t>(-first_); }

  void prepare_probe(std::size_t k) {
    const std::size_t channels = models_[k]->channels();
    const std::vector<char> per_cell = single_kernels(channels);
    std::vector<KernelSpectrum::Slot> slots(labels_.count());
    std::vector<std::size_t> first_slot, sampled;
    std::size_t n_slots = 0;
    for (std::size_t p = 0; p < circuit_.populations.size(); ++p) {
      const std::size_t size = circuit_.populations[p].size;
      const std::size_t alone = per_cell[p] ? size : std::min(size, sampled_kernels(channels));
      first_slot.push_back(n_slots);
      sampled.push_back(per_cell[p] ? 0 : alone);
      if (!per_cell[p]) {
        for (std::size_t i = 0; i < size; ++i) {
          slots[labels_.first(p) + i] = {static_cast<std::uint32_t>(n_slots), 1.0 / static_cast<double>(size)};
        }
        ++n_slots;
      }
      for (std::size_t i = 0; i < alone; ++i) {
        slots[labels_.first(p) + i * size / alone] = {static_cast<std::uint32_t>(n_slots + i), 1.0};
      }
      n_slots += alone;
    }
    probes_.push_back({k, channels, per_cell, first_slot, sampled, slots,
                       KernelSpectrum(channels, slots, n_slots, dt_ms_, options_.length_ms, options_.highest_Hz),
                       std::vector<std::vector<double>>(n_slots), ProbeResidual(channels)});
  }

  /// How many cells of a population that shares one kernel get theirs too, so that its spread is known.
  std::size_t sampled_kernels(std::size_t channels) const {
    constexpr std::size_t kFewest = 8, kMost = 256, kShare = 10;  // kShare: 1 / their part of the memory for kernels
    const double of_cell = static_cast<double>(channels) * options_.length_ms / dt_ms_;
    const auto fit = static_cast<std::size_t>(static_cast<double>(options_.most_values / kShare) / of_cell);
    return std::clamp(fit, kFewest, kMost);
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
    std::vector<std::vector<double>> background(population.size);
    double mean_background_uS = 0;
    for (std::size_t c = 0; c < population.size; ++c) {
      background[c] = input.background_uS(c, cell.V_mV());
      for (const double G : background[c]) mean_background_uS += G / static_cast<double>(population.size);
    }
    input.saturate(cell, channels);
    input.meet(met_potentials(sample, input, trains_, cell.V_mV()));

    std::vector<float> predicted_mV = linear_potentials(sample, cell, channels, input, trains_);
    SpikeResponse response;
    if (options_.own_spikes) response = fit_spike_response(sample, predicted_mV);
    add_spike_response(sample, response, predicted_mV);
    states_.push_back({p, cell.V_soma_mV(), mean_background_uS, channels, response.spikes, response.known()});

    const CellResiduals residuals = residuals_of(sample, predicted_mV);
    for (Probe& probe : probes_) {
      add_population(probe, p, cell, channels, background, input, response, residuals);
      probe.residual.end_population(residuals);
    }
  }

  void add_population(Probe& probe, std::size_t p, const QuasiActiveCell& cell, Channels channels,
                      const std::vector<std::vector<double>>& background, const LinearInput& input,
                      const SpikeResponse& response, const CellResiduals& residuals) {
    const network::Population& population = circuit_.populations[p];
    const std::vector<char> counts = network::counting_cells(circuit_, circuit_.field_probes[probe.index], p);
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
      probe.residual.add_cell(residuals, weights, static_cast<double>(trains_.spikes_ms[labels_.first(p) + c].size()));
    }
  }

  void add_own_field(Probe& probe, std::size_t p, std::size_t cell, const SpikeResponse& response,
                     const FieldWeights& weights) {
    if (!response.known()) return;
    const auto& [slot, share] = probe.slots[labels_.first(p) + cell];
    std::vector<double>& own = probe.own[slot];
    if (own.empty()) own.assign(samples() * probe.channels, 0.0);
    const std::vector<double> field = spike_field(response, weights, probe.channels, dt_ms_, first_, samples());
    for (std::size_t i = 0; i < own.size(); ++i) own[i] += share * field[i];
  }

  void judge_kernels(network::CircuitKernels& kernels) const {
    network::Circuit shorter = circuit_;
    shorter.run.duration_ms = activity_.duration_ms;
    const std::vector<measure::Signal> signals = signals_of(shorter, kernels, activity_);
    for (const Probe& probe : probes_) {
      network::FieldKernels& of_probe = kernels.probes[probe.index];
      const PrivateVariance privately = private_variance(circuit_, of_probe, activity_, CellResiduals::kBin_ms);
      of_probe.unexplained_variance = unexplained_variance(probe.residual, signals[probe.index], privately.shared);
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
          add_kernel(probe, first_slot + c, lead, source.values.data() + c * size);
        }
      });
      if (!per_cell && probe.sampled[p] > 0) finish_shared(probe, p, out, lead, source);
      out.sources.push_back(std::move(source));
    }
    return out;
  }

  void add_kernel(const Probe& probe, std::size_t slot, std::size_t lead, float* to) const {
    const std::vector<double> synaptic = probe.spectrum.kernel(slot);
    for (std::size_t i = 0; i < synaptic.size(); ++i) to[lead + i] += static_cast<float>(synaptic[i]);
    const std::vector<double>& own = probe.own[slot];
    for (std::size_t i = 0; i < own.size(); ++i) to[i] += static_cast<float>(own[i]);
  }

  /// The shared kernel is that of the cells without a slot of their own; the others belong to the mean too, and show
  /// how far kernels spread about it.
  void finish_shared(const Probe& probe, std::size_t p, const network::FieldKernels& kernels, std::size_t lead,
                     network::SourceKernels& source) {
    const std::size_t size = source.values.size(), n = probe.sampled[p];
    const auto cells = static_cast<float>(circuit_.populations[p].size);
    std::vector<float> alone(n * size, 0.0f);
    pool_.parallel_for(n, [&](std::size_t begin, std::size_t end) {
      for (std::size_t c = begin; c < end; ++c) {
        add_kernel(probe, probe.first_slot[p] + 1 + c, lead, alone.data() + c * size);
      }
    });
    for (std::size_t i = 0; i < alone.size(); ++i) source.values[i % size] += alone[i] / cells;
    const double interval_ms = std::max(CellResiduals::kBin_ms, circuit_.field_probes[probe.index].dt_ms);
    source.spread.assign(probe.channels, 0.0);
    for (std::size_t c = 0; c < n; ++c) {
      add_kernel_power(kernels, alone.data() + c * size, source.values.data(), interval_ms, 1 / static_cast<double>(n),
                       source.spread);
    }
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
