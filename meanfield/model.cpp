#include "meanfield/model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "meanfield/lif_circuit.hpp"
#include "meanfield/mesoscopic_circuit.hpp"
#include "meanfield/ready_cells.hpp"
#include "network/edges.hpp"

namespace triscale::meanfield {

namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

/// Per-cell sums of one channel while edges are read.
struct ChannelSums {
  std::size_t receptor = 0;
  std::vector<double> weight, weight2;
  double synapses = 0, connections = 0, plain = 0, plain2 = 0, delay = 0;
};

std::size_t find_or_add_receptor(std::vector<Receptor>& receptors, const network::BiexponentialSynapse& synapse) {
  for (std::size_t k = 0; k < receptors.size(); ++k) {
    if (receptors[k].tau_rise_ms == synapse.tau_rise_ms && receptors[k].tau_decay_ms == synapse.tau_decay_ms &&
        receptors[k].E_rev_mV == synapse.E_rev_mV) {
      return k;
    }
  }
  receptors.emplace_back(synapse);
  return receptors.size() - 1;
}

void check_population(const network::Circuit& circuit, const network::Population& population,
                      std::vector<core::Problem>& problems) {
  const network::CellType& type = circuit.cell_types.at(population.cell_type);
  if (type.meanfield) return;
  const bool normalised = type.point && std::holds_alternative<network::IntFire1Model>(type.point->model);
  problems.push_back({"", fmt::format("cell_types.{}", type.name), "",
                      fmt::format("has no mean-field description, which population {} needs", population.name),
                      normalised ? "normalised integrate-and-fire cells have no transfer function; run them on the "
                                   "detailed or point tier"
                                 : "derive it from the point description, or give one"});
}

void check_projection(const network::Circuit& circuit, const network::Projection& projection,
                      std::vector<core::Problem>& problems) {
  const network::SynapseType& type = circuit.synapse_types.at(projection.synapse_type);
  if (type.point && std::holds_alternative<network::PointSynapse>(*type.point) &&
      !std::get<network::PointSynapse>(*type.point).receptors.empty()) {
    return;
  }
  problems.push_back(
      {"", fmt::format("synapse_types.{}", type.name), "",
       fmt::format("must be a conductance synapse with a point description for projection {}", projection.name),
       type.point ? "synapses of several receptors, instantaneous ones and currents of these cells have no mean-field "
                    "description"
                  : "derive the point description first, or give one"});
}

}  // namespace

std::vector<core::Problem> missing(const network::Circuit& circuit) {
  if (is_lif_circuit(circuit)) return missing_for_lif(circuit);
  if (is_mesoscopic_circuit(circuit)) return missing_for_mesoscopic(circuit);
  std::vector<core::Problem> problems;
  for (const network::Population& population : circuit.populations) {
    if (!population.is_virtual) check_population(circuit, population, problems);
  }
  for (const network::Projection& projection : circuit.projections) {
    if (!circuit.populations.at(projection.target).is_virtual) check_projection(circuit, projection, problems);
  }
  for (const network::SynapseType& type : circuit.synapse_types) {
    if (!type.release && !type.plasticity) continue;
    problems.push_back({"", fmt::format("synapse_types.{}.{}", type.name, type.release ? "release" : "plasticity"), "",
                        "is not supported by the mean-field tier", "run a spiking tier, or leave it out"});
  }
  return problems;
}

std::vector<core::Problem> left_out(const network::Circuit& circuit) {
  std::vector<core::Problem> problems;
  for (const network::Probe& probe : circuit.probes) {
    problems.push_back({"", fmt::format("probes.{}", probe.name), probe.variable,
                        "is not recorded by the mean-field tier, which has population rates only",
                        "run the detailed or the point tier for it"});
  }
  for (const network::Population& population : circuit.populations) {
    const auto* trains = std::get_if<network::PoissonTrains>(&population.source);
    if (trains == nullptr || trains->correlation == 0) continue;
    problems.push_back({"", fmt::format("populations.{}.correlation", population.name), "",
                        "is left out by the mean-field tier: it takes the trains as independent", ""});
  }
  return problems;
}

