#include "detailed/cell_group.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <map>
#include <tuple>

#include "network/density_profile.hpp"

namespace triscale::detailed {

namespace {

/// Peak-normalising factor of a biexponential, f = 1/(e^(-tp/tau_decay) - e^(-tp/tau_rise)), and time constants as
/// used.
struct BiexponentialFactors {
  double tau_rise_ms, tau_decay_ms, peak;
};

BiexponentialFactors factors_of(const network::BiexponentialSynapse& synapse) {
  double rise = synapse.tau_rise_ms;
  const double decay = synapse.tau_decay_ms;
  if (rise <= 0) return {0, decay, 1};
  // Nearly equal or vanishing rise times as NEURON's Exp2Syn treats them: the formula stays well-conditioned.
  if (rise / decay > 0.9999) rise = 0.9999 * decay;
  if (rise / decay < 1e-9) rise = 1e-9 * decay;
  const double t_peak = rise * decay / (decay - rise) * std::log(decay / rise);
  return {rise, decay, 1.0 / (std::exp(-t_peak / decay) - std::exp(-t_peak / rise))};
}

/// What an event of weight 1 adds to the states of a slot, and the rates of the states (1/ms).
struct SlotEvent {
  double rise, decay;
  double rise_rate, decay_rate;
};

// Magnesium block of Jahr & Stevens 1990.
constexpr double kBlockHalf_mM = 3.57;

/// Synaptic conductance, relative to the diagonal of its node's equation, that rounding loses many times over, also
/// when summed up over the rest of its decay.
constexpr double kNegligible = 0x1p-64;

/// Uniform constants of the tree, one a node.
struct TreeConstants {
  std::vector<std::int32_t> parents;
  std::vector<std::uint32_t> by_depth;
  std::vector<double> g_axial, diagonal, C_over_h, leak_GE;  // h: the implicit step

  TreeView view() const {
    return {parents.size(),  parents.data(),  by_depth.data(), g_axial.data(),
            diagonal.data(), C_over_h.data(), leak_GE.data()};
  }
};

TreeConstants constants_of(const CompartmentTree& tree, double h_ms) {
  TreeConstants k;
  k.parents = tree.parents;
  k.g_axial = tree.g_axial_uS;
  for (std::size_t i = 0; i < tree.size(); ++i) {
    k.C_over_h.push_back(tree.C_nF[i] / h_ms);
    k.diagonal.push_back(tree.C_nF[i] / h_ms + tree.g_pas_uS[i] + tree.g_axial_uS[i]);
    k.leak_GE.push_back(tree.g_pas_uS[i] * tree.e_pas_mV[i]);
  }
  for (std::size_t i = 1; i < tree.size(); ++i)
    k.diagonal[static_cast<std::size_t>(tree.parents[i])] += tree.g_axial_uS[i];
  std::vector<std::size_t> depth(tree.size(), 0);
  for (std::uint32_t i = 1; i < tree.size(); ++i) {
    depth[i] = depth[static_cast<std::size_t>(tree.parents[i])] + 1;
    k.by_depth.push_back(i);
  }
  std::stable_sort(k.by_depth.begin(), k.by_depth.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return depth[a] < depth[b]; });
  return k;
}

double& lane(LaneArray& values, std::size_t row, std::size_t cell) {
  static_assert(sizeof(Lanes) == kLaneWidth * sizeof(double));
  return reinterpret_cast<double*>(&values[row * kColumns + cell / kLaneWidth])[cell % kLaneWidth];
}

}  // namespace

struct CellGroup::Arrays {
  TreeConstants tree;
  LaneArray V, G, GE, Ca, E_Ca, i_Ca, g_Ca;
  std::vector<SynapseSlot> slots;  // those with magnesium block last
  std::size_t first_blocked = 0;
  LaneArray rise, decay;
  std::vector<std::uint64_t> active;  // a bit a slot
  std::vector<SlotEvent> slot_events;

