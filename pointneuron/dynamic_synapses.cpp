#include "pointneuron/dynamic_synapses.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "core/error.hpp"
#include "core/random_batch.hpp"

namespace triscale::pointneuron {

namespace {

/// Spikes that a target cell may keep in the mean before all synapses catch up: going through all of them once costs as
/// much as a fraction of the spikes that they then have behind them.
constexpr std::size_t kKeptSpikes = 8;

bool has_weight_probe(const network::Circuit& circuit, std::size_t projection) {
  return std::any_of(circuit.weight_probes.begin(), circuit.weight_probes.end(),
                     [&](const network::WeightProbe& probe) { return probe.projection == projection; });
}

bool has_rule(const network::SynapseType& type) {
  return type.plasticity && !std::holds_alternative<std::monostate>(type.plasticity->rule);
}

bool needs_edges(const network::Circuit& circuit, std::size_t projection) {
  const network::SynapseType& type = circuit.synapse_types[circuit.projections[projection].synapse_type];
  return (type.release && type.release->sites > 0) || has_weight_probe(circuit, projection);
}

}  // namespace

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
                                 CellRange targets, const Action& action, core::Isa isa)
    : projection_(projection),
      targets_(targets),
      action_(action),
      isa_(isa),
      dt_ms_(circuit.run.dt_ms),
      from_cells_(!circuit.populations[circuit.projections[projection].source].is_virtual),
      seed_(circuit.run.seed),
      target_size_(circuit.populations[circuit.projections[projection].target].size) {
  const network::Projection& p = circuit.projections[projection];
  const network::SynapseType& type = circuit.synapse_types[p.synapse_type];
  release_ = type.release;
  plasticity_ = type.plasticity;
  if (first_edge[targets.end] - first_edge[targets.begin] >= UINT32_MAX) {
    throw core::InputError({"", "projections." + p.name, "",
                            "must give fewer than 2^32 synapses with a state to a part of its targets",
                            "run with more threads, or split the projection"});
  }
  std::vector<std::uint32_t> source_of, receptors;
  std::vector<double> delays;
  const std::size_t number = first_edge[targets.end] - first_edge[targets.begin];
  const bool with_edges = needs_edges(circuit, projection), with_rows = action_.rows.size() > 1;
  source_of.reserve(number);
  delays.reserve(number);
  synapses_.reserve(number);
  if (with_edges) edges_.reserve(number);
  if (with_rows) rows_.reserve(number);
  network::TargetEdges list;
  for (std::size_t target = targets.begin; target < targets.end; ++target) {
    edges.edges_of(target, list);
    edge_hash_ = network::hash_edges(edge_hash_, projection, target, list);
    network::carry_to_soma(circuit, projection, list, receptors);
    for (std::size_t k = 0; k < list.sources.size(); ++k) {
      add(target, list, k, delays);
      if (with_edges) edges_.push_back(first_edge[target] + k);
      if (with_rows) rows_.push_back(static_cast<std::uint32_t>(action_.rows[receptors[k]]));
    }
    source_of.insert(source_of.end(), list.sources.begin(), list.sources.end());
  }
  sort_by_source(circuit.populations[p.source].size, source_of, delays);
  if (!plasticity_) return;
  if (has_rule(type)) {
    rule_.emplace(*plasticity_, dt_ms_);
    arrived_.resize(synapses_.size());
    cells_.resize(targets.size());
  }
  if (!plasticity_->scaling) return;
  rates_.assign(targets.size(), {plasticity_->scaling->target_rate_hz, 0});
  scaling_steps_ = std::max<std::int64_t>(1, std::llround(plasticity_->scaling->interval_ms / dt_ms_));
}

void DynamicSynapses::add(std::size_t target, const network::TargetEdges& edges, std::size_t k,
                          std::vector<double>& delays) {
  const double exact = edges.delays_ms[k] / dt_ms_;
  // As for static synapses (block_synapses.cpp): to the nearest step, halves upwards, at least one.
  const std::int64_t delay =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(exact + 0.5)) + (acts_at_end() ? 0 : 1);
  shortest_ = std::min(shortest_, delay);
  longest_ = std::max(longest_, delay);
  delays.push_back(from_cells_ ? static_cast<double>(delay) : exact);
  synapses_.push_back(
      {edges.weights[k], static_cast<std::uint32_t>(target - targets_.begin), is_stochastic() ? release_->sites : 0});
}