core::Problem hull_warning(const std::string& population, double share, double t_ms) {
  return {"", fmt::format("populations.{}", population), fmt::format("{:.0f} % of the cells", 100 * share),
          fmt::format("work outside the range that the transfer function was fitted on (t = {:.6g} ms)", t_ms),
          "its rate is an extrapolation; fit again over a wider range of input"};
}

// ------------------------------------------------------------------------------------------------- one population
// -----

SpikeDrive<double> drive_of(const PopulationModel& model, const CellClass& cells, std::size_t channel, double mean_hz,
                            double variance_hz, double regular_hz) {
  const double dead_time_ms = model.channels[channel].dead_time.at(regular_hz);
  const double weight2_hz = cells.weight2_uS2[channel] * variance_hz / 1000.0;
  const double variance = relative_variance(regular_hz, dead_time_ms, model.time_constant_ms);
  return {cells.weight_uS[channel] * mean_hz / 1000.0, weight2_hz * variance,
          weight2_hz * (variance - relative_power_at_0(regular_hz, dead_time_ms))};
}

std::vector<SpikeDrive<double>> drives_of(const PopulationModel& model, const CellClass& cells,
                                          const std::vector<double>& mean_hz, const std::vector<double>& variance_hz,
                                          const std::vector<double>& regular_hz) {
  std::vector<SpikeDrive<double>> drives(model.receptors.size());
  for (std::size_t c = 0; c < model.channels.size(); ++c) {
    const SpikeDrive<double> of_channel = drive_of(model, cells, c, mean_hz[c], variance_hz[c], regular_hz[c]);
    SpikeDrive<double>& drive = drives[model.channels[c].receptor];
    drive.rate_weight_uS_per_ms += of_channel.rate_weight_uS_per_ms;
    drive.rate_weight2_uS2_per_ms += of_channel.rate_weight2_uS2_per_ms;
    drive.lacking_at_0_uS2_per_ms += of_channel.lacking_at_0_uS2_per_ms;
  }
  return drives;
}

double current_of(const CellClass& cells, const PopulationInput& input) {
  double current_nA = input.current_nA;
  for (std::size_t k = 0; k < cells.clamp_share.size(); ++k) current_nA += cells.clamp_share[k] * input.clamp_nA[k];
  return current_nA;
}

std::vector<CurrentFluctuation> fluctuations_of(const CellClass& cells, const PopulationInput& input) {
  std::vector<CurrentFluctuation> fluctuations;
  for (std::size_t k = 0; k < cells.clamp_share.size(); ++k) {
    if (!(cells.clamp_share[k] > 0 && input.noise_sd_nA[k] > 0)) continue;
    fluctuations.push_back({input.noise_sd_nA[k] * std::sqrt(cells.clamp_share[k]), input.noise_tau_ms[k]});
  }
  return fluctuations;
}

StatisticsAtRate::StatisticsAtRate(const PopulationModel& model, const CellClass& cells, const PopulationInput& input)
    : model_(&model),
      current_nA_(current_of(cells, input)),
      adaptation_nA_per_hz_(adaptation_nA_per_hz(model.transfer)),
      drives_(drives_of(model, cells, input.source_hz, input.source_hz, input.source_hz)),
      fluctuations_(fluctuations_of(cells, input)) {}

MembraneStatistics<double> StatisticsAtRate::operator()(double rate_hz) const {
  return membrane_statistics<double>(membrane_of(model_->transfer), model_->receptors, drives_,
                                     current_nA_ - adaptation_nA_per_hz_ * rate_hz, fluctuations_);
}

MembraneStatistics<double> statistics_of(const PopulationModel& model, const CellClass& cells,
                                         const PopulationInput& input) {
  const StatisticsAtRate at(model, cells, input);
  return at(adaptation_nA_per_hz(model.transfer) != 0 ? adapted_rate_hz(model.transfer, at) : 0.0);
}

