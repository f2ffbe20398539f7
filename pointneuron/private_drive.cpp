#include "pointneuron/private_drive.hpp"

#include <algorithm>
#include <cmath>

namespace triscale::pointneuron {

bool is_private_drive(const network::Circuit& circuit, const network::Projection& projection) {
  const network::Population& source = circuit.populations[projection.source];
  const auto* trains = std::get_if<network::PoissonTrains>(&source.source);
  const auto* rule = std::get_if<network::ConnectionRule>(&projection.connectivity);
  if (!source.is_virtual || trains == nullptr || rule == nullptr) return false;
  constexpr double kRounding = 1e-9;
  using Kind = network::Distribution::Kind;
  const bool on_grid = std::abs(trains->bin_ms - circuit.run.dt_ms) <= kRounding * circuit.run.dt_ms;
  const network::SynapseType& type = circuit.synapse_types[projection.synapse_type];
  if (type.release || type.plasticity) return false;
  return on_grid && rule->kind == network::ConnectionRule::Kind::one_to_one && rule->number <= 1 &&
         rule->weight.kind == Kind::constant && rule->delay_ms.kind == Kind::constant &&
         network::site_table(type) == nullptr;
}

PrivateDrive::PrivateDrive(const network::Circuit& circuit, std::size_t projection, std::size_t row, double sign,
                           bool at_end_of_step, const std::vector<CellRange>& ranges, core::Isa isa)
    : row_(row) {
  const network::Projection& p = circuit.projections[projection];
  const auto& rule = std::get<network::ConnectionRule>(p.connectivity);
  weight_ = sign * rule.weight.mean;
  // A spike at k dt arrives at step k + round(delay), at least one step later.
  delay_steps_ =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(std::floor(rule.delay_ms.mean / circuit.run.dt_ms + 0.5))) -
      (at_end_of_step ? 1 : 0);
  for (const CellRange& range : ranges) {
    const std::size_t before = range.begin % 8;
    blocks_.push_back({network::PoissonCounts(circuit, p.source, isa), range.begin - before, before,
                       std::vector<std::uint16_t>(range.size() + before, 0)});
  }
}

DriveCounts PrivateDrive::draw(std::int64_t step, std::size_t block) {
  Block& b = blocks_[block];
  if (step >= delay_steps_) b.counts.draw(step - delay_steps_, b.first, b.numbers);
  return {b.numbers.data() + b.before, weight_};
}

}  // namespace triscale::pointneuron
