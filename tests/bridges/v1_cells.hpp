/// The five V1 cell types of the shared test data, for tests.
#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <string>

#include "core/error.hpp"
#include "io/allen_cell.hpp"
#include "io/allen_fit.hpp"
#include "io/swc.hpp"
#include "network/cell_models.hpp"
#include "tests/paths.hpp"

namespace triscale::bridges::test {

struct V1Cell {
  const char* name;
  const char* fit;
  const char* morphology;
};
inline constexpr std::array<V1Cell, 5> kV1Cells{{{"Scnn1a", "472363762", "Scnn1a_473845048_m"},
                                                 {"Rorb", "473863510", "Rorb_325404214_m"},
                                                 {"Nr5a1", "473863035", "Nr5a1_471087815_m"},
                                                 {"PV1", "472912177", "Pvalb_470522102_m"},
                                                 {"PV2", "473862421", "Pvalb_469628681_m"}}};

inline std::filesystem::path components() {
  return std::filesystem::path(tests::shared_dir()) / "data/bmtk/examples/bio_components";
}
inline bool v1_cells_present() {
  return std::filesystem::exists(components());
}

inline network::DetailedCell read_v1_cell(const V1Cell& cell) {
  core::Diagnostics diagnostics;
  network::DetailedCell out = io::read_allen_fit(
      components() / "biophysical_neuron_templates/ctdb" / (std::string(cell.fit) + "_fit.json"), diagnostics);
  const network::Morphology shape =
      io::read_swc(components() / "morphologies" / (std::string(cell.morphology) + ".swc"), diagnostics);
  diagnostics.throw_if_errors();
  out.morphology = std::make_shared<network::Morphology>(io::replace_axon_perisomatic(shape));
  return out;
}

}  // namespace triscale::bridges::test
