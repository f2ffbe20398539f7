/// The part of HDF5 that triscale uses, as one class: numeric and string datasets, attributes, and tables that grow
/// while a run goes on. Errors are core::InputError with file and path inside it. HDF5's own error printing is off.
///
/// Integers are never clamped in silence: reading -1 as unsigned, 2^40 as 32 bits or 0.5 as an integer is an error.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace triscale::io {

class Hdf5File {
 public:
  /// Opens an existing file for reading.
  static Hdf5File open(const std::filesystem::path& path);
  /// Makes a new file, replacing an old one of this name.
  static Hdf5File create(const std::filesystem::path& path);
  ~Hdf5File();
  Hdf5File(Hdf5File&& other) noexcept;
  Hdf5File& operator=(Hdf5File&& other) noexcept;
  Hdf5File(const Hdf5File&) = delete;
  Hdf5File& operator=(const Hdf5File&) = delete;

  /// File name, for messages.
  const std::string& name() const { return name_; }
  /// Closes and reports what goes wrong in doing so (the destructor cannot).
  void close();

  // ---- reading; T is double, float, or a signed or unsigned integer of 32 or 64 bits ----

  bool exists(const std::string& path) const;
  bool is_group(const std::string& path) const;
  /// Names of the members of a group, ascending.
  std::vector<std::string> children(const std::string& group) const;
  /// Extents of a dataset; empty for a scalar.
  std::vector<std::size_t> shape(const std::string& path) const;
  bool is_string(const std::string& path) const;
  /// All elements in C order.
  template <class T>
  std::vector<T> read(const std::string& path) const;
  std::vector<std::string> read_strings(const std::string& path) const;

  bool has_attribute(const std::string& path, const std::string& attribute) const;
  template <class T>
  std::vector<T> attribute(const std::string& path, const std::string& attribute) const;
  std::string string_attribute(const std::string& path, const std::string& attribute) const;

  // ---- writing; groups on the way are made ----

  void make_group(const std::string& path);
  /// Without `shape` the dataset is one-dimensional; otherwise `shape` multiplies to values.size().
  template <class T>
  void write(const std::string& path, std::span<const T> values, const std::vector<std::size_t>& shape = {});
  template <class T>
  void write(const std::string& path, const std::vector<T>& values, const std::vector<std::size_t>& shape = {}) {
    write(path, std::span<const T>(values), shape);
  }
  void write_strings(const std::string& path, const std::vector<std::string>& values);

  /// A dataset that grows: columns == 0 makes it one-dimensional, else rows x columns.
  template <class T>
  void make_growing(const std::string& path, std::size_t columns, std::size_t chunk_rows = 4096);
  /// Adds whole rows at the end of a growing dataset.
  template <class T>
  void append(const std::string& path, std::span<const T> values);

  void write_attribute(const std::string& path, const std::string& attribute, const std::string& value);
  template <class T>
  void write_attribute(const std::string& path, const std::string& attribute, std::span<const T> values);
  /// An attribute of an HDF5 enumeration type with members names[i] = i (SONATA's `sorting`).
  void write_enum_attribute(const std::string& path, const std::string& attribute,
                            const std::vector<std::string>& names, std::size_t value);

 private:
  Hdf5File(std::string name, std::int64_t file) : name_(std::move(name)), file_(file) {}
  std::string name_;
  std::int64_t file_ = -1;
};

}  // namespace triscale::io