  SynapseView synapses() { return {slots.data(), active.data(), rise.data(), decay.data()}; }
};

CellGroup::CellGroup(const CellTemplate& type, std::size_t cells, double dt_ms, double V_init_mV,
                     std::span<const GroupSynapse> synapses, network::TimeScheme scheme, std::uint64_t seed)
    : type_(&type),
      cells_(cells),
      dt_ms_(dt_ms),
      second_order_(scheme == network::TimeScheme::second_order),
      arrays_(std::make_unique<Arrays>()),
      seed_(seed) {
  assert(cells >= 1 && cells <= kGroupCells);
  const CompartmentTree& tree = type.tree;
  const std::size_t size = tree.size() * kColumns;
  arrays_->tree = constants_of(tree, second_order_ ? 0.5 * dt_ms : dt_ms);
  arrays_->V.assign(size, broadcast<Lanes>(V_init_mV));
  arrays_->G.assign(size, Lanes{});
  arrays_->GE.assign(size, Lanes{});
  arrays_->Ca.assign(size, broadcast<Lanes>(kDefaultCa_mM));
  arrays_->E_Ca.assign(size, broadcast<Lanes>(kDefaultE_Ca_mV));
  arrays_->i_Ca.assign(size, Lanes{});
  arrays_->g_Ca.assign(size, Lanes{});

  for (const network::MechanismPlacement& placement : type.cell.mechanisms) {
    const network::DensityFactors factors(*type.cell.morphology, placement);
    MechanismSite site;
    for (std::size_t node = 0; node < tree.size(); ++node) {
      if (tree.kinds[node] != placement.region || !(tree.areas_um2[node] > 0)) continue;
      site.nodes.push_back(static_cast<std::uint32_t>(node));
      site.areas_um2.push_back(tree.areas_um2[node]);
      if (!factors.uniform()) site.factors.push_back(factors.at(tree.sections[node], tree.positions[node]));
    }
    if (site.nodes.empty()) continue;
    const network::RegionProperties& region = type.cell.regions[static_cast<std::size_t>(placement.region)];
    for (auto& mechanism :
         make_mechanisms(placement, {type.celsius, region.E_Na_mV, region.E_K_mV, type.cell.Ca_out_mM, scheme})) {
      if (mechanism->reads_calcium()) set_calcium_reversal(site.nodes);
      mechanism->place(site);
      cost_ += site.nodes.size() * (1 + 2 * mechanism->n_states());
      mechanisms_.push_back(std::move(mechanism));
    }
  }
  // Calcium pools first: channels that depend on calcium see the concentration of the same step, as in NEURON, where
  // mechanisms act in alphabetical order.
  std::stable_partition(mechanisms_.begin(), mechanisms_.end(),
                        [](const auto& mechanism) { return mechanism->is_calcium_pool(); });
  blocks_.resize((tree.size() + kBlockNodes - 1) / kBlockNodes);
  for (std::size_t block = 0; block < blocks_.size(); ++block) {
    for (auto& mechanism : mechanisms_) {
      if (!mechanism->sits_in(block)) continue;
      blocks_[block].push_back(mechanism.get());
      mechanism->initialise(view(), block);
    }
  }
  build_synapses(synapses);
  cost_ += tree.size() + arrays_->slots.size() / 4;
  for (std::size_t block = 0; block < blocks_.size(); ++block) add_currents(block);
}

/// Where a mechanism reads the concentration, E_Ca is that of the concentration at the start; a pool then updates it.
void CellGroup::set_calcium_reversal(const std::vector<std::uint32_t>& nodes) {
  const double E_Ca_mV = nernst_Ca_mV(type_->celsius, type_->cell.Ca_out_mM, kDefaultCa_mM);
  for (const std::uint32_t node : nodes) {
    for (int c = 0; c < kColumns; ++c) arrays_->E_Ca[node * kColumns + c] = broadcast<Lanes>(E_Ca_mV);
  }
}

