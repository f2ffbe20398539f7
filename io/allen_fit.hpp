/// Reads the biophysics of a cell from a fit file of the Allen Cell Types Database (JSON; `ctdb:` templates of SONATA):
/// `passive` (ra, cm, e_pas), `conditions` (reversal potentials) and `genome` (one parameter of one kind of section a
/// row).
#pragma once

#include <filesystem>

#include "core/error.hpp"
#include "network/cell_models.hpp"

namespace triscale::io {

/// The cell without its morphology. The file's celsius and v_init are those of the fit; the simulation config's hold.
network::DetailedCell read_allen_fit(const std::filesystem::path& path, core::Diagnostics& diagnostics);

}  // namespace triscale::io
