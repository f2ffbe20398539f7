// Rules of field probes (network/field_probe.hpp).
#include <cmath>

#include "network/checks.hpp"

namespace triscale::network {

namespace {

void check_point(const core::Vec3& point, const std::string& place, Checks& checks) {
  const bool sound = std::isfinite(point[0]) && std::isfinite(point[1]) && std::isfinite(point[2]);
  checks.require(sound, place, fmt::format("{}, {}, {}", point[0], point[1], point[2]), "must be finite");
}

void check_direction(const core::Vec3& v, const std::string& place, Checks& checks) {
  const double square = v[0] * v[0] + v[1] * v[1] + v[2] * v[2];
  checks.require(square > 0 && std::isfinite(square), place, fmt::format("{}, {}, {}", v[0], v[1], v[2]),
                 "must be a direction: finite and not zero");
}

void check_electrodes(const std::vector<Electrode>& electrodes, const std::string& place, Checks& checks) {
  checks.require(!electrodes.empty(), place + ".electrodes", "", "must have at least one electrode");
  for (std::size_t i = 0; i < electrodes.size(); ++i) {
    const std::string at = fmt::format("{}.electrodes[{}]", place, i);
    check_point(electrodes[i].position_um, at + ".position_um", checks);
    checks.not_negative(at + ".radius_um", electrodes[i].radius_um);
    if (electrodes[i].radius_um > 0) check_direction(electrodes[i].normal, at + ".normal", checks);
  }
}

struct SignalChecks {
  const std::string& place;
  Checks& checks;

  void operator()(const ExtracellularPotential& signal) const {
    check_electrodes(signal.electrodes, place, checks);
    for (const double sigma : signal.conductivity_S_m) checks.positive(place + ".conductivity_S_m", sigma);
    checks.require(signal.disc_points > 0, place + ".disc_points", fmt::format("{}", signal.disc_points),
                   "must be > 0");
  }
};

void check_contributions(const Circuit& circuit, const FieldProbe& probe, const std::string& place, Checks& checks) {
  for (const FieldProbe::Contribution& contribution : probe.contributions) {
    if (!checks.index(place + ".populations", contribution.population, circuit.populations.size(), "populations")) {
      continue;
    }
    const Population& population = circuit.populations[contribution.population];
    checks.require(!population.is_virtual, place + ".populations", population.name,
                   "must not be virtual: its cells have no membrane");
    for (const auto cell : contribution.cells) {
      if (cell < population.size) continue;
      checks.error(place + ".cells", fmt::format("{}", cell), fmt::format("must be smaller than {}", population.size));
      break;
    }
  }
}

}  // namespace

void check_field_probes(const Circuit& circuit, Checks& checks) {
  UniqueNames names(checks, "field_probes");
  for (std::size_t i = 0; i < circuit.field_probes.size(); ++i) {
    const FieldProbe& probe = circuit.field_probes[i];
    const std::string place = names.add(probe.name, i);
    check_contributions(circuit, probe, place, checks);
    check_sampling(circuit, probe.begin_ms, probe.end_ms, probe.dt_ms, place, checks);
    std::visit(SignalChecks{place, checks}, probe.signal);
  }
}

}  // namespace triscale::network
