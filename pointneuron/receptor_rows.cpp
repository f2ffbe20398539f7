#include "pointneuron/receptor_rows.hpp"

#include <algorithm>

#include "pointneuron/receptors.hpp"

namespace triscale::pointneuron {

namespace {

using Shape = network::CurrentSynapse::Shape;

using Group = std::vector<network::Receptor>;

bool same(const network::Receptor& x, const network::Receptor& y) {
  const network::BiexponentialSynapse &a = x.kinetics, &b = y.kinetics;
  return a.tau_rise_ms == b.tau_rise_ms && a.tau_decay_ms == b.tau_decay_ms && a.E_rev_mV == b.E_rev_mV &&
         a.at_soma == b.at_soma && x.weight_factor == y.weight_factor && x.Mg_mM == y.Mg_mM;
}
bool same(const Group& a, const Group& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const network::Receptor& x, const network::Receptor& y) { return same(x, y); });
}
bool same(const network::CurrentSynapse& a, const network::CurrentSynapse& b) {
  return a.shape == b.shape && (a.shape == Shape::delta || a.tau_ms == b.tau_ms);
}

template <class Receptor>
std::size_t position(const std::vector<Receptor>& known, const Receptor& receptor) {
  const auto found = std::find_if(known.begin(), known.end(), [&](const auto& k) { return same(k, receptor); });
  return static_cast<std::size_t>(found - known.begin());
}
template <class Receptor>
void add(std::vector<Receptor>& known, const Receptor& receptor) {
  if (position(known, receptor) == known.size()) known.push_back(receptor);
}

const network::SynapseType& type_of(const network::Circuit& circuit, std::size_t projection) {
  return circuit.synapse_types[circuit.projections[projection].synapse_type];
}

}  // namespace

std::size_t ReceptorRows::count() const {
  return instantaneous ? 1 : conductances.size() + currents.size();
}

bool ReceptorRows::acts_at_end(std::size_t row) const {
  if (instantaneous) return true;
  return row >= conductances.size() && currents[row - conductances.size()].shape == Shape::delta;
}

std::vector<ReceptorRows> receptor_rows(const network::Circuit& circuit) {
  std::vector<ReceptorRows> rows(circuit.populations.size());
  for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
    const network::Population& population = circuit.populations[p];
    if (population.is_virtual) continue;
    rows[p].instantaneous =
        std::holds_alternative<network::IntFire1Model>(circuit.cell_types[population.cell_type].point->model);
  }
  for (std::size_t p = 0; p < circuit.projections.size(); ++p) {
    const std::size_t target = circuit.projections[p].target;
    if (circuit.populations[target].is_virtual) continue;
    const network::SynapseType& type = type_of(circuit, p);
    for (const Group& group : groups_of(type)) add(rows[target].conductances, group);
    if (const auto* current = std::get_if<network::CurrentSynapse>(&*type.point)) add(rows[target].currents, *current);
  }
  return rows;
}

Connection connection_of(const network::Circuit& circuit, std::size_t projection,
                         const std::vector<ReceptorRows>& rows) {
  const ReceptorRows& known = rows[circuit.projections[projection].target];
  const network::SynapseType& type = type_of(circuit, projection);
  Connection connection;
  for (const Group& group : groups_of(type)) connection.rows.push_back(position(known.conductances, group));
  if (!connection.rows.empty()) return connection;
  if (const auto* current = std::get_if<network::CurrentSynapse>(&*type.point)) {
    connection.rows = {known.conductances.size() + position(known.currents, *current)};
    connection.sign = current->sign;
    connection.at_end_of_step = current->shape == Shape::delta;
  } else {
    connection.rows = {0};
    connection.sign = std::get<network::InstantaneousSynapse>(*type.point).sign;
    connection.at_end_of_step = true;
  }
  return connection;
}

}  // namespace triscale::pointneuron