CellGroup::~CellGroup() = default;
CellGroup::CellGroup(CellGroup&&) noexcept = default;

MembraneView CellGroup::view() {
  Arrays& a = *arrays_;
  return {a.V.data(),    a.G.data(),    a.GE.data(),   a.Ca.data(),
          a.E_Ca.data(), a.i_Ca.data(), a.g_Ca.data(), second_order_ ? a.GE.data() : nullptr};
}

void CellGroup::build_synapses(std::span<const GroupSynapse> synapses) {
  using Key = std::tuple<double, std::uint32_t, double, double, double>;  // block first: blocked slots come last
  auto key_of = [](std::uint32_t node, const network::Receptor& r) {
    return Key{r.Mg_mM, node, r.kinetics.tau_rise_ms, r.kinetics.tau_decay_ms, r.kinetics.E_rev_mV};
  };
  std::map<Key, std::uint32_t> slots;
  for (const GroupSynapse& synapse : synapses) {
    for (const network::Receptor& receptor : synapse.kinetics->receptors) {
      slots.emplace(key_of(synapse.node, receptor), 0);
    }
  }
  for (auto& [key, slot] : slots) {
    slot = static_cast<std::uint32_t>(arrays_->slots.size());
    const auto& [Mg_mM, node, rise, decay, E_rev] = key;
    const BiexponentialFactors f = factors_of({rise, decay, E_rev});
    const bool rises = f.tau_rise_ms > 0;  // else a single exponential
    const double log_Mg = Mg_mM > 0 ? std::log(Mg_mM / kBlockHalf_mM) : 0.0;
    const double keep_rise = rises ? std::exp(-dt_ms_ / f.tau_rise_ms) : 0.0;
    const double negligible_uS = kNegligible * arrays_->tree.diagonal[node];
    arrays_->slots.push_back(
        {node, keep_rise, std::exp(-dt_ms_ / f.tau_decay_ms), E_rev, log_Mg, negligible_uS * negligible_uS});
    arrays_->slot_events.push_back(
        {rises ? f.peak : 0.0, f.peak, rises ? 1.0 / f.tau_rise_ms : 0.0, 1.0 / f.tau_decay_ms});
    if (!(Mg_mM > 0)) arrays_->first_blocked = arrays_->slots.size();
  }
  arrays_->rise.assign(arrays_->slots.size() * kColumns, Lanes{});
  arrays_->decay.assign(arrays_->slots.size() * kColumns, Lanes{});
  arrays_->active.assign(arrays_->slots.size() / 64 + 1, 0);

  std::vector<std::uint32_t> order(synapses.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return synapses[a].source < synapses[b].source; });
  double max_delay_ms = 0;
  for (const std::uint32_t i : order) {
    const GroupSynapse& s = synapses[i];
    if (sources_.empty() || sources_.back() != s.source) {
      sources_.push_back(s.source);
      offsets_.push_back(static_cast<std::uint32_t>(targets_.size()));
    }
    std::uint32_t release = kNoRelease;
    if (s.kinetics->release) {
      release = static_cast<std::uint32_t>(releases_.size());
      releases_.push_back({&*s.kinetics->release, s.entity, network::ReleaseState(*s.kinetics->release)});
    }
    for (const network::Receptor& receptor : s.kinetics->receptors) {
      targets_.push_back(
          {slots.at(key_of(s.node, receptor)), s.cell, receptor.weight_factor * s.weight_uS, s.delay_ms, release});
    }
    max_delay_ms = std::max(max_delay_ms, s.delay_ms);
  }
  offsets_.push_back(static_cast<std::uint32_t>(targets_.size()));
  ring_.resize(2 + static_cast<std::size_t>(std::max<std::int64_t>(0, due_step(0, max_delay_ms, dt_ms_))));
}

std::int64_t CellGroup::due_step(double t_ms, double delay_ms, double dt_ms) {
  // The small number makes ties (t + delay exactly half-way between steps) independent of rounding in the times.
  constexpr double kTie = 1e-9;
  return static_cast<std::int64_t>(std::ceil((t_ms + delay_ms) / dt_ms - 0.5 - kTie));
}

