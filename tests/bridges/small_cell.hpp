/// A small cell with spikes and dendrites.
#pragma once

#include <memory>
#include <string>

#include "network/circuit.hpp"

namespace triscale::bridges {

inline network::RegionProperties passive_region() {
  network::RegionProperties region;
  region.Ra_Ohm_cm = 150;
  region.C_m_uF_cm2 = 1;
  region.g_pas_S_cm2 = 1.0 / 15000;
  region.e_pas_mV = -72;
  region.E_Na_mV = 53;
  region.E_K_mV = -90;
  return region;
}

/// A soma with spikes and two passive dendrites of 300 um.
inline network::CellType spiking_cell(const std::string& name) {
  network::Morphology m;
  m.sections.push_back({network::SectionKind::soma, -1, 1, {{-8, 0, 0, 16}, {8, 0, 0, 16}}, {}});
  m.sections.push_back({network::SectionKind::basal, 0, 1, {{8, 0, 0, 2}, {308, 0, 0, 1}}, {}});
  m.sections.push_back({network::SectionKind::basal, 0, 0, {{-8, 0, 0, 2}, {-308, 0, 0, 1}}, {}});
  network::CellType type;
  type.name = name;
  type.dale = network::Dale::excitatory;
  type.detailed.emplace();
  type.detailed->morphology = std::make_shared<network::Morphology>(m);
  type.detailed->regions.fill(passive_region());
  type.detailed->mechanisms = {{"NaTs", network::SectionKind::soma, {{"gbar", 1.0}}},
                               {"Kv3_1", network::SectionKind::soma, {{"gbar", 0.6}}},
                               {"Im", network::SectionKind::soma, {{"gbar", 0.001}}}};
  return type;
}

}  // namespace triscale::bridges
