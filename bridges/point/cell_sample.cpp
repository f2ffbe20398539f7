#include "bridges/point/cell_sample.hpp"

#include <algorithm>
#include <cmath>

#include "bridges/point/edges_onto.hpp"
#include "bridges/point/linear_input.hpp"
#include "core/time_grid.hpp"
#include "detailed/simulate.hpp"
#include "measure/activity_recorder.hpp"
#include "network/edges.hpp"
#include "network/spike_source.hpp"
#include "pointneuron/simulate.hpp"

namespace triscale::bridges {

namespace {

constexpr double kMsPerS = 1000;

/// Potentials of the nodes with membrane come from a probe; those of branch nodes follow from Kirchhoff's law.
class SampleRecorder : public core::Recorder {
 public:
  SampleRecorder(CellSample& sample, const detailed::CompartmentTree& tree) : sample_(sample), tree_(tree) {
    for (std::size_t section = 0; section < tree.first_nodes.size(); ++section) {
      for (std::uint32_t k = 0; k < tree.segments_per_section[section]; ++k) {
        segments_.push_back(tree.first_nodes[section] + k);
      }
    }
  }
  void record_spikes(std::size_t population, double t_ms, std::span<const std::uint32_t> cells) override {
    if (population != 0) return;
    for (const std::uint32_t cell : cells) sample_.spikes_ms[cell].push_back(t_ms);
  }
  void record_probe(std::size_t, double, std::span<const double> values) override {
    if (step_ >= sample_.steps) return;
    for (std::size_t cell = 0; cell < sample_.cells.size(); ++cell) {
      float* V = sample_.V_mV.data() + (cell * sample_.steps + step_) * sample_.nodes;
      const double* given = values.data() + cell * segments_.size();
      for (std::size_t k = 0; k < segments_.size(); ++k) V[segments_[k]] = static_cast<float>(given[k]);
      fill_branches(V);
    }
    ++step_;
  }
  void record_rates(double, std::span<const double>) override {}

 private:
  void fill_branches(float* V) {
    sum_.assign(sample_.nodes, 0.0);
    weight_.assign(sample_.nodes, 0.0);
    for (std::size_t i = 1; i < sample_.nodes; ++i) {
      const auto p = static_cast<std::size_t>(tree_.parents[i]);
      sum_[p] += tree_.g_axial_uS[i] * V[i];
      sum_[i] += tree_.g_axial_uS[i] * V[p];
      weight_[p] += tree_.g_axial_uS[i];
      weight_[i] += tree_.g_axial_uS[i];
    }
    for (std::size_t i = 0; i < sample_.nodes; ++i) {
      if (!(tree_.areas_um2[i] > 0) && weight_[i] > 0) V[i] = static_cast<float>(sum_[i] / weight_[i]);
    }
  }

