/// Where a derived description comes from: how it was made, how well it fits, and where it may be trusted. Bridges fill
/// it in beside the description itself; io/reduced.hpp writes both for people to read and edit.
#pragma once

#include <array>
#include <cmath>
#include <map>
#include <string>
#include <vector>

namespace triscale::network {

/// Names of quantities end in their unit ("rate_hz", "V_mV"); a name without a unit is a pure number.
struct Provenance {
  std::string method;                                           ///< e.g. "impedance + GIF maximum likelihood"
  std::string version;                                          ///< of triscale that derived it
  std::map<std::string, double> operating_point;                ///< state about which it was derived
  std::map<std::string, double> fit_error;                      ///< on input that the fit has not seen
  std::map<std::string, double> tolerance;                      ///< of |fit_error|, for entries that have one
  std::map<std::string, double> uncertainty;                    ///< standard error of a derived parameter
  std::map<std::string, std::array<double, 2>> validity_range;  ///< {min, max} of a quantity; outside it extrapolates
  std::vector<std::string> notes;                               ///< what a reader should know: assumptions, warnings
};

/// Entries of fit_error that are larger than their tolerance.
inline std::vector<std::string> beyond_tolerance(const Provenance& provenance) {
  std::vector<std::string> names;
  for (const auto& [name, tolerance] : provenance.tolerance) {
    const auto found = provenance.fit_error.find(name);
    if (found != provenance.fit_error.end() && std::abs(found->second) > tolerance) names.push_back(name);
  }
  return names;
}

/// Provenance of every derived description, by name of the cell type, synapse type or probe that carries it.
struct Derivation {
  std::map<std::string, Provenance> point_cells, meanfield_cells;
  std::map<std::string, Provenance> point_synapses, meanfield_synapses;
  std::map<std::string, Provenance> field_kernels;  ///< by name of the field probe
};

}  // namespace triscale::network
