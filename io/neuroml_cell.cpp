#include "io/neuroml_cell.hpp"

#include <array>
#include <map>
#include <optional>
#include <pugixml.hpp>
#include <string>
#include <vector>

#include "io/allen_cell.hpp"
#include "io/csv.hpp"

namespace triscale::io {
namespace {

using network::SectionKind;

/// Factors to the unit that the rest of the code uses, by the unit's name in the file.
using Units = std::map<std::string, double>;
const Units& densities_S_cm2() {
  static const Units units{{"S_per_cm2", 1}, {"mS_per_cm2", 1e-3}, {"S_per_m2", 1e-4}};
  return units;
}
const Units& potentials_mV() {
  static const Units units{{"mV", 1}, {"V", 1e3}};
  return units;
}
const Units& capacitances_uF_cm2() {
  static const Units units{{"uF_per_cm2", 1}, {"F_per_m2", 100}};
  return units;
}
const Units& resistivities_Ohm_cm() {
  static const Units units{{"ohm_cm", 1}, {"kohm_cm", 1e3}, {"ohm_m", 100}};
  return units;
}
const Units& times_ms() {
  static const Units units{{"ms", 1}, {"s", 1e3}};
  return units;
}
const Units& lengths_um() {
  static const Units units{{"um", 1}, {"cm", 1e4}, {"m", 1e6}};
  return units;
}
const Units& concentrations_mM() {
  static const Units units{{"mM", 1}, {"M", 1e3}, {"mol_per_m3", 1}, {"mol_per_cm3", 1e6}};
  return units;
}
const Units& pure_numbers() {
  static const Units units{{"", 1}};
  return units;
}

constexpr double kIhReversal_mV = -45;  // fixed in the Ih channel itself

class Reader {
 public:
  Reader(const std::filesystem::path& path, core::Diagnostics& diagnostics)
      : file_(path.string()), diagnostics_(diagnostics) {}

  network::DetailedCell read() {
    pugi::xml_document document;
    const pugi::xml_parse_result result = document.load_file(file_.c_str());
    if (!result) {
      const bool absent = result.status == pugi::status_file_not_found;
      diagnostics_.error({file_, absent ? "" : "byte " + std::to_string(result.offset), "",
                          absent ? "must be an existing NeuroML file" : "must be well-formed XML",
                          result.description()});
      return cell_;
    }
    const pugi::xml_node root = document.child("neuroml");
    const pugi::xml_node cell = root.child("cell");
    if (!cell) {
      diagnostics_.error({file_, "", "", "must hold <neuroml> with one <cell>", ""});
      return cell_;
    }
    for (const pugi::xml_node node : elements(root)) {
      if (is(node, "concentrationModel")) {
        read_concentration_model(node);
      } else if (!is(node, "cell") && !is(node, "notes") && !is(node, "include")) {
        unsupported(node);
      }
    }
    for (const pugi::xml_node node : elements(cell)) {
      if (is(node, "biophysicalProperties")) {
        read_biophysics(node);
      } else if (is(node, "morphology")) {
        warning(node, "is not used: the shape comes from the node type's morphology file");
      } else if (!is(node, "notes")) {
        unsupported(node);
      }
    }
    sort_mechanisms(cell_);
    return cell_;
  }

 private:
  static bool is(const pugi::xml_node& node, const char* name) { return std::string_view(node.name()) == name; }

  static std::vector<pugi::xml_node> elements(const pugi::xml_node& parent) {
    std::vector<pugi::xml_node> result;
    for (const pugi::xml_node& node : parent.children()) {
      if (node.type() == pugi::node_element) result.push_back(node);
    }
    return result;
  }

  static std::string place(const pugi::xml_node& node, const std::string& attribute = "") {
    std::string text = std::string("<") + node.name();
    if (const auto id = node.attribute("id")) text += std::string(" id=\"") + id.value() + "\"";
    text += ">";
    return attribute.empty() ? text : text + " " + attribute;
  }
  void error(const pugi::xml_node& node, const std::string& attribute, const std::string& rule,
             const std::string& hint = "") {
    diagnostics_.error({file_, place(node, attribute), node.attribute(attribute.c_str()).value(), rule, hint});
  }
  void warning(const pugi::xml_node& node, const std::string& rule) {
    diagnostics_.warning({file_, place(node), "", rule, ""});
  }
  void unsupported(const pugi::xml_node& node) { error(node, "", "is an element that is not supported"); }

  std::optional<double> quantity(const pugi::xml_node& node, const char* attribute, const Units& units) {
    const std::string text = node.attribute(attribute).value();
    std::size_t end = text.find_first_not_of("0123456789+-.eE");
    if (end == std::string::npos) end = text.size();
    const auto number = parse_number(text.substr(0, end));
    const std::size_t unit_begin = text.find_first_not_of(' ', end);
    const auto unit = units.find(unit_begin == std::string::npos ? "" : text.substr(unit_begin));
    if (number && unit != units.end()) return *number * unit->second;
    std::string known;
    for (const auto& [name, factor] : units) known += (known.empty() ? "" : ", ") + name;
    error(node, attribute, known.empty() ? "must be a number" : "must be a number with a unit", "units: " + known);
    return std::nullopt;
  }

  std::vector<SectionKind> regions(const pugi::xml_node& node) {
    const std::string group = node.attribute("segmentGroup").value();
    if (group == "all" || group.empty()) {
      return {SectionKind::soma, SectionKind::axon, SectionKind::basal, SectionKind::apical};
    }
    if (const auto kind = allen_section_kind(group)) return {*kind};
    error(node, "segmentGroup", "must be all, soma, axon, dend or apic");
    return {};
  }

