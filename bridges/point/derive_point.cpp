#include "bridges/point/derive_point.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "bridges/point/cell_deriver.hpp"
#include "bridges/point/operating_point.hpp"
#include "bridges/point/uncertainty_bands.hpp"
#include "core/parallel.hpp"
#include "core/shared_progress.hpp"

namespace triscale::bridges {

namespace {

bool needs_point(const network::CellType& type) {
  return type.detailed && !type.point;
}
bool needs_point(const network::SynapseType& type) {
  return type.detailed && !type.point;
}

/// Cell type that a synapse type sits on, by its projections; nothing if it is not used.
std::optional<std::size_t> target_type(const network::Circuit& circuit, std::size_t synapse_type) {
  for (const network::Projection& projection : circuit.projections) {
    if (projection.synapse_type == synapse_type) return circuit.populations[projection.target].cell_type;
  }
  return std::nullopt;
}

bool is_used(const network::Circuit& circuit, std::size_t cell_type) {
  return std::any_of(circuit.populations.begin(), circuit.populations.end(),
                     [&](const network::Population& p) { return !p.is_virtual && p.cell_type == cell_type; });
}

/// Synapse types on a cell type that are to be carried to the soma.
std::vector<std::size_t> synapses_to_reduce(const network::Circuit& circuit, std::size_t cell_type) {
  std::vector<std::size_t> out;
  for (std::size_t s = 0; s < circuit.synapse_types.size(); ++s) {
    const network::SynapseType& type = circuit.synapse_types[s];
    if (!needs_point(type) || !network::is_conductance(type)) continue;
    if (target_type(circuit, s) == cell_type) out.push_back(s);
  }
  return out;
}

/// Cell types with something to derive.
std::vector<std::size_t> types_to_derive(const network::Circuit& circuit) {
  std::vector<std::size_t> out;
  for (std::size_t t = 0; t < circuit.cell_types.size(); ++t) {
    if (!circuit.cell_types[t].detailed || !is_used(circuit, t)) continue;
    if (needs_point(circuit.cell_types[t]) || !synapses_to_reduce(circuit, t).empty()) out.push_back(t);
  }
  return out;
}

/// Whether the rates of simulated populations are part of what a derived cell is driven with.
bool has_recurrent_input(const network::Circuit& circuit, const std::vector<std::size_t>& types) {
  return std::any_of(circuit.projections.begin(), circuit.projections.end(), [&](const network::Projection& p) {
    const network::Population &source = circuit.populations[p.source], &target = circuit.populations[p.target];
    return !source.is_virtual && !target.is_virtual &&
           std::find(types.begin(), types.end(), target.cell_type) != types.end();
  });
}

/// Rounds of derivation, each at the rates that the point network of the round before has shown.
class Rounds {
 public:
  Rounds(const network::Circuit& circuit, const std::vector<std::size_t>& types, const PointDerivationOptions& options,
         std::size_t threads, core::PartProgress& progress)
      : circuit_(circuit), types_(types), options_(options), threads_(threads), progress_(progress) {}

  network::Circuit run(network::Derivation& derivation) {
    OperatingPoint state = first_guess(circuit_);
    if (!has_recurrent_input(circuit_, types_)) {
      progress_.stage(kFullShare);
      network::Circuit out = filled_in(derive(state, true), &derivation);
      note_bands(out, derivation);
      return out;
    }
    // A quick round to know the rates, then as many with all data as it takes: nearly always one.
    progress_.stage(kQuickShare);
    network::Circuit out = filled_in(derive(state, false), nullptr);
    for (state.rounds = 1;; ++state.rounds) {
      const std::vector<double> rates = rates_of(out);
      state.change = change_of_rates(circuit_, state.rates_hz, rates);
      if (state.rounds > 1 && (state.repeats() || state.rounds >= options_.max_rounds)) break;
      state.rates_hz = rates;
      progress_.stage(kFullShare);
      out = filled_in(derive(state, true), &derivation);
    }
    for (const std::size_t type : types_) note_state(circuit_.cell_types[type].name, state, derivation);
    note_bands(out, derivation);
    return out;
  }

 private:
  static constexpr double kQuickShare = 0.25, kFullShare = 0.95;

  std::vector<CellDerivation> derive(const OperatingPoint& state, bool all_data) {
    std::vector<CellDerivation> derived(types_.size());
    core::SharedProgress shared(progress_, static_cast<double>(types_.size()));
    core::ThreadPool pool(threads_);
    pool.run([&](std::size_t thread) {
      for (std::size_t i = thread; i < types_.size(); i += pool.size()) {
        core::PartProgress part(shared, 1);
        try {
          derived[i] = derive_cell(circuit_, types_[i], state, options_for(types_[i], all_data), part);
        } catch (const core::NumericalError& error) {
          throw core::NumericalError(
              fmt::format("cell type {}: {}", circuit_.cell_types[types_[i]].name, error.what()));
        }
        part.finish();
      }
    });
    return derived;
  }

  CellDerivationOptions options_for(std::size_t type, bool all_data) const {
    constexpr double kQuick = 0.5;
    CellDerivationOptions out;
    out.seed = options_.seed + type;
    out.level_ms = options_.level_ms * (all_data ? 1 : kQuick);
    out.current_sweep_ms = options_.current_sweep_ms * (all_data ? 1 : kQuick);
    out.repetitions = options_.repetitions;
    out.draws = options_.draws;
    out.describe = all_data;
    out.synapse_types = synapses_to_reduce(circuit_, type);
    return out;
  }