  CellSample& sample_;
  const detailed::CompartmentTree& tree_;
  std::vector<std::size_t> segments_;
  std::vector<double> sum_, weight_;
  std::size_t step_ = 0;
};

/// The chosen cells as population 0, everybody who has a synapse on them as a source of given spikes.
network::Circuit driven_circuit(const network::Circuit& circuit, std::size_t population,
                                const std::vector<std::uint32_t>& cells, const measure::Activity& sources) {
  network::Circuit out;
  out.run = circuit.run;
  out.cell_types = circuit.cell_types;
  out.synapse_types = circuit.synapse_types;
  network::Population chosen;
  chosen.name = circuit.populations[population].name;
  chosen.size = cells.size();
  chosen.cell_type = circuit.populations[population].cell_type;
  out.populations = {chosen};
  for (std::size_t k = 0; k < circuit.projections.size(); ++k) {
    const network::Projection& projection = circuit.projections[k];
    if (projection.target != population || network::is_gap_junction(circuit.synapse_types[projection.synapse_type])) {
      continue;
    }
    network::ExplicitEdges edges = edges_onto(network::edges_of(circuit, k), cells);
    if (edges.targets.empty()) continue;
    const measure::PopulationActivity& fired = sources.populations[projection.source];
    network::Population source;
    source.name = projection.name;
    source.size = circuit.populations[projection.source].size;
    source.is_virtual = true;
    source.cell_type = circuit.populations[projection.source].cell_type;
    source.source = network::SpikeTrains{fired.spike_times_ms, fired.spike_cells};
    network::Projection copy = projection;
    copy.source = out.populations.size();
    copy.target = 0;
    copy.connectivity = std::move(edges);
    out.populations.push_back(std::move(source));
    out.projections.push_back(std::move(copy));
  }
  for (const network::CurrentClamp& clamp : circuit.current_clamps) {
    if (clamp.population != population) continue;
    network::CurrentClamp copy = clamp;
    copy.population = 0;
    copy.cells.clear();
    for (std::uint32_t i = 0; i < cells.size(); ++i) {
      const bool hit =
          clamp.cells.empty() || std::find(clamp.cells.begin(), clamp.cells.end(), cells[i]) != clamp.cells.end();
      if (hit) copy.cells.push_back(i);
    }
    if (!copy.cells.empty()) out.current_clamps.push_back(std::move(copy));
  }
  return out;
}

}  // namespace

std::vector<double> CellSample::mean_V_mV() const {
  // The upstroke, the peak and the fast return; what comes after belongs to the state that input meets.
  constexpr double kBefore_ms = 1, kAfter_ms = 4;
  std::vector<double> sum(nodes, 0.0);
  double count = 0;
  for (std::size_t cell = 0; cell < cells.size(); ++cell) {
    std::size_t next = 0;
    for (std::size_t step = settled; step < steps; ++step) {
      const double t_ms = static_cast<double>(step) * dt_ms;
      while (next < spikes_ms[cell].size() && spikes_ms[cell][next] + kAfter_ms < t_ms) ++next;
      if (next < spikes_ms[cell].size() && spikes_ms[cell][next] - kBefore_ms <= t_ms) continue;
      const float* V = at(cell, step);
      for (std::size_t n = 0; n < nodes; ++n) sum[n] += V[n];
      count += 1;
    }
  }
  for (double& V : sum) V /= std::max(1.0, count);
  return sum;
}

CellSample sample_cells(const network::Circuit& circuit, std::size_t population, const measure::Activity& sources,
                        double duration_ms, std::size_t most_cells, core::Progress& progress) {
  const std::size_t size = circuit.populations[population].size, n = std::min(most_cells, size);
  CellSample sample;
  for (std::size_t i = 0; i < n; ++i) sample.cells.push_back(static_cast<std::uint32_t>(i * size / n));
  network::Circuit driven = driven_circuit(circuit, population, sample.cells, sources);
  driven.run.duration_ms = duration_ms;
  const auto& cell = *driven.cell_types[driven.populations[0].cell_type].detailed;
  const detailed::CompartmentTree tree = detailed::build_compartments(cell, circuit.run.compartments);
  constexpr double kSettle_ms = 500;  // slow channels are still on their way from V_init before
  sample.dt_ms = circuit.run.dt_ms;
  sample.steps = static_cast<std::size_t>(core::TimeGrid{sample.dt_ms, duration_ms}.steps());
  sample.settled = static_cast<std::size_t>(std::min(kSettle_ms, 0.2 * duration_ms) / sample.dt_ms);
  sample.nodes = tree.size();
  sample.V_mV.assign(n * sample.steps * sample.nodes, 0.0f);
  sample.spikes_ms.resize(n);
  network::Probe probe;
  probe.name = "v";
  probe.where = network::Probe::Where::all_compartments;
  driven.probes = {probe};
  SampleRecorder recorder(sample, tree);
  detailed::simulate(driven, 1, recorder, progress);
  return sample;
}

void add_source_spikes(const network::Circuit& circuit, std::size_t population, double duration_ms,
                       measure::PopulationActivity& activity) {
  network::SpikeSourceReader reader(circuit, population, 0, circuit.populations[population].size);
  std::vector<network::SourceSpike> spikes;
  reader.take_until(duration_ms, spikes);
  std::stable_sort(spikes.begin(), spikes.end(), [](const auto& a, const auto& b) { return a.t_ms < b.t_ms; });
  activity.spike_times_ms.clear();
  activity.spike_cells.clear();
  for (const network::SourceSpike& spike : spikes) {
    activity.spike_times_ms.push_back(spike.t_ms);
    activity.spike_cells.push_back(spike.cell);
  }
}

measure::Activity point_activity(const network::Circuit& circuit, double duration_ms, std::size_t threads,
                                 core::Progress& progress) {
  network::Circuit shorter = circuit;
  shorter.run.duration_ms = duration_ms;
  shorter.probes.clear();
  shorter.field_probes.clear();
  measure::Activity empty;
  empty.tier = "point";
  empty.duration_ms = duration_ms;
  for (const network::Population& population : circuit.populations) {
    measure::PopulationActivity entry;
    entry.name = population.name;
    entry.cells = population.size;
    entry.is_virtual = population.is_virtual;
    empty.populations.push_back(std::move(entry));
  }
  measure::ActivityRecorder recorder(std::move(empty));
  pointneuron::simulate(shorter, threads, recorder, progress);
  measure::Activity activity = std::move(recorder.activity());
  for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
    if (circuit.populations[p].is_virtual) add_source_spikes(circuit, p, duration_ms, activity.populations[p]);
  }
  return activity;
}

std::vector<double> rates_of(const network::Circuit& circuit, const measure::Activity& activity) {
  const SourceLabels labels(circuit);
  std::vector<double> rates_hz(labels.count(), 0.0);
  for (std::size_t p = 0; p < activity.populations.size(); ++p) {
    for (const std::uint32_t cell : activity.populations[p].spike_cells) rates_hz[labels.first(p) + cell] += 1;
  }
  for (double& rate : rates_hz) rate *= kMsPerS / activity.duration_ms;
  return rates_hz;
}

}  // namespace triscale::bridges