std::vector<MembraneStatistics<double>> statistics_of(const PopulationModel& model, const PopulationInput& input) {
  std::vector<MembraneStatistics<double>> statistics;
  for (const CellClass& cells : model.classes) statistics.push_back(statistics_of(model, cells, input));
  return statistics;
}

double population_rate_hz(const PopulationModel& model, const std::vector<MembraneStatistics<double>>& statistics) {
  double rate_hz = 0;
  for (std::size_t i = 0; i < statistics.size(); ++i) {
    rate_hz += model.classes[i].share * transfer_rate(model.transfer, statistics[i]);
  }
  return rate_hz;
}

double population_rate_hz(const PopulationModel& model, const PopulationInput& input) {
  return population_rate_hz(model, statistics_of(model, input));
}

double share_outside_hull(const PopulationModel& model, const std::vector<MembraneStatistics<double>>& statistics) {
  constexpr double kSilent_Hz = 0.01;
  double share = 0;
  for (std::size_t i = 0; i < statistics.size(); ++i) {
    if (inside_hull(model.transfer, statistics[i])) continue;
    const bool harmless = statistics[i].mu_mV < model.transfer.fitted_mu_mV[0] &&
                          transfer_rate(model.transfer, statistics[i]) < kSilent_Hz;
    if (!harmless) share += model.classes[i].share;
  }
  return share;
}

// ------------------------------------------------------------------------------------------------- whole circuit
// ------

Model::Model(const network::Circuit& circuit, const ModelOptions& options) : circuit_(&circuit) {
  const std::vector<core::Problem> problems = missing(circuit);
  if (!problems.empty()) throw core::InputError(problems);
  edge_hash_ = network::kEdgeHashStart;
  index_of_.assign(circuit.populations.size(), kNone);
  for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
    const network::Population& population = circuit.populations[p];
    external_.push_back(population.is_virtual ? rate_of_source(population, circuit.run.duration_ms, options.bin_ms)
                                              : PiecewiseRate{});
    relative_rates_.push_back(relative_cell_rates(population, circuit.run.duration_ms));
    if (population.is_virtual) continue;
    index_of_[p] = populations_.size();
    const network::MeanfieldCell& cell = *circuit.cell_types[population.cell_type].meanfield;
    PopulationModel& model = populations_.emplace_back();
    model.population = p;
    model.transfer = cell.transfer;
    model.time_constant_ms = cell.time_constant_ms;
    model.classes.assign(population.size, CellClass{1.0 / static_cast<double>(population.size), {}, {}, {}});
    model.class_of_cell.resize(population.size);
    std::iota(model.class_of_cell.begin(), model.class_of_cell.end(), std::size_t{0});
    cells_ += population.size;
  }
  for (std::size_t p = 0; p < circuit.projections.size(); ++p) add_projection(p);
  for (PopulationModel& model : populations_) {
    add_clamps(model);
    merge_classes(model, options.max_classes);
    model.ready = ready_dead_time(*this, model);
  }
}