void CellGroup::receive(std::uint32_t source, double t_ms, std::int64_t first_step) {
  const auto found = std::lower_bound(sources_.begin(), sources_.end(), source);
  if (found == sources_.end() || *found != source) return;
  const std::size_t i = static_cast<std::size_t>(found - sources_.begin());
  std::uint32_t released = kNoRelease;
  double fraction = 1;
  for (std::uint32_t k = offsets_[i]; k < offsets_[i + 1]; ++k) {
    const Target& target = targets_[k];
    if (target.release != released) {
      released = target.release;
      fraction = 1;
      if (released != kNoRelease) {
        SynapseRelease& synapse = releases_[released];
        fraction = transmit(*synapse.rule, synapse.state, t_ms + target.delay_ms, seed_, synapse.entity);
      }
    }
    if (fraction == 0) continue;
    const double weight = fraction * target.weight;
    if (second_order_) {
      queue_within_step(target, weight, t_ms, first_step);
    } else {
      const SlotEvent& unit = arrays_->slot_events[target.slot];
      queue(std::max(first_step, due_step(t_ms, target.delay_ms, dt_ms_)), first_step,
            {target.slot, target.cell, weight * unit.rise, weight * unit.decay});
    }
  }
}

void CellGroup::queue(std::int64_t step, std::int64_t first_step, const Event& event) {
  const auto ahead = static_cast<std::size_t>(step - first_step);
  if (ahead >= ring_.size()) {
    // Grow the ring; events already queued keep their step.
    std::vector<std::vector<Event>> grown(2 * ahead + 2);
    for (std::size_t s = 0; s < ring_.size(); ++s) {
      const std::size_t old_step = static_cast<std::size_t>(first_step) + s;
      grown[old_step % grown.size()] = std::move(ring_[old_step % ring_.size()]);
    }
    ring_ = std::move(grown);
  }
  ring_[static_cast<std::size_t>(step) % ring_.size()].push_back(event);
}

/// States stand in the middle of steps. An event that leaves the share s of its step adds s to the state of that step,
/// its mean over the step to second order, and in the next step what brings the state to its exact value there,
/// e^(-(s + 1/2) dt/tau).
void CellGroup::queue_within_step(const Target& target, double weight, double t_ms, std::int64_t first_step) {
  const double at = (t_ms + target.delay_ms) / dt_ms_;
  const std::int64_t step = std::max(first_step, static_cast<std::int64_t>(std::floor(at)));
  const double share = std::min(1.0, static_cast<double>(step + 1) - at);
  const SlotEvent& unit = arrays_->slot_events[target.slot];
  const SynapseSlot& slot = arrays_->slots[target.slot];
  const double rise = weight * unit.rise, decay = weight * unit.decay;
  queue(step, first_step, {target.slot, target.cell, rise * share, decay * share});
  const double elapsed_ms = (share + 0.5) * dt_ms_;
  queue(step + 1, first_step,
        {target.slot, target.cell, rise * (std::exp(-elapsed_ms * unit.rise_rate) - share * slot.keep_rise),
         decay * (std::exp(-elapsed_ms * unit.decay_rate) - share * slot.keep_decay)});
}

std::size_t CellGroup::add_gap_junction(std::size_t cell, std::size_t node, double g_uS) {
  junctions_.push_back({static_cast<std::uint32_t>(cell), static_cast<std::uint32_t>(node), g_uS, 0.0, {}});
  return junctions_.size() - 1;
}

void CellGroup::set_partner_mV(std::size_t junction, double V_mV) {
  Junction& j = junctions_[junction];
  j.V_partner_mV = second_order_ && j.V_before_mV ? 1.5 * V_mV - 0.5 * *j.V_before_mV : V_mV;
  j.V_before_mV = V_mV;
}

