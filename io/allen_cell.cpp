#include "io/allen_cell.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

namespace triscale::io {
namespace {

using network::Morphology;
using network::MorphologyPoint;
using network::Section;
using network::SectionKind;

constexpr double kStubLength_um = 30.0;
constexpr double kPerisomaticStubDiameter_um = 1.0;

double mean_diameter_um(const Section& section) {
  double integral = 0;
  double length = 0;
  for (std::size_t i = 1; i < section.points.size(); ++i) {
    const MorphologyPoint &a = section.points[i - 1], &b = section.points[i];
    const double step = std::hypot(b.x_um - a.x_um, b.y_um - a.y_um, b.z_um - a.z_um);
    integral += step * (a.diameter_um + b.diameter_um) / 2;
    length += step;
  }
  return length > 0 ? integral / length : section.points.front().diameter_um;
}

MorphologyPoint at(const Section& section, double position) {
  double left = position * section.length_um();
  for (std::size_t i = 1; i < section.points.size(); ++i) {
    const MorphologyPoint &a = section.points[i - 1], &b = section.points[i];
    const double step = std::hypot(b.x_um - a.x_um, b.y_um - a.y_um, b.z_um - a.z_um);
    if (left <= step && step > 0) {
      const double f = left / step;
      return {a.x_um + f * (b.x_um - a.x_um), a.y_um + f * (b.y_um - a.y_um), a.z_um + f * (b.z_um - a.z_um),
              a.diameter_um + f * (b.diameter_um - a.diameter_um)};
    }
    left -= step;
  }
  return section.points.back();
}

/// Sections without the axon, with parents renumbered.
Morphology without_axon(const Morphology& morphology) {
  Morphology result;
  std::vector<std::int32_t> new_index(morphology.sections.size(), -1);
  for (std::size_t s = 0; s < morphology.sections.size(); ++s) {
    Section section = morphology.sections[s];
    if (section.kind == SectionKind::axon) continue;
    if (section.parent >= 0) {
      section.parent = new_index[static_cast<std::size_t>(section.parent)];
      if (section.parent < 0) {
        throw core::InputError({"", "section " + std::to_string(s), "",
                                "must not hang from the axon, which is to be replaced by stubs", ""});
      }
    }
    new_index[s] = static_cast<std::int32_t>(result.sections.size());
    result.sections.push_back(std::move(section));
  }
  return result;
}

Morphology with_stubs(const Morphology& morphology, double soma_position, double first_diameter_um,
                      double second_diameter_um) {
  Morphology result = without_axon(morphology);
  const MorphologyPoint start = at(result.sections.front(), soma_position);
  MorphologyPoint direction{0, -1, 0, 0};
  for (const Section& section : morphology.sections) {
    if (section.kind != SectionKind::axon) continue;
    const MorphologyPoint& tip = section.points.back();
    const double x = tip.x_um - start.x_um, y = tip.y_um - start.y_um, z = tip.z_um - start.z_um;
    const double length = std::hypot(x, y, z);
    if (length > 0) direction = {x / length, y / length, z / length, 0};
    break;
  }
  const auto along = [&](double distance_um, double diameter_um) {
    return MorphologyPoint{start.x_um + distance_um * direction.x_um, start.y_um + distance_um * direction.y_um,
                           start.z_um + distance_um * direction.z_um, diameter_um};
  };
  for (const auto& [index, diameter_um] : {std::pair{0, first_diameter_um}, std::pair{1, second_diameter_um}}) {
    Section stub;
    stub.kind = SectionKind::axon;
    stub.parent = index == 0 ? 0 : static_cast<std::int32_t>(result.sections.size()) - 1;
    stub.parent_position = index == 0 ? soma_position : 1.0;
    stub.points = {along(index * kStubLength_um, diameter_um), along((index + 1) * kStubLength_um, diameter_um)};
    stub.swc_ids = {-1, -1};
    result.sections.push_back(std::move(stub));
  }
  return result;
}

}  // namespace

Morphology replace_axon_perisomatic(const Morphology& morphology) {
  return with_stubs(morphology, 0.5, kPerisomaticStubDiameter_um, kPerisomaticStubDiameter_um);
}

Morphology replace_axon_allactive(const Morphology& morphology) {
  const Section* first = nullptr;
  const Section* last = nullptr;
  for (const Section& section : morphology.sections) {
    if (section.kind != SectionKind::axon) continue;
    if (!first) first = &section;
    last = &section;
  }
  if (!first) {
    throw core::InputError({"", "", "", "must have an axon: all-active stubs take their diameters from it", ""});
  }
  return with_stubs(morphology, 1.0, mean_diameter_um(*first), mean_diameter_um(*last));
}

std::optional<SectionKind> allen_section_kind(const std::string& name) {
  static const std::map<std::string, SectionKind, std::less<>> names{
      {"soma", SectionKind::soma},   {"somatic", SectionKind::soma}, {"axon", SectionKind::axon},
      {"axonal", SectionKind::axon}, {"dend", SectionKind::basal},   {"basal", SectionKind::basal},
      {"apic", SectionKind::apical}, {"apical", SectionKind::apical}};
  const auto found = names.find(name);
  if (found == names.end()) return std::nullopt;
  return found->second;
}

const std::map<std::string, double>* mechanism_parameters(const std::string& mechanism) {
  static const std::map<std::string, std::map<std::string, double>> known = [] {
    std::map<std::string, std::map<std::string, double>> table;
    for (const char* channel :
         {"NaTs",   "NaTa",   "Nap",    "K_P",     "K_T",     "Kv3_1", "Kv2like", "Kd",     "Im",     "Im_v2",   "Ih",
          "Ca_HVA", "Ca_LVA", "NaTa_t", "NaTs2_t", "Nap_Et2", "K_Tst", "K_Pst",   "SKv3_1", "Im_Hay", "Ca_LVAst"}) {
      table[channel] = {{"gbar", 1e-5}};
    }
    table["SK"] = table["SK_E2"] = {{"gbar", 1e-6}};
    table["NaV"] = {{"gbar", 0.015}};
    table["CaDynamics"] = table["CaDynamics_E2"] = {{"gamma", 0.05}, {"decay", 80.0}, {"depth", 0.1}, {"minCai", 1e-4}};
    return table;
  }();
  const auto found = known.find(mechanism);
  return found == known.end() ? nullptr : &found->second;
}

void set_parameter(network::DetailedCell& cell, SectionKind region, const std::string& mechanism,
                   const std::string& parameter, double value) {
  auto found = std::find_if(cell.mechanisms.begin(), cell.mechanisms.end(), [&](const network::MechanismPlacement& m) {
    return m.mechanism == mechanism && m.region == region;
  });
  if (found == cell.mechanisms.end()) {
    network::MechanismPlacement placement;
    placement.mechanism = mechanism;
    placement.region = region;
    if (const auto* defaults = mechanism_parameters(mechanism)) placement.parameters = *defaults;
    found = cell.mechanisms.insert(cell.mechanisms.end(), std::move(placement));
  }
  found->parameters[parameter] = value;
}

void sort_mechanisms(network::DetailedCell& cell) {
  std::sort(cell.mechanisms.begin(), cell.mechanisms.end(),
            [](const network::MechanismPlacement& a, const network::MechanismPlacement& b) {
              return std::pair(a.region, std::string_view(a.mechanism)) <
                     std::pair(b.region, std::string_view(b.mechanism));
            });
}

}  // namespace triscale::io