/// Brings the synapses, which come by target, into the order of sources and delays.
void DynamicSynapses::sort_by_source(std::size_t sources, const std::vector<std::uint32_t>& source_of,
                                     const std::vector<double>& delays) {
  std::vector<std::uint32_t> order(synapses_.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return source_of[a] != source_of[b] ? source_of[a] < source_of[b] : delays[a] < delays[b];
  });
  const auto permute = [&order](auto& list) {
    if (list.empty()) return;
    std::remove_reference_t<decltype(list)> sorted;
    sorted.reserve(list.size());
    for (const std::uint32_t i : order) sorted.push_back(list[i]);
    list = std::move(sorted);
  };
  permute(synapses_);
  permute(edges_);
  permute(rows_);
  sources_.assign(sources, {network::ReleaseState(release_.value_or(network::Release{})), {}, 0});
  first_run_.assign(sources + 1, 0);
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    const std::uint32_t source = source_of[order[i]];
    const bool goes_on = i > 0 && source_of[order[i - 1]] == source && delays[order[i - 1]] == delays[order[i]];
    if (!goes_on) {
      runs_.push_back({delays[order[i]], i});
      ++first_run_[source + 1];
    }
    runs_.back().end = i + 1;
  }
  for (std::size_t s = 0; s < sources; ++s) first_run_[s + 1] += first_run_[s];
  runs_.shrink_to_fit();
}

void DynamicSynapses::make_room(std::int64_t ahead) {
  slots_.resize(static_cast<std::size_t>(longest_ + ahead + 3));
}

/// Moves the state of a source to its spike at t_ms.
DynamicSynapses::SpikeEffect DynamicSynapses::effect_of(std::uint32_t index, double t_ms) {
  Source& source = sources_[index];
  SpikeEffect effect;
  if (is_stochastic()) {
    const auto [p, still_empty] = network::utilise(*release_, source.release, t_ms);
    effect.factor = p;
    effect.still_empty = still_empty;
    effect.first_draw = std::uint64_t{2} * release_->sites * source.release.events++;
  } else if (release_) {
    effect.factor = network::transmit(*release_, source.release, t_ms, seed_, 0);
  }
  if (rule_) {
    source.traces = rule_->pre_after(source.traces, t_ms - source.t_ms);
    effect.gain = rule_->gain_pre(source.traces.slow);
    source.traces.fast += 1;
    source.traces.slow += 1;
    effect.trace = source.traces.fast;
  }
  source.t_ms = t_ms;
  return effect;
}

template <class ArrivalStep>
void DynamicSynapses::hand_over(std::uint32_t source, double t_ms, const ArrivalStep& arrival_step) {
  std::size_t run = first_run_[source];
  const std::size_t last = first_run_[source + 1];
  if (run == last) return;
  const SpikeEffect effect = effect_of(source, t_ms);
  std::uint32_t begin = run == 0 ? 0 : runs_[run - 1].end;
  while (run < last) {
    const std::int64_t step = arrival_step(runs_[run].delay_steps);
    while (run < last && arrival_step(runs_[run].delay_steps) == step) ++run;
    due(step).push_back({begin, runs_[run - 1].end, effect});
    begin = runs_[run - 1].end;
  }
}

void DynamicSynapses::cell_spike(std::uint32_t source, std::int64_t step) {
  hand_over(source, static_cast<double>(step + 1) * dt_ms_,
            [step](double delay_steps) { return step + static_cast<std::int64_t>(delay_steps); });
}

void DynamicSynapses::virtual_spike(std::uint32_t source, double t_steps, std::int64_t earliest) {
  hand_over(source, t_steps * dt_ms_, [&](double delay_steps) {
    const auto nearest = static_cast<std::int64_t>(std::floor(t_steps + delay_steps + 0.5));
    // What arrives at the end of a step acts in that step.
    return std::max(earliest, nearest) - (acts_at_end() ? 1 : 0);
  });
}

