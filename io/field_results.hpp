/// Result files of field probes.
///
/// Extracellular potentials as SONATA has them, written as the Allen Institute's tools read them:
///   /ecp/data        f64 (times x channels), attribute units = mV
///   /ecp/time        start, stop, dt; attribute units = ms: row i was taken at start + i dt
///   /ecp/channel_id  u64
/// and, beyond the format, /ecp/position_um (channels x 3) of the electrodes.
///
/// Other fields look the same in a group of their own name; docs/signals.md lists them.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "io/sample_file.hpp"
#include "network/field_probe.hpp"

namespace triscale::io {

/// What the channels of a field probe are.
struct FieldChannels {
  std::string group, unit;
  std::vector<std::uint64_t> ids;
  std::vector<double> positions_um;     ///< three a channel; empty if channels have no place
  std::vector<std::string> components;  ///< x, y or z of each channel; empty if channels are scalars
};
FieldChannels channels_of(const network::FieldProbe& probe);

/// Describes the channels beside <group>/data, which is there.
void write_channels(Hdf5File& file, const FieldChannels& channels);

/// Name of the result file of a field probe, without folder.
std::string field_file_of(const network::FieldProbe& probe);

/// A field that grows while a run goes on; memory stays constant.
class FieldWriter {
 public:
  FieldWriter(const std::filesystem::path& path, const network::FieldProbe& probe);
  void append(double t_ms, std::span<const double> values);
  /// Writes what is buffered and gives the file its name. `dt_ms`: the sampling interval.
  void finish(double dt_ms);

 private:
  FieldWriter(const std::filesystem::path& path, const FieldChannels& channels);

  std::string group_;
  SampleFile<double> file_;
};

}  // namespace triscale::io