void CellGroup::inject(std::size_t cell, std::size_t node, double I_nA) {
  injections_.push_back({static_cast<std::uint32_t>(cell), static_cast<std::uint32_t>(node), I_nA});
}

void CellGroup::deliver(std::vector<Event>& events) {
  Arrays& a = *arrays_;
  for (const Event& event : events) {
    lane(a.rise, event.slot, event.cell) += event.rise;
    lane(a.decay, event.slot, event.cell) += event.decay;
    a.active[event.slot / 64] |= std::uint64_t{1} << event.slot % 64;
  }
  events.clear();
}

void CellGroup::advance(std::int64_t step) {
  Arrays& a = *arrays_;
  deliver(ring_[static_cast<std::size_t>(step) % ring_.size()]);
  const Kernels& k = kernels();
  k.add_synapses(a.synapses(), 0, a.first_blocked, a.G.data(), a.GE.data());
  k.add_blocked_synapses(a.synapses(), a.first_blocked, a.slots.size(), a.V.data(), a.G.data(), a.GE.data());
  for (const Junction& junction : junctions_) {
    lane(a.G, junction.node, junction.cell) += junction.g_uS;
    lane(a.GE, junction.node, junction.cell) += junction.g_uS * junction.V_partner_mV;
  }
  for (const Injection& injection : injections_) lane(a.GE, injection.node, injection.cell) += injection.I_nA;
  injected_.swap(injections_);
  injections_.clear();
  (second_order_ ? k.solve_tree_to_middle : k.solve_tree)(a.tree.view(), a.V.data(), a.G.data(), a.GE.data());
  for (const Junction& j : junctions_) {
    injected_.push_back({j.cell, j.node, j.g_uS * (j.V_partner_mV - lane(a.V, j.node, j.cell))});
  }
  // Block by block, while its potentials are in the cache: the end of this step and the beginning of the next.
  const MembraneView membrane = view();
  for (std::size_t block = 0; block < blocks_.size(); ++block) {
    for (Mechanism* mechanism : blocks_[block]) mechanism->advance(membrane, dt_ms_, block);
    add_currents(block);
  }
}

/// Equations of the next step's potential for the nodes of a block, without synapses and injected currents.
void CellGroup::add_currents(std::size_t block) {
  Arrays& a = *arrays_;
  const MembraneView membrane = view();
  const std::size_t first = block * kBlockNodes, last = std::min(first + kBlockNodes, tree().size());
  kernels().start_step(a.tree.view(), first, last, a.V.data(), a.G.data(), a.GE.data());
  for (const Mechanism* mechanism : blocks_[block]) mechanism->prepare(membrane, dt_ms_, block);
  for (const Mechanism* mechanism : blocks_[block]) mechanism->add_currents(membrane, block);
}

void CellGroup::add_junction_nodes(std::vector<std::size_t>& nodes) const {
  for (const Junction& junction : junctions_) nodes.push_back(junction.node);
}

const Lanes* CellGroup::V_lanes() const {
  return arrays_->V.data();
}

double CellGroup::V_mV(std::size_t cell, std::size_t node) const {
  return lane(arrays_->V, node, cell);
}

double CellGroup::Ca_mM(std::size_t cell, std::size_t node) const {
  return lane(arrays_->Ca, node, cell);
}

std::pair<std::int64_t, std::int64_t> CellGroup::find_not_finite() const {
  Lanes zero{};  // x - x is 0 but for what is not finite
  for (const Lanes& V : arrays_->V) zero += V - V;
  if (zero[0] + zero[1] + zero[2] + zero[3] == 0) return {-1, -1};
  for (std::size_t node = 0; node < tree().size(); ++node) {
    for (std::size_t cell = 0; cell < cells_; ++cell) {
      if (!std::isfinite(V_mV(cell, node))) return {static_cast<std::int64_t>(cell), static_cast<std::int64_t>(node)};
    }
  }
  return {-1, -1};
}

}  // namespace triscale::detailed