/// What the synapses of a piece from number `first` on release, as shares of their sites: the rule of
/// network::transmit() with its draws, for many synapses at once.
void DynamicSynapses::release_sites(const Piece& piece, std::size_t first, std::span<double> shares) {
  constexpr std::size_t kMost = 64;
  std::array<std::uint64_t, kMost> entities, counters;
  std::array<std::uint32_t, kMost> which, released;
  std::array<double, kMost> draws;
  const std::uint32_t N = release_->sites;
  const std::size_t n = shares.size();
  Synapse* synapses = synapses_.data() + first;
  std::fill_n(released.begin(), n, 0u);
  // For site k, draw number `counter` of those synapses that need it.
  const auto draw_for = [&](std::uint64_t counter, const auto& needs, const auto& use) {
    std::size_t some = 0;
    for (std::size_t i = 0; i < n; ++i) {
      if (!needs(i)) continue;
      entities[some] = network::release_entity(projection_, edges_[first + i]);
      counters[some] = counter;
      which[some++] = static_cast<std::uint32_t>(i);
    }
    core::fill_uniforms(seed_, core::Purpose::release, std::span(entities).first(some), std::span(counters).first(some),
                        std::span(draws).first(some), isa_);
    for (std::size_t j = 0; j < some; ++j) use(which[j], draws[j]);
  };
  const double p = piece.effect.factor, still_empty = piece.effect.still_empty;
  std::array<std::uint32_t, kMost> before;
  for (std::size_t i = 0; i < n; ++i) {
    before[i] = synapses[i].full_sites;
    if (still_empty == 0.0) synapses[i].full_sites = N;
  }
  for (std::uint32_t k = 0; k < N && still_empty != 0.0; ++k) {
    draw_for(
        piece.effect.first_draw + k, [&](std::size_t i) { return k >= before[i]; },
        [&](std::size_t i, double draw) { synapses[i].full_sites += draw > still_empty ? 1 : 0; });
  }
  for (std::uint32_t k = 0; k < N; ++k) {
    draw_for(
        piece.effect.first_draw + N + k, [&](std::size_t i) { return k < synapses[i].full_sites; },
        [&](std::size_t i, double draw) { released[i] += draw < p ? 1 : 0; });
  }
  for (std::size_t i = 0; i < n; ++i) {
    synapses[i].full_sites -= released[i];
    shares[i] = static_cast<double>(released[i]) / static_cast<double>(N);
  }
}

/// The weight after all spikes of its target that came since the last arrival.
double DynamicSynapses::catch_up(double weight, const Arrived& arrived, const Target& target) const {
  std::size_t k = target.spikes.size();
  while (k > 0 && target.spikes[k - 1].step >= arrived.step) --k;
  for (; k < target.spikes.size(); ++k) {
    const TargetSpike& spike = target.spikes[k];
    weight = rule_->after_spike(weight, spike.gain, arrived.trace * rule_->pre_decay(spike.step - arrived.step));
  }
  return weight;
}

void DynamicSynapses::catch_up_all() {
  if (kept_spikes_ == 0) return;
  for (std::size_t s = 0; s < synapses_.size(); ++s)
    synapses_[s].weight = catch_up(synapses_[s].weight, arrived_[s], cells_[synapses_[s].target]);
  for (Target& cell : cells_) cell.spikes.clear();
  kept_spikes_ = 0;
}

/// `time`: the step at whose beginning the arrival counts.
template <bool kPlastic>
void DynamicSynapses::arrive_piece(const Piece& piece, std::int64_t time, double* events) {
  constexpr std::size_t kBatch = 64;
  std::array<double, kBatch> shares;
  for (std::size_t first = piece.begin; first < piece.end; first += kBatch) {
    const std::size_t n = std::min<std::size_t>(kBatch, piece.end - first);
    const bool stochastic = is_stochastic();
    if (stochastic) {
      release_sites(piece, first, std::span(shares).first(n));
    } else {
      std::fill_n(shares.begin(), n, piece.effect.factor);
    }
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t s = first + i;
      Synapse& synapse = synapses_[s];
      double weight = synapse.weight;
      if constexpr (kPlastic) {
        const Target& target = cells_[synapse.target];
        weight = catch_up(weight, arrived_[s], target);
        const double o1 = target.traces.fast * rule_->post_decay(time - target.step);
        synapse.weight = rule_->after_arrival(weight, piece.effect.gain, o1);
        arrived_[s] = {piece.effect.trace, time};
      }
      const std::size_t row = rows_.empty() ? action_.rows.front() : rows_[s];
      events[row * target_size_ + targets_.begin + synapse.target] += action_.sign * (weight * shares[i]);
    }
  }
}

