#include "meanfield/known_input.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <variant>

#include "network/edges.hpp"

namespace triscale::meanfield {

namespace {

/// Over which the mean of the rate is held: long against the membrane, short against a run.
constexpr double kMemory_ms = 2000;

/// Drawn sources that reach fewer cells than that, on average, are private.
constexpr double kSharedTargets = 1.5;

bool has_spikes(const network::Population& population) {
  if (const auto* trains = std::get_if<network::PoissonTrains>(&population.source)) {
    return std::any_of(trains->rates_hz.begin(), trains->rates_hz.end(), [](double rate_hz) { return rate_hz > 0; });
  }
  return std::holds_alternative<network::SpikeTrains>(population.source);
}

}  // namespace

KnownInput::KnownInput(const Model& model, double step_ms)
    : model_(model), step_ms_(step_ms), targets_(model.populations().size()) {
  const network::Circuit& circuit = model.circuit();
  for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
    const network::Population& population = circuit.populations[p];
    if (population.is_virtual && has_spikes(population)) sources_.push_back(p);
  }
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    targets_[i].deviations.resize(model.populations()[i].classes.size());
  }
  for (std::size_t index = 0; index < circuit.projections.size(); ++index) {
    const network::Projection& projection = circuit.projections[index];
    const bool known = std::find(sources_.begin(), sources_.end(), projection.source) != sources_.end();
    if (!known || circuit.populations[projection.target].is_virtual) continue;
    const std::size_t i = model.index_of(projection.target);
    add_projection(model, index, targets_[i], i);
  }
}

void KnownInput::add_projection(const Model& model, std::size_t index, Target& target, std::size_t population) {
  const network::Circuit& circuit = model.circuit();
  const network::Projection& projection = circuit.projections[index];
  const PopulationModel& of = model.populations()[population];
  const network::SynapseType& type = circuit.synapse_types[projection.synapse_type];
  const double gain = type.meanfield ? type.meanfield->gain : 1.0;
  const network::PointEdgeList edges = network::point_edges_of(circuit, index, network::edges_of(circuit, index));
  const auto& receptors = std::get<network::PointSynapse>(*type.point).receptors;
  const bool drawn = std::holds_alternative<network::PoissonTrains>(circuit.populations[projection.source].source);
  if (drawn && static_cast<double>(edges.sources.size()) <
                   kSharedTargets * static_cast<double>(circuit.populations[projection.source].size)) {
    return;
  }
  const std::size_t sources = circuit.populations[projection.source].size, classes = of.classes.size();
  std::vector<double> cells(classes, 0.0);
  for (const std::size_t k : of.class_of_cell) cells[k] += 1;
  const std::vector<double> relative =
      relative_cell_rates(circuit.populations[projection.source], circuit.run.duration_ms);
  // Synapses by source, in the order of the list within a source.
  std::vector<std::size_t> first(sources + 1, 0), order(edges.sources.size());
  for (const std::uint32_t source : edges.sources) ++first[source + 1];
  for (std::size_t j = 0; j < sources; ++j) first[j + 1] += first[j];
  std::vector<std::size_t> next_of = first;
  for (std::size_t e = 0; e < order.size(); ++e) order[next_of[edges.sources[e]]++] = e;
  std::size_t next = 0;  // channels of a projection stand in the order of its receptors that are in use
  for (std::size_t r = 0; r < receptors.size(); ++r) {
    if (std::find(edges.receptors.begin(), edges.receptors.end(), r) == edges.receptors.end()) continue;
    while (of.channels[next].projection != index) ++next;
    Drive drive{next++,
                projection.source,
                {0},
                {},
                std::vector<double>(classes, 0.0),
                std::vector<double>(classes, 0.0),
                std::vector<double>(classes, 0.0),
                network::SpikeSourceReader(circuit, projection.source, 0, sources)};
    std::vector<double> all_uS(classes, 0.0);  // of the current source, through any receptor
    for (std::size_t j = 0; j < sources; ++j) {
      for (std::size_t a = first[j]; a < first[j + 1]; ++a) {
        const std::size_t k = of.class_of_cell[edges.targets[order[a]]];
        all_uS[k] += gain * edges.weights[order[a]] / cells[k];
      }
      for (std::size_t a = first[j]; a < first[j + 1]; ++a) {
        if (edges.receptors[order[a]] != r) continue;
        const std::size_t k = of.class_of_cell[edges.targets[order[a]]];
        const double weight_uS = gain * edges.weights[order[a]] / cells[k];
        drive.synapses.push_back({static_cast<std::uint32_t>(k), weight_uS});
        drive.weight2_uS2[k] += relative[j] * weight_uS * all_uS[k];
      }
      for (std::size_t a = first[j]; a < first[j + 1]; ++a) all_uS[of.class_of_cell[edges.targets[order[a]]]] = 0;
      drive.first.push_back(drive.synapses.size());
    }
    target.drives.push_back(std::move(drive));
  }
}