void Model::add_projection(std::size_t index) {
  const network::Projection& projection = circuit_->projections[index];
  const network::EdgeList edges = network::edges_of(*circuit_, index);
  edge_hash_ = network::hash_edges(edge_hash_, index, edges);
  synapses_ += edges.size();
  if (index_of_[projection.target] == kNone) return;
  PopulationModel& model = populations_[index_of_[projection.target]];
  const network::SynapseType& type = circuit_->synapse_types[projection.synapse_type];
  const double gain = type.meanfield ? type.meanfield->gain : 1.0;
  const auto& receptors = std::get<network::PointSynapse>(*type.point).receptors;
  const network::PointEdgeList list = network::point_edges_of(*circuit_, index, edges);
  const std::size_t cells = model.classes.size();

  std::vector<ChannelSums> sums(receptors.size());
  for (ChannelSums& sum : sums) {
    sum.weight.assign(cells, 0.0);
    sum.weight2.assign(cells, 0.0);
  }
  const std::vector<double>& relative = relative_rates_[projection.source];
  std::vector<double> pair_weight(relative.size(), 0.0);     // of the current target, by source
  std::vector<char> seen(relative.size() * sums.size(), 0);  // likewise, by source and receptor
  for (std::size_t begin = 0, end = 0; begin < list.targets.size(); begin = end) {
    while (end < list.targets.size() && list.targets[end] == list.targets[begin]) ++end;
    for (std::size_t e = begin; e < end; ++e) pair_weight[list.sources[e]] += gain * list.weights[e];
    for (std::size_t e = begin; e < end; ++e) {
      ChannelSums& sum = sums[list.receptors[e]];
      const std::size_t source = list.sources[e];
      const double w_uS = gain * list.weights[e];
      sum.weight[list.targets[e]] += relative[source] * w_uS;
      sum.weight2[list.targets[e]] += relative[source] * w_uS * pair_weight[source];
      sum.synapses += 1;
      sum.connections += seen[source * sums.size() + list.receptors[e]] == 0 ? 1 : 0;
      seen[source * sums.size() + list.receptors[e]] = 1;
      sum.plain += w_uS;
      sum.plain2 += w_uS * pair_weight[source];
      sum.delay += w_uS * list.delays_ms[e];
    }
    for (std::size_t e = begin; e < end; ++e) {
      pair_weight[list.sources[e]] = 0;
      seen[list.sources[e] * sums.size() + list.receptors[e]] = 0;
    }
  }
  for (std::size_t r = 0; r < sums.size(); ++r) {
    const ChannelSums& sum = sums[r];
    if (!(sum.synapses > 0)) continue;
    Channel channel;
    channel.projection = index;
    channel.source = projection.source;
    if (index_of_[projection.source] != kNone) {
      channel.dead_time = DeadTime(populations_[index_of_[projection.source]].transfer);
    }
    channel.receptor = find_or_add_receptor(model.receptors, receptors[r]);
    channel.delay_ms = sum.plain > 0 ? sum.delay / sum.plain : 0;
    channel.in_degree = sum.synapses / static_cast<double>(cells);
    channel.connections = sum.connections / static_cast<double>(cells);
    channel.mean_weight_uS = sum.plain / sum.connections;
    channel.mean_weight2_uS2 = sum.plain2 / sum.connections;
    model.channels.push_back(channel);
    for (std::size_t i = 0; i < cells; ++i) {
      model.classes[i].weight_uS.push_back(sum.weight[i]);
      model.classes[i].weight2_uS2.push_back(sum.weight2[i]);
    }
  }
}

void Model::add_clamps(PopulationModel& model) const {
  for (std::size_t k = 0; k < circuit_->current_clamps.size(); ++k) {
    const network::CurrentClamp& clamp = circuit_->current_clamps[k];
    if (clamp.population != model.population) continue;
    model.clamps.push_back(k);
    for (CellClass& cell : model.classes) cell.clamp_share.push_back(clamp.cells.empty() ? 1.0 : 0.0);
    for (const std::uint32_t cell : clamp.cells) model.classes[cell].clamp_share.back() = 1.0;
  }
}

