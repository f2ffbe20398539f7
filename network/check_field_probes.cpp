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
  void operator()(const CurrentSourceDensity& signal) const {
    checks.require(!signal.volumes.empty(), place + ".volumes", "", "must have at least one volume");
    for (std::size_t i = 0; i < signal.volumes.size(); ++i) {
      const Volume& volume = signal.volumes[i];
      const std::string at = fmt::format("{}.volumes[{}]", place, i);
      check_point(volume.low_um, at + ".low_um", checks);
      check_point(volume.high_um, at + ".high_um", checks);
      const bool ordered = volume.low_um[0] < volume.high_um[0] && volume.low_um[1] < volume.high_um[1] &&
                           volume.low_um[2] < volume.high_um[2];
      checks.require(ordered, at, "", "must have low_um < high_um along every axis");
      checks.require(volume.axis >= 0 && volume.axis < 3, at + ".axis", fmt::format("{}", volume.axis),
                     "must be 0, 1 or 2");
    }
  }
  void operator()(const CurrentDipole&) const {}
  void operator()(const Eeg& signal) const {
    check_electrodes(signal.electrodes, place, checks);
    for (const Electrode& electrode : signal.electrodes) {
      if (electrode.radius_um > 0) {
        checks.error(place + ".electrodes.radius_um", fmt::format("{}", electrode.radius_um),
                     "has no effect here: electrodes of an EEG are points");
        break;
      }
    }
    checks.positive(place + ".conductivity_S_m", signal.conductivity_S_m);
    if (signal.dipole_position_um) check_point(*signal.dipole_position_um, place + ".dipole_position_um", checks);
    if (signal.head) check_head(*signal.head, signal.electrodes);
  }
  void operator()(const Meg& signal) const {
    checks.require(!signal.sensors.empty(), place + ".sensors", "", "must have at least one sensor");
    for (std::size_t i = 0; i < signal.sensors.size(); ++i) {
      const std::string at = fmt::format("{}.sensors[{}]", place, i);
      check_point(signal.sensors[i].position_um, at + ".position_um", checks);
      if (signal.sensors[i].direction) check_direction(*signal.sensors[i].direction, at + ".direction", checks);
    }
    if (signal.sphere_centre_um) check_point(*signal.sphere_centre_um, place + ".sphere_centre_um", checks);
    if (signal.dipole_position_um) check_point(*signal.dipole_position_um, place + ".dipole_position_um", checks);
  }

 private:
  void check_head(const HeadModel& head, const std::vector<Electrode>& electrodes) const {
    check_point(head.centre_um, place + ".head.centre_um", checks);
    for (std::size_t s = 0; s < 4; ++s) {
      checks.positive(place + ".head.conductivities_S_m", head.conductivities_S_m[s]);
      const double inside = s == 0 ? 0 : head.radii_um[s - 1];
      checks.require(head.radii_um[s] > inside && std::isfinite(head.radii_um[s]), place + ".head.radii_um",
                     fmt::format("{}", head.radii_um[s]), "must be > 0 and ascend");
    }
    for (const Electrode& electrode : electrodes) {
      double square = 0;
      for (std::size_t k = 0; k < 3; ++k) square += std::pow(electrode.position_um[k] - head.centre_um[k], 2);
      constexpr double kOnTheScalp = 1 + 1e-9;
      checks.require(std::sqrt(square) <= head.radii_um[3] * kOnTheScalp, place + ".electrodes.position_um",
                     fmt::format("{} um from the head's centre", std::sqrt(square)),
                     fmt::format("must not be outside the scalp, at {} um", head.radii_um[3]));
    }
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
