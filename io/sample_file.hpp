/// An HDF5 file with one table of samples (times x columns) that grows while a run goes on: memory stays constant, and
/// the file has its final name only when it is complete.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "io/atomic_file.hpp"
#include "io/hdf5.hpp"

namespace triscale::io {

/// T: the type in the file, float or double.
template <class T>
class SampleFile {
 public:
  /// Makes the file, with SONATA's mark, and the empty table `data`.
  SampleFile(const std::filesystem::path& path, std::string data, std::size_t columns);

  /// To write what describes the table.
  Hdf5File& file() { return file_; }

  /// Throws core::InputError if the number of values is not the number of columns.
  void append(double t_ms, std::span<const double> values);

  /// Mean distance of the samples so far; `otherwise` if there are fewer than two.
  double interval_ms(double otherwise) const;
  /// {start, stop, interval} of regular samples, as SONATA has it.
  std::vector<double> regular_times(double interval_ms) const;

  /// Writes what is buffered and `times_ms` as dataset `name`, and gives the file its name.
  void finish(const std::string& name, const std::vector<double>& times_ms);

 private:
  void flush();

  AtomicFile place_;
  Hdf5File file_;
  std::string data_;
  std::size_t columns_;
  std::vector<T> buffer_;
  std::size_t samples_ = 0;
  double first_ms_ = 0, last_ms_ = 0;
};

}  // namespace triscale::io