/// Sorts the cells into strips of similar inhibition and within each by excitation, both at nominal rates, and replaces
/// runs of neighbours by their average, so that every sum over the population stays what it was. One order by the whole
/// drive would depend on how the unknown rates weigh excitation against inhibition.
void Model::merge_classes(PopulationModel& model, std::size_t max_classes) const {
  constexpr double kNominalRate_Hz = 5.0;
  const std::size_t cells = model.classes.size();
  if (cells <= max_classes || max_classes == 0) return;
  std::vector<double> excitation(cells, 0.0), inhibition(cells, 0.0);
  for (std::size_t c = 0; c < model.channels.size(); ++c) {
    const Channel& channel = model.channels[c];
    const Receptor& receptor = model.receptors[channel.receptor];
    const double rate_hz = circuit_->populations[channel.source].is_virtual
                               ? external_[channel.source].mean(0, circuit_->run.duration_ms)
                               : kNominalRate_Hz;
    auto& drive = receptor.E_rev_mV > network::kExcitatoryAbove_mV ? excitation : inhibition;
    for (std::size_t i = 0; i < cells; ++i) drive[i] += rate_hz * receptor.area_ms * model.classes[i].weight_uS[c];
  }
  const auto varies = [](const std::vector<double>& of) {
    return *std::max_element(of.begin(), of.end()) > *std::min_element(of.begin(), of.end());
  };
  std::size_t strips = varies(inhibition) ? max_classes : 1;
  if (strips > 1 && varies(excitation)) {
    strips = static_cast<std::size_t>(std::sqrt(static_cast<double>(max_classes)));
  }
  std::vector<std::size_t> order(cells), strip_of(cells);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return inhibition[a] > inhibition[b]; });
  for (std::size_t k = 0; k < cells; ++k) strip_of[order[k]] = k * strips / cells;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return strip_of[a] != strip_of[b] ? strip_of[a] < strip_of[b] : excitation[a] < excitation[b];
  });

  std::vector<CellClass> merged;
  for (std::size_t m = 0; m < max_classes; ++m) {
    const std::size_t begin = cells * m / max_classes, end = cells * (m + 1) / max_classes;
    CellClass mean{0, std::vector<double>(model.channels.size(), 0.0), std::vector<double>(model.channels.size(), 0.0),
                   std::vector<double>(model.clamps.size(), 0.0)};
    const double part = 1.0 / static_cast<double>(end - begin);
    for (std::size_t k = begin; k < end; ++k) {
      const CellClass& cell = model.classes[order[k]];
      model.class_of_cell[order[k]] = m;
      mean.share += cell.share;
      for (std::size_t c = 0; c < mean.weight_uS.size(); ++c) {
        mean.weight_uS[c] += part * cell.weight_uS[c];
        mean.weight2_uS2[c] += part * cell.weight2_uS2[c];
      }
      for (std::size_t c = 0; c < mean.clamp_share.size(); ++c) mean.clamp_share[c] += part * cell.clamp_share[c];
    }
    merged.push_back(std::move(mean));
  }
  model.classes = std::move(merged);
}

std::vector<double> Model::mean_external_hz(double begin_ms, double end_ms) const {
  std::vector<double> rates_hz(circuit_->populations.size(), 0.0);
  for (std::size_t p = 0; p < rates_hz.size(); ++p) {
    if (circuit_->populations[p].is_virtual) rates_hz[p] = external_[p].mean(begin_ms, end_ms);
  }
  return rates_hz;
}

void Model::set_currents(const PopulationModel& model, double begin_ms, double end_ms, PopulationInput& input) const {
  input.clamp_nA.assign(model.clamps.size(), 0.0);
  input.noise_sd_nA.assign(model.clamps.size(), 0.0);
  input.noise_tau_ms.assign(model.clamps.size(), 1.0);
  for (std::size_t k = 0; k < model.clamps.size(); ++k) {
    const network::CurrentClamp& clamp = circuit_->current_clamps[model.clamps[k]];
    input.clamp_nA[k] = mean_current_nA(clamp, begin_ms, end_ms);
    const auto* noise = std::get_if<network::NoiseCurrent>(&clamp.waveform);
    const double middle_ms = (begin_ms + end_ms) / 2;
    if (noise != nullptr && middle_ms >= noise->begin_ms && middle_ms < noise->end_ms) {
      input.noise_sd_nA[k] = noise->sd_nA;
      input.noise_tau_ms[k] = noise->tau_ms;
    }
  }
}

std::vector<double> Model::transfer_hz(const std::vector<double>& rates_hz,
                                       std::vector<PopulationInput>& inputs) const {
  std::vector<double> result;
  for (std::size_t i = 0; i < populations_.size(); ++i) {
    const PopulationModel& model = populations_[i];
    inputs[i].source_hz.clear();
    for (const Channel& channel : model.channels) inputs[i].source_hz.push_back(rates_hz[channel.source]);
    result.push_back(population_rate_hz(model, inputs[i]));
  }
  return result;
}

}  // namespace triscale::meanfield