  network::Circuit filled_in(std::vector<CellDerivation> derived, network::Derivation* derivation) {
    network::Circuit out = circuit_;
    draws_.clear();
    for (std::size_t i = 0; i < types_.size(); ++i) {
      network::CellType& type = out.cell_types[types_[i]];
      if (derived[i].model) type.point = network::PointCell{*derived[i].model};
      if (derived[i].model) draws_[types_[i]] = std::move(derived[i].draws);
      if (derived[i].model && derivation) derivation->point_cells[type.name] = std::move(derived[i].cell_provenance);
      for (CellDerivation::Synapse& one : derived[i].synapses) {
        network::SynapseType& synapse = out.synapse_types[one.type];
        synapse.point = std::move(one.point);
        if (derivation) derivation->point_synapses[synapse.name] = std::move(one.provenance);
      }
    }
    // An instantaneous synapse means the same on both tiers.
    for (network::SynapseType& type : out.synapse_types) {
      if (type.point || !type.detailed) continue;
      if (const auto* instantaneous = std::get_if<network::InstantaneousSynapse>(&*type.detailed)) {
        type.point = *instantaneous;
      }
    }
    return out;
  }

  std::vector<double> rates_of(const network::Circuit& reduced) const {
    constexpr double kDuration_ms = 3000, kSettle_ms = 300;
    core::NoProgress silent;
    progress_.advance(0, 1);  // a chance to interrupt
    return point_rates(reduced, kDuration_ms, kSettle_ms, threads_, silent);
  }

  static void note_state(const std::string& type, const OperatingPoint& state, network::Derivation& derivation) {
    const auto entry = derivation.point_cells.find(type);
    if (entry == derivation.point_cells.end()) return;
    entry->second.operating_point["rounds"] = static_cast<double>(state.rounds);
    entry->second.operating_point["change_of_rates_over_tolerance"] = state.change;
    if (state.repeats()) return;
    entry->second.notes.push_back(fmt::format(
        "the operating point did not settle: rates of the point network still move by {:.2g} times what is tolerated",
        state.change));
  }

  /// What the uncertainty of the parameters means for the rates of the network.
  void note_bands(const network::Circuit& reduced, network::Derivation& derivation) {
    progress_.stage(1);
    for (const RateBand& band : point_rate_bands(reduced, draws_, {}, threads_, progress_)) {
      const network::Population& population = reduced.populations[band.population];
      const auto entry = derivation.point_cells.find(reduced.cell_types[population.cell_type].name);
      if (entry == derivation.point_cells.end()) continue;
      entry->second.uncertainty["network_rate_" + population.name + "_hz"] = band.sd_hz;
      entry->second.notes.push_back(
          fmt::format("{} fires at {:.3g} to {:.3g} Hz in the point network with {} parameter sets that describe the "
                      "training data as well",
                      population.name, band.low_hz, band.high_hz, band.sets));
    }
  }

  const network::Circuit& circuit_;
  const std::vector<std::size_t>& types_;
  PointDraws draws_;
  const PointDerivationOptions& options_;
  std::size_t threads_;
  core::PartProgress& progress_;
};

}  // namespace

std::vector<core::Problem> missing_for_point(const network::Circuit& circuit) {
  std::vector<core::Problem> problems;
  for (std::size_t t = 0; t < circuit.cell_types.size(); ++t) {
    const network::CellType& type = circuit.cell_types[t];
    if (type.point || type.detailed || !is_used(circuit, t)) continue;
    problems.push_back({"", fmt::format("cell_types.{}", type.name), "", "must have a detailed or a point description",
                        "give one of them"});
  }
  for (std::size_t s = 0; s < circuit.synapse_types.size(); ++s) {
    const network::SynapseType& type = circuit.synapse_types[s];
    const std::optional<std::size_t> target = target_type(circuit, s);
    if (type.point || !target) continue;
    const bool conductance = network::is_conductance(type);
    if (type.detailed && (!conductance || circuit.cell_types[*target].detailed)) continue;
    if (type.detailed && !conductance && circuit.cell_types[*target].detailed) {
      problems.push_back({"", fmt::format("synapse_types.{}", type.name), "",
                          "cannot be carried to a point neuron: only conductances can",
                          network::is_gap_junction(type) ? "gap junctions need the detailed tier"
                                                         : "give its point description yourself"});
      continue;
    }
    problems.push_back({"", fmt::format("synapse_types.{}", type.name), "",
                        "must have a point description, or a detailed one on a cell type with a detailed description",
                        "give one of them"});
  }
  return problems;
}

network::Circuit derive_point(const network::Circuit& circuit, const PointDerivationOptions& options,
                              std::size_t threads, network::Derivation& derivation, core::Progress& progress) {
  if (std::vector<core::Problem> problems = missing_for_point(circuit); !problems.empty()) {
    throw core::InputError(std::move(problems));
  }
  const std::vector<std::size_t> types = types_to_derive(circuit);
  core::SharedProgress shared(progress, 1);
  core::PartProgress part(shared, 1);
  Rounds rounds(circuit, types, options, threads, part);
  return rounds.run(derivation);
}

}  // namespace triscale::bridges
