/// Reads a circuit in the SONATA format (Dai et al. 2020, PLoS Computational Biology 16:e1007696), Allen Institute's
/// dialect, as written for NEURON or NEST: simulation and circuit configs with manifests, nodes and edges in HDF5 with
/// groups, type tables, node sets, spike and current-clamp inputs, membrane reports, `nml:` and `ctdb:` cells,
/// `nrn:IntFire1` cells, and BMTK's PointNet (`nest:` cells, io/nest_cell.hpp).
///
/// A SONATA node population becomes one network::Population per node type; edges become one projection per (source,
/// target, edge type); a synapse type belongs to one target cell type. Whatever a file asks for that is not supported
/// is an error if it changes the dynamics and a warning if it is only a recording.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "network/circuit.hpp"

namespace triscale::io {

/// The config's `output` section.
struct OutputSettings {
  std::string output_dir;
  std::string spikes_file = "spikes.h5";
  std::string spikes_sort_order = "none";
};

/// One report of the config: its probes (one per population), to be written to one file.
struct ReportSettings {
  std::string name;
  std::string file_name;
  std::string variable;
  std::vector<std::size_t> probes;  ///< indices into Circuit::probes
};

struct LoadedCircuit {
  network::Circuit circuit;
  core::Diagnostics diagnostics;  ///< warnings; there are no errors
  OutputSettings output;
  std::vector<ReportSettings> reports;
};

/// `config` is a simulation config, a wrapper {"network": ..., "simulation": ...}, or everything in one file. Throws
/// InputError with all problems of all files at once.
LoadedCircuit load_sonata(const std::filesystem::path& config);

/// True if the file is JSON and has the keys of a SONATA config (and so is not a recipe).
bool looks_like_sonata(const std::filesystem::path& config);

}  // namespace triscale::io
