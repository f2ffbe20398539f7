/// Reads spike files: SONATA's HDF5 (also of the time before populations had names) and its table of text (columns
/// timestamps, population, node_ids).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "network/circuit.hpp"

namespace triscale::io {

struct FileSpikes {
  std::vector<double> times_ms;
  std::vector<std::uint64_t> ids;
};
/// By node population; an empty name where the file does not tell.
using SpikesByPopulation = std::map<std::string, FileSpikes>;

/// A file whose name ends in .csv is a table; `table`: so is this one. Problems go to `diagnostics`.
SpikesByPopulation read_spike_file(const std::filesystem::path& path, core::Diagnostics& diagnostics,
                                   bool table = false);

/// By time, then by cell.
void sort_in_time(network::SpikeTrains& trains);

}  // namespace triscale::io
