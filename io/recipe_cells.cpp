#include "io/recipe_cells.hpp"

#include <cmath>
#include <memory>
#include <numbers>

#include "io/recipe.hpp"
#include "io/swc.hpp"

namespace triscale::io {

namespace {

using network::Morphology;
using network::MorphologyPoint;
using network::Section;
using network::SectionKind;

constexpr SectionKind kKinds[] = {SectionKind::soma, SectionKind::axon, SectionKind::basal, SectionKind::apical};

struct Direction {
  double x = 0, y = 1, z = 0;
};

/// Where a section points if the recipe does not say: soma and apical dendrites up, axons down, basal dendrites around
/// the vertical axis by the golden angle, a little downwards, so that they do not lie on each other.
Direction default_direction(SectionKind kind, std::size_t index) {
  if (kind == SectionKind::axon) return {0, -1, 0};
  if (kind != SectionKind::basal) return {0, 1, 0};
  const double angle = static_cast<double>(index) * std::numbers::pi * (3 - std::sqrt(5.0));
  constexpr double kDown = 0.4;
  const double across = std::sqrt(1 - kDown * kDown);
  return {across * std::cos(angle), -kDown, across * std::sin(angle)};
}

Direction direction_of(const JsonObject& json, SectionKind kind, std::size_t index) {
  if (!json.has("direction")) return default_direction(kind, index);
  const std::vector<double> given = json.numbers("direction");
  const double length = given.size() == 3 ? std::hypot(given[0], given[1], given[2]) : 0;
  if (length > 0 && std::isfinite(length)) return {given[0] / length, given[1] / length, given[2] / length};
  json.error("direction", "must be a list of three numbers, not all zero");
  return {};
}

/// The point at `position` (0..1) of a straight section.
MorphologyPoint point_on(const Section& section, double position) {
  const MorphologyPoint& a = section.points.front();
  const MorphologyPoint& b = section.points.back();
  return {a.x_um + position * (b.x_um - a.x_um), a.y_um + position * (b.y_um - a.y_um),
          a.z_um + position * (b.z_um - a.z_um), 0};
}

void read_section(const JsonObject& json, Morphology& morphology, SectionNames& names) {
  Section section;
  const std::size_t index = morphology.sections.size();
  const std::string kind = json.required_text("kind").value_or("");
  if (const auto known = section_kind(kind)) {
    section.kind = *known;
  } else if (!kind.empty()) {
    json.error("kind", "must be soma, axon, basal or apical");
  }
  MorphologyPoint begin;
  if (index == 0) {
    if (json.has("parent")) json.error("parent", "must not be given for the first section, which is the root");
  } else {
    section.parent_position = json.number("parent_position").value_or(1.0);
    const auto parent = json.required_text("parent");
    const auto found = names.find(parent.value_or(""));
    if (found != names.end()) {
      section.parent = static_cast<std::int32_t>(found->second);
      begin = point_on(morphology.sections[found->second], section.parent_position);
    } else if (parent) {
      json.error("parent", "must be the name of an earlier section");
    }
  }
  const double length_um = json.required_number("length_um").value_or(1);
  begin.diameter_um = json.required_number("diameter_um").value_or(1);
  const Direction d = direction_of(json, section.kind, index);
  section.points = {begin,
                    {begin.x_um + length_um * d.x, begin.y_um + length_um * d.y, begin.z_um + length_um * d.z,
                     json.number("end_diameter_um").value_or(begin.diameter_um)}};
  if (!(length_um > 0)) json.error("length_um", "must be > 0");
  const std::string name = json.required_text("name").value_or("");
  if (!name.empty() && !names.emplace(name, static_cast<std::uint32_t>(index)).second) {
    json.error("name", "must be unique among the sections");
  }
  json.reject_unread(recipe_keys().at("section"));
  morphology.sections.push_back(std::move(section));
}

std::shared_ptr<const Morphology> read_morphology(const JsonObject& json, const std::filesystem::path& folder,
                                                  SectionNames& names, core::Diagnostics& diagnostics) {
  if (json.has("swc_file")) {
    if (json.has("sections")) json.error("sections", "must not stand beside swc_file", "keep one of the two");
    const auto file = json.text("swc_file");
    json.accept({"sections"});
    return std::make_shared<Morphology>(file ? read_swc(folder / *file, diagnostics) : Morphology{});
  }
  auto morphology = std::make_shared<Morphology>();
  for (const JsonObject& section : json.objects("sections")) read_section(section, *morphology, names);
  if (!json.has("sections")) json.error("sections", "must be given (a list of sections)", "or give swc_file");
  return morphology;
}

void read_region(const JsonObject& json, network::RegionProperties& region) {
  const auto take = [&](const char* key, double& value) {
    if (const auto number = json.number(key)) value = *number;
  };
  take("Ra_Ohm_cm", region.Ra_Ohm_cm);
  take("C_m_uF_cm2", region.C_m_uF_cm2);
  take("g_pas_S_cm2", region.g_pas_S_cm2);
  take("e_pas_mV", region.e_pas_mV);
  take("E_Na_mV", region.E_Na_mV);
  take("E_K_mV", region.E_K_mV);
  json.reject_unread(recipe_keys().at("region"));
}

void read_regions(const JsonObject& json, network::DetailedCell& cell) {
  if (const auto all = json.object("all")) {
    network::RegionProperties common;
    read_region(*all, common);
    cell.regions.fill(common);
  }
  for (const SectionKind kind : kKinds) {
    const std::string name(to_string(kind));
    if (const auto region = json.object(name)) read_region(*region, cell.regions[static_cast<std::size_t>(kind)]);
  }
  json.reject_unread(recipe_keys().at("regions"));
}

/// "gbar_S_cm2" is the parameter gbar of the mechanism: the unit is part of the key, not of the name.
std::string parameter_name(const std::string& key) {
  for (const char* unit : {"_S_cm2", "_ms", "_um", "_mM", "_mV"}) {
    const std::string suffix(unit);
    if (key.size() > suffix.size() && key.compare(key.size() - suffix.size(), suffix.size(), suffix) == 0) {
      return key.substr(0, key.size() - suffix.size());
    }
  }
  return key;
}

network::DensityProfile read_density(const JsonObject& json) {
  using Profile = network::DensityProfile;
  Profile profile;
  const auto take = [&](std::initializer_list<std::pair<const char*, double*>> numbers) {
    for (const auto& [key, value] : numbers) {
      if (const auto number = json.required_number(key)) *value = *number;
    }
  };
  const std::string shape = json.required_text("shape").value_or("");
  if (shape == "linear") {
    profile.shape = Profile::Shape::linear;
    take({{"offset", &profile.offset}, {"slope", &profile.slope}});
  } else if (shape == "exponential") {
    profile.shape = Profile::Shape::exponential;
    take({{"offset", &profile.offset}, {"amplitude", &profile.amplitude}, {"slope", &profile.slope}});
    profile.center = json.number("center").value_or(0);
  } else if (shape == "sigmoid") {
    profile.shape = Profile::Shape::sigmoid;
    take({{"offset", &profile.offset}, {"amplitude", &profile.amplitude}, {"center", &profile.center}});
    take({{"width", &profile.width}});
  } else if (shape == "step") {
    profile.shape = Profile::Shape::step;
    take({{"begin", &profile.begin}, {"end", &profile.end}, {"inside", &profile.inside}});
    take({{"outside", &profile.outside}});
  } else {
    if (!shape.empty()) json.error("shape", "must be linear, exponential, sigmoid or step");
    for (const std::string& key : recipe_keys().at("density")) {
      if (key != "shape" && key != "origin" && key != "relative") json.number(key);
    }
  }
  const std::string origin = json.text("origin").value_or("soma");
  if (origin == "region_start") {
    profile.origin = Profile::Origin::region_start;
  } else if (origin != "soma") {
    json.error("origin", "must be soma or region_start");
  }
  profile.relative = json.flag("relative").value_or(false);
  json.reject_unread(recipe_keys().at("density"));
  return profile;
}

void read_mechanism(const JsonObject& json, network::DetailedCell& cell) {
  network::MechanismPlacement placement;
  placement.mechanism = json.required_text("mechanism").value_or("");
  if (const auto parameters = json.object("parameters")) {
    for (const std::string& key : recipe_keys().at("parameters")) {
      if (const auto value = parameters->number(key)) placement.parameters[parameter_name(key)] = *value;
    }
    parameters->reject_unread(recipe_keys().at("parameters"));
  }
  if (const auto density = json.object("density")) placement.density = read_density(*density);
  if (!json.has("regions")) json.error("regions", "must be given (a list of section kinds)");
  for (const SectionKind kind : read_kinds(json, "regions")) {
    placement.region = kind;
    cell.mechanisms.push_back(placement);
  }
  json.reject_unread(recipe_keys().at("mechanism"));
}

}  // namespace

std::optional<SectionKind> section_kind(const std::string& name) {
  for (const SectionKind kind : kKinds) {
    if (name == to_string(kind)) return kind;
  }
  return std::nullopt;
}

std::vector<SectionKind> read_kinds(const JsonObject& json, const std::string& key) {
  std::vector<SectionKind> kinds;
  for (const std::string& name : json.texts(key)) {
    if (const auto kind = section_kind(name)) {
      kinds.push_back(*kind);
    } else {
      json.error(key, "must name kinds of sections: soma, axon, basal, apical");
    }
  }
  return kinds;
}

network::DetailedCell read_detailed_cell(const JsonObject& json, const std::filesystem::path& folder,
                                         SectionNames& names, core::Diagnostics& diagnostics) {
  network::DetailedCell cell;
  cell.morphology = read_morphology(json, folder, names, diagnostics);
  if (const auto regions = json.object("regions")) read_regions(*regions, cell);
  for (const JsonObject& mechanism : json.objects("mechanisms")) read_mechanism(mechanism, cell);
  if (const auto calcium = json.number("Ca_out_mM")) cell.Ca_out_mM = *calcium;
  json.reject_unread(recipe_keys().at("detailed_cell"));
  return cell;
}

}  // namespace triscale::io
