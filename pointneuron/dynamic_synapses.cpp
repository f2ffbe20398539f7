#include "pointneuron/dynamic_synapses.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace triscale::pointneuron {

bool is_dynamic(const network::Circuit& circuit, const network::Projection& projection) {
  const network::SynapseType& type = circuit.synapse_types[projection.synapse_type];
  return type.release.has_value() || type.plasticity.has_value();
}

std::vector<std::uint64_t> first_edges(const network::Circuit& circuit, const network::EdgeMaker& edges,
                                       std::size_t projection) {
  std::vector<std::uint64_t> first{0};
  std::vector<std::uint32_t> sources;
  const std::size_t targets = circuit.populations[circuit.projections[projection].target].size;
  for (std::size_t target = 0; target < targets; ++target) {
    edges.sources_of(target, sources);
    first.push_back(first.back() + sources.size());
  }
  return first;
}

DynamicSynapses::DynamicSynapses(const network::Circuit& circuit, std::size_t projection,
                                 const network::EdgeMaker& edges, std::span<const std::uint64_t> first_edge,
                                 CellRange targets, const std::vector<std::size_t>& rows, double sign, bool at_end)
    : projection_(projection),
      targets_(targets),
      dt_ms_(circuit.run.dt_ms),
      sign_(sign),
      at_end_(at_end),
      seed_(circuit.run.seed) {
  const network::Projection& p = circuit.projections[projection];
  const network::SynapseType& type = circuit.synapse_types[p.synapse_type];
  release_ = type.release;
  plasticity_ = type.plasticity;
  std::vector<std::uint32_t> source_of, receptors;
  network::TargetEdges list;
  incoming_first_.push_back(0);
  for (std::size_t target = targets.begin; target < targets.end; ++target) {
    edges.edges_of(target, list);
    edge_hash_ = network::hash_edges(edge_hash_, projection, target, list);
    network::carry_to_soma(circuit, projection, list, receptors);
    add_target(target, list, receptors, rows, first_edge[target]);
    source_of.insert(source_of.end(), list.sources.begin(), list.sources.end());
    incoming_first_.push_back(synapses_.size());
  }
  sort_by_source(circuit.populations[p.source].size, source_of);
  if (release_) states_.resize(synapses_.size());
  if (!plasticity_) return;
  cells_.resize(targets.size());
  if (!std::holds_alternative<std::monostate>(plasticity_->rule)) {
    rule_.emplace(*plasticity_);
    traces_.resize(synapses_.size());
  }
  if (!plasticity_->scaling) return;
  for (Target& cell : cells_) cell.rate_hz = plasticity_->scaling->target_rate_hz;
  scaling_steps_ = std::max<std::int64_t>(1, std::llround(plasticity_->scaling->interval_ms / dt_ms_));
}

void DynamicSynapses::add_target(std::size_t target, const network::TargetEdges& edges,
                                 const std::vector<std::uint32_t>& receptors, const std::vector<std::size_t>& rows,
                                 std::uint64_t first_edge) {
  for (std::size_t k = 0; k < edges.sources.size(); ++k) {
    // As for static synapses (block_synapses.cpp): to the nearest step, halves upwards, at least one.
    const std::int64_t delay =
        std::max<std::int64_t>(1, static_cast<std::int64_t>(edges.delays_ms[k] / dt_ms_ + 0.5)) + (at_end_ ? 0 : 1);
    shortest_ = std::min(shortest_, delay);
    longest_ = std::max(longest_, delay);
    synapses_.push_back({edges.weights[k], edges.delays_ms[k], first_edge + k, static_cast<std::uint32_t>(target),
                         static_cast<std::uint32_t>(rows[receptors[k]]), delay});
  }
}

/// Brings the synapses, which come by target, into the order of their sources; `incoming_` keeps that of the targets.
void DynamicSynapses::sort_by_source(std::size_t sources, const std::vector<std::uint32_t>& source_of) {
  std::vector<std::uint32_t> order(synapses_.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return source_of[a] < source_of[b]; });
  std::vector<Synapse> sorted;
  sorted.reserve(synapses_.size());
  incoming_.resize(synapses_.size());
  first_.assign(sources + 1, 0);
  for (std::size_t i = 0; i < order.size(); ++i) {
    sorted.push_back(synapses_[order[i]]);
    incoming_[order[i]] = static_cast<std::uint32_t>(i);
    ++first_[source_of[order[i]] + 1];
  }
  for (std::size_t s = 0; s < sources; ++s) first_[s + 1] += first_[s];
  synapses_ = std::move(sorted);
}