void KnownInput::filter(const PopulationModel& population, Drive& drive, const std::vector<double>& mass_uS) {
  const Receptor& receptor = population.receptors[population.channels[drive.channel].receptor];
  for (std::size_t k = 0; k < mass_uS.size(); ++k) {
    const double x = low_pass(drive.x[k], mass_uS[k] / step_ms_, receptor.tau_rise_ms, step_ms_);
    low_pass(drive.y[k], x, receptor.tau_decay_ms, step_ms_);
  }
}

void KnownInput::advance(const PopulationModel& population, Target& target, double t_ms, const PopulationInput& input) {
  const std::size_t classes = population.classes.size();
  for (Drive& drive : target.drives) {
    const double until_ms = t_ms - population.channels[drive.channel].delay_ms + step_ms_;
    std::vector<double> mass_uS(classes, 0.0);
    if (until_ms > 0) {
      drive.spikes.clear();
      drive.reader.take_until(until_ms, drive.spikes);
      for (const network::SourceSpike& spike : drive.spikes) {
        for (std::size_t a = drive.first[spike.cell]; a < drive.first[spike.cell + 1]; ++a) {
          mass_uS[drive.synapses[a].target] += drive.synapses[a].weight_uS;
        }
      }
      const double expected = input.source_hz[drive.channel] / 1000 * step_ms_;
      for (std::size_t k = 0; k < classes; ++k) {
        mass_uS[k] -= expected * population.classes[k].weight_uS[drive.channel];
      }
    }
    filter(population, drive, mass_uS);
  }
}

void KnownInput::deviate(const PopulationModel& population, Target& target, const MembraneCourse& course) {
  const std::array<double, 10>& P_mV = population.transfer.P_mV;
  for (std::size_t k = 0; k < population.classes.size(); ++k) {
    const MembraneStatistics<double>& all = course.statistics()[k];
    const double G_uS = course.conductances_uS()[k], tau_m_ms = population.transfer.C_m_nF / G_uS;
    double drive_mV = 0, variance_mV2 = 0;
    for (const Drive& drive : target.drives) {
      const Receptor& receptor = population.receptors[population.channels[drive.channel].receptor];
      const double q = receptor.area_ms * (receptor.E_rev_mV - all.mu_mV) / G_uS;
      drive_mV += q * drive.y[k];
      variance_mV2 += drive.weight2_uS2[k] * course.variance_hz()[drive.channel] / 1000 * q * q *
                      squared_cascade_integral(receptor.tau_rise_ms, receptor.tau_decay_ms, tau_m_ms);
    }
    Deviation& deviation = target.deviations[k];
    low_pass(deviation.delta_mV, drive_mV, tau_m_ms, step_ms_);
    const double slope = course.slopes_mV_per_ms()[k];
    const double known_slope = slope + (drive_mV - deviation.delta_mV) / tau_m_ms;
    deviation.variance_mV2 = std::min(variance_mV2, all.sigma_mV * all.sigma_mV);
    MembraneStatistics<double> rest = all;
    rest.mu_mV += deviation.delta_mV;
    rest.sigma_mV = std::sqrt(all.sigma_mV * all.sigma_mV - deviation.variance_mV2);
    const double V_eff_mV = effective_threshold(P_mV, threshold_basis(population.transfer, all));
    const double unknown_hz = moving_rate_hz(V_eff_mV, all, population.transfer.t_ref_ms, slope);
    const double known_hz = moving_rate_hz(V_eff_mV, rest, population.transfer.t_ref_ms, known_slope);
    if (!deviation.started) deviation.mean_known_hz = deviation.mean_unknown_hz = unknown_hz;
    deviation.started = true;
    low_pass(deviation.mean_known_hz, known_hz, kMemory_ms, step_ms_);
    low_pass(deviation.mean_unknown_hz, unknown_hz, kMemory_ms, step_ms_);
    const bool fires = deviation.mean_known_hz > 0;
    deviation.extra_hz = fires ? known_hz * deviation.mean_unknown_hz / deviation.mean_known_hz - unknown_hz : 0.0;
  }
}

void KnownInput::advance(double t_ms, const std::vector<PopulationInput>& inputs,
                         const std::vector<MembraneCourse>& courses) {
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    if (targets_[i].drives.empty()) continue;
    const PopulationModel& population = model_.populations()[i];
    advance(population, targets_[i], t_ms, inputs[i]);
    deviate(population, targets_[i], courses[i]);
  }
}

}  // namespace triscale::meanfield