  /// Sets a property of a region, which must not be given two different values.
  void set(const pugi::xml_node& node, const char* attribute, SectionKind kind,
           double network::RegionProperties::*member, double value) {
    const auto region = static_cast<std::size_t>(kind);
    const auto key = std::pair(region, member);
    for (const auto& [known_key, known_value] : given_) {
      if (known_key == key && known_value != value) {
        error(node, attribute, "must agree with the other elements of this segment group",
              "there it is " + std::to_string(known_value));
      }
    }
    given_.emplace_back(key, value);
    cell_.regions[region].*member = value;
  }

  void read_concentration_model(const pugi::xml_node& node) {
    const std::string type = node.attribute("type").value();
    if (type != "CaDynamics")
      return error(node, "type", "must be CaDynamics", "other calcium models are not supported");
    const auto gamma = quantity(node, "gamma", pure_numbers());
    const auto decay = quantity(node, "decay", times_ms());
    const auto depth = quantity(node, "depth", lengths_um());
    const auto minimum = quantity(node, "minCai", concentrations_mM());
    for (const SectionKind kind : regions(node)) {
      if (gamma) set_parameter(cell_, kind, type, "gamma", *gamma);
      if (decay) set_parameter(cell_, kind, type, "decay", *decay);
      if (depth) set_parameter(cell_, kind, type, "depth", *depth);
      if (minimum) set_parameter(cell_, kind, type, "minCai", *minimum);
    }
  }

  void read_biophysics(const pugi::xml_node& biophysics) {
    for (const pugi::xml_node group : elements(biophysics)) {
      if (!is(group, "membraneProperties") && !is(group, "intracellularProperties")) {
        if (!is(group, "notes")) unsupported(group);
        continue;
      }
      for (const pugi::xml_node node : elements(group)) read_property(node);
    }
  }

  void read_property(const pugi::xml_node& node) {
    using network::RegionProperties;
    if (is(node, "channelDensity") || is(node, "channelDensityNernst")) {
      read_channel(node, is(node, "channelDensityNernst"));
    } else if (is(node, "specificCapacitance")) {
      set_everywhere(node, "value", &RegionProperties::C_m_uF_cm2, quantity(node, "value", capacitances_uF_cm2()));
    } else if (is(node, "resistivity")) {
      set_everywhere(node, "value", &RegionProperties::Ra_Ohm_cm, quantity(node, "value", resistivities_Ohm_cm()));
    } else if (is(node, "species")) {
      read_species(node);
    } else if (is(node, "spikeThresh") || is(node, "initMembPotential")) {
      warning(node, "is not used: the simulation config's value holds");
    } else {
      unsupported(node);
    }
  }

  void set_everywhere(const pugi::xml_node& node, const char* attribute, double network::RegionProperties::*member,
                      std::optional<double> value) {
    if (!value) return;
    for (const SectionKind kind : regions(node)) set(node, attribute, kind, member, *value);
  }

  void read_species(const pugi::xml_node& node) {
    if (std::string_view(node.attribute("ion").value()) != "ca") return error(node, "ion", "must be ca");
    if (const auto outside = quantity(node, "initialExtConcentration", concentrations_mM())) cell_.Ca_out_mM = *outside;
    // Calcium starts at the resting value of its dynamics.
    const auto inside = quantity(node, "initialConcentration", concentrations_mM());
    for (const SectionKind kind : regions(node)) {
      for (const auto& mechanism : cell_.mechanisms) {
        if (mechanism.mechanism != "CaDynamics" || mechanism.region != kind || !inside) continue;
        if (mechanism.parameters.at("minCai") != *inside) {
          error(node, "initialConcentration", "must equal minCai of the concentration model, where calcium starts");
        }
      }
    }
  }

  void read_channel(const pugi::xml_node& node, bool nernst) {
    using network::RegionProperties;
    const std::string channel = node.attribute("ionChannel").value();
    const std::string ion = node.attribute("ion").value();
    const auto density = quantity(node, "condDensity", densities_S_cm2());
    const auto E_rev = nernst ? std::optional<double>() : quantity(node, "erev", potentials_mV());
    if (channel == "pas") {
      set_everywhere(node, "condDensity", &RegionProperties::g_pas_S_cm2, density);
      return set_everywhere(node, "erev", &RegionProperties::e_pas_mV, E_rev);
    }
    const auto* parameters = mechanism_parameters(channel);
    if (!parameters || !parameters->contains("gbar")) {
      return error(node, "ionChannel", "must be a channel that triscale knows", "see docs for the list");
    }
    if (nernst != (ion == "ca")) error(node, "ion", "must be ca for channelDensityNernst and only there");
    for (const SectionKind kind : regions(node)) {
      if (density) set_parameter(cell_, kind, channel, "gbar", *density);
      if (!E_rev) continue;
      if (ion == "na") {
        set(node, "erev", kind, &RegionProperties::E_Na_mV, *E_rev);
      } else if (ion == "k") {
        set(node, "erev", kind, &RegionProperties::E_K_mV, *E_rev);
      } else if (channel != "Ih") {
        error(node, "ion", "must be na, k or ca");
      } else if (*E_rev != kIhReversal_mV) {
        error(node, "erev", "must be -45 mV, which is fixed in Ih");
      }
    }
  }

  std::string file_;
  core::Diagnostics& diagnostics_;
  network::DetailedCell cell_;
  std::vector<std::pair<std::pair<std::size_t, double network::RegionProperties::*>, double>> given_;
};

}  // namespace

network::DetailedCell read_neuroml_cell(const std::filesystem::path& path, core::Diagnostics& diagnostics) {
  return Reader(path, diagnostics).read();
}

}  // namespace triscale::io