void DynamicSynapses::arrive(std::int64_t step, double* events) {
  constexpr std::size_t kAhead = 3, kLines = 6;
  std::vector<Piece>& pieces = due(step);
  const std::int64_t time = acts_at_end() ? step + 1 : step;
  const auto fetch = [](const auto& list, std::size_t begin, std::size_t end) {
    const char* line = reinterpret_cast<const char*>(list.data() + begin);
    const char* last = reinterpret_cast<const char*>(list.data() + end);
    for (std::size_t l = 0; l < kLines && line < last; ++l, line += 64) __builtin_prefetch(line);
  };
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (i + kAhead < pieces.size()) {
      const Piece& next = pieces[i + kAhead];
      fetch(synapses_, next.begin, next.end);
      if (rule_) fetch(arrived_, next.begin, next.end);
      if (is_stochastic()) fetch(edges_, next.begin, next.end);
    }
    if (rule_) {
      arrive_piece<true>(pieces[i], time, events);
    } else {
      arrive_piece<false>(pieces[i], time, events);
    }
  }
  pieces.clear();
}

void DynamicSynapses::target_spikes(std::int64_t step, std::span<const std::uint32_t> cells) {
  if (!plasticity_) return;
  const double t_ms = static_cast<double>(step) * dt_ms_;
  if (scaling_steps_ > 0 && step > 0 && step % scaling_steps_ == 0) scale(t_ms);
  for (const std::uint32_t cell : cells) {
    const std::size_t i = cell - targets_.begin;
    if (rule_) {
      Target& target = cells_[i];
      target.traces = rule_->post_after(target.traces, static_cast<double>(step - target.step) * dt_ms_);
      target.step = step;
      target.spikes.push_back({step, rule_->gain_post(target.traces.slow)});
      target.traces.fast += 1;
      target.traces.slow += 1;
      ++kept_spikes_;
    }
    if (scaling_steps_ > 0) {
      const double tau_ms = plasticity_->scaling->tau_rate_ms;
      Rate& rate = rates_[i];
      rate.hz = rate.hz * std::exp(-(t_ms - rate.t_ms) / tau_ms) + 1e3 / tau_ms;
      rate.t_ms = t_ms;
    }
  }
  if (kept_spikes_ > kKeptSpikes * cells_.size()) catch_up_all();
}

void DynamicSynapses::scale(double t_ms) {
  catch_up_all();
  const network::HomeostaticScaling& scaling = *plasticity_->scaling;
  const double share = static_cast<double>(scaling_steps_) * dt_ms_ / scaling.tau_ms;
  std::vector<double> factors;
  for (Rate& rate : rates_) {
    rate.hz *= std::exp(-(t_ms - rate.t_ms) / scaling.tau_rate_ms);
    rate.t_ms = t_ms;
    factors.push_back(1 + share * (1 - rate.hz / scaling.target_rate_hz));
  }
  for (Synapse& synapse : synapses_)
    synapse.weight = std::clamp(synapse.weight * factors[synapse.target], 0.0, plasticity_->w_max);
}

void DynamicSynapses::copy_weights(std::span<double> list) {
  catch_up_all();
  for (std::size_t s = 0; s < synapses_.size(); ++s) list[edges_[s]] = synapses_[s].weight;
}

double dynamic_synapse_bytes(const network::Circuit& circuit, std::size_t projection) {
  const network::SynapseType& type = circuit.synapse_types[circuit.projections[projection].synapse_type];
  // While they are sorted: the synapse twice, its source, its delay, its place in the order; the number of its edge, if
  // anybody asks. Runs of equal delay: as many as synapses from virtual sources, far fewer from cells.
  constexpr double kSorted = 16 + 16 + 4 + 8 + 4, kEdge = 8, kRun = 16, kArrived = 16;
  const bool from_cells = !circuit.populations[circuit.projections[projection].source].is_virtual;
  return kSorted + (needs_edges(circuit, projection) ? kEdge : 0) + (from_cells ? kRun / 10 : kRun) +
         (has_rule(type) ? kArrived : 0);
}

}  // namespace triscale::pointneuron
