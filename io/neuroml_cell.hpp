/// Reads the biophysics of a cell from NeuroML 2 (`nml:` templates of SONATA): channel densities, capacitance,
/// resistivity and calcium dynamics by segment group. Channel kinetics are known by the name of the ion channel; the
/// morphology comes from its own file (Cannon et al. 2014, Frontiers in Neuroinformatics 8:79).
#pragma once

#include <filesystem>

#include "core/error.hpp"
#include "network/cell_models.hpp"

namespace triscale::io {

network::DetailedCell read_neuroml_cell(const std::filesystem::path& path, core::Diagnostics& diagnostics);

}  // namespace triscale::io
