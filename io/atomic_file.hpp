/// A result file that is either complete or absent: it is written under a temporary name in the same folder, synced,
/// and renamed over the final name, so that an interrupted run never leaves a file that looks complete.
#pragma once

#include <filesystem>
#include <string_view>

namespace triscale::io {

/// Usage: write temporary() and close it, then commit(). Without commit() the temporary file is removed.
class AtomicFile {
 public:
  /// Creates the parent folders if needed. Throws core::InputError where that fails.
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  const std::filesystem::path& temporary() const { return temporary_; }

  /// Syncs the temporary file to disk, renames it to path(), syncs the folder. Throws core::InputError naming the file.
  void commit();

 private:
  std::filesystem::path path_, temporary_;
  bool committed_ = false;
};

/// Writes a whole text file atomically.
void write_text_file(const std::filesystem::path& path, std::string_view text);

}  // namespace triscale::io