void DynamicSynapses::make_room(std::int64_t ahead) {
  slots_.resize(static_cast<std::size_t>(longest_ + ahead + 3));
}

void DynamicSynapses::cell_spike(std::uint32_t source, std::int64_t step) {
  const double t_ms = static_cast<double>(step + 1) * dt_ms_;
  for (std::size_t s = first_[source]; s < first_[source + 1]; ++s) {
    due(step + synapses_[s].delay_steps).push_back({static_cast<std::uint32_t>(s), t_ms + synapses_[s].delay_ms});
  }
}

void DynamicSynapses::virtual_spike(std::uint32_t source, double t_steps, std::int64_t earliest) {
  for (std::size_t s = first_[source]; s < first_[source + 1]; ++s) {
    const double delay_steps = synapses_[s].delay_ms / dt_ms_;
    const auto nearest = static_cast<std::int64_t>(std::floor(t_steps + delay_steps + 0.5));
    // What arrives at the end of a step acts in that step.
    const std::int64_t step = std::max(earliest, nearest) - (at_end_ ? 1 : 0);
    due(step).push_back({static_cast<std::uint32_t>(s), t_steps * dt_ms_ + synapses_[s].delay_ms});
  }
}

/// The weight that an arrival transmits; moves the states.
double DynamicSynapses::arrive_at(const Arrival& arrival, double t_ms) {
  Synapse& synapse = synapses_[arrival.synapse];
  double weight = synapse.weight;
  if (release_) {
    weight *= network::transmit(*release_, states_[arrival.synapse], arrival.t_ms, seed_,
                                network::release_entity(projection_, synapse.edge));
  }
  if (rule_) {
    Traces& pre = traces_[arrival.synapse];
    Traces& post = cells_[synapse.target - targets_.begin].traces;
    rule_->decay_pre(pre, t_ms);
    rule_->decay_post(post, t_ms);
    synapse.weight = rule_->after_arrival(synapse.weight, pre, post);
    pre.fast += 1;
    pre.slow += 1;
  }
  return weight;
}

void DynamicSynapses::target_spikes(std::int64_t step, std::span<const std::uint32_t> cells) {
  if (!plasticity_) return;
  const double t_ms = static_cast<double>(step) * dt_ms_;
  if (scaling_steps_ > 0 && step > 0 && step % scaling_steps_ == 0) scale(t_ms);
  for (const std::uint32_t cell : cells) {
    const std::size_t i = cell - targets_.begin;
    Target& target = cells_[i];
    if (rule_) {
      rule_->decay_post(target.traces, t_ms);
      for (std::size_t k = incoming_first_[i]; k < incoming_first_[i + 1]; ++k) {
        const std::uint32_t s = incoming_[k];
        rule_->decay_pre(traces_[s], t_ms);
        synapses_[s].weight = rule_->after_spike(synapses_[s].weight, traces_[s], target.traces);
      }
      target.traces.fast += 1;
      target.traces.slow += 1;
    }
    if (plasticity_->scaling) {
      const double tau_ms = plasticity_->scaling->tau_rate_ms;
      target.rate_hz = target.rate_hz * std::exp(-(t_ms - target.rate_t_ms) / tau_ms) + 1e3 / tau_ms;
      target.rate_t_ms = t_ms;
    }
  }
}

void DynamicSynapses::scale(double t_ms) {
  const network::HomeostaticScaling& scaling = *plasticity_->scaling;
  const double share = static_cast<double>(scaling_steps_) * dt_ms_ / scaling.tau_ms;
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    Target& target = cells_[i];
    target.rate_hz *= std::exp(-(t_ms - target.rate_t_ms) / scaling.tau_rate_ms);
    target.rate_t_ms = t_ms;
    const double factor = 1 + share * (1 - target.rate_hz / scaling.target_rate_hz);
    for (std::size_t k = incoming_first_[i]; k < incoming_first_[i + 1]; ++k) {
      double& weight = synapses_[incoming_[k]].weight;
      weight = std::clamp(weight * factor, 0.0, plasticity_->w_max);
    }
  }
}

void DynamicSynapses::copy_weights(std::span<double> list) const {
  for (const Synapse& synapse : synapses_) list[synapse.edge] = synapse.weight;
}

}  // namespace triscale::pointneuron
