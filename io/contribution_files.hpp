/// What each single cell adds to a field, in a file of its own, as BMTK writes its contributions_dir:
///   <folder>/<node id>.h5                     where all cells are of one node population, else
///   <folder>/<node population>_<node id>.h5
///     /ecp/data   f32 (times x channels); the sum over all cells is /ecp/data of the probe's own file
/// and, beyond BMTK's, /ecp/time, channel_id and position_um as in that file (io/field_results.hpp).
///
/// Samples come for all cells at once and files are written one after the other: in between they wait in one temporary
/// file, in blocks of [cell][sample][channel]. Neither the memory nor the number of open files grows with time or
/// cells. Every file has its name only when it is complete.
#pragma once

#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "io/atomic_file.hpp"
#include "io/field_results.hpp"
#include "network/circuit.hpp"

namespace triscale::io {

/// Names of the files, without folder, in the order of network::contributing_cells(). None unless the probe asks for
/// them.
std::vector<std::string> contribution_files_of(const network::Circuit& circuit, const network::FieldProbe& probe);

class ContributionFiles {
 public:
  /// At most about `block_bytes` of samples are kept in memory (one sample of all cells at least).
  ContributionFiles(std::filesystem::path folder, const network::Circuit& circuit, const network::FieldProbe& probe,
                    std::size_t block_bytes = std::size_t{32} << 20);

  /// values[cell * channels + channel].
  void append(double t_ms, std::span<const float> values);
  /// Writes all files. `dt_ms`: the sampling interval.
  void finish(double dt_ms);

 private:
  void write_block();
  void write_cell(std::size_t cell, double dt_ms);

  std::filesystem::path folder_;
  std::vector<std::string> names_;
  FieldChannels channels_;
  std::size_t row_;            // values of a cell in a sample
  std::size_t block_;          // samples in a block
  AtomicFile scratch_;         // never gets its name
  std::fstream waiting_;       // the blocks
  std::vector<float> buffer_;  // [cell][sample in block][channel]
  std::size_t samples_ = 0, in_block_ = 0;
  double first_ms_ = 0;
};

}  // namespace triscale::io
