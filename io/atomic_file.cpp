#include "io/atomic_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>

#include "core/error.hpp"

namespace triscale::io {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what, const std::string& reason) {
  throw core::InputError(
      {path.string(), "", "", what + ": " + reason, "check that the folder exists, is writable and has space left"});
}

/// fsync of a file or folder that is not open any more.
void sync(const std::filesystem::path& target, int flags, const std::filesystem::path& reported) {
  const int descriptor = ::open(target.c_str(), flags | O_CLOEXEC);
  if (descriptor < 0) fail(reported, "cannot be opened for syncing", std::strerror(errno));
  const int result = ::fsync(descriptor);
  const int error = errno;
  ::close(descriptor);
  // Some file systems refuse to sync a folder (EINVAL); the rename has still happened.
  if (result != 0 && error != EINVAL) fail(reported, "cannot be synced to disk", std::strerror(error));
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code error;
  std::filesystem::create_directories(folder_of(path_), error);
  if (error) fail(path_, "its folder cannot be made", error.message());
  temporary_ = path_;
  temporary_ += ".partial-" + std::to_string(::getpid());
}

AtomicFile::~AtomicFile() {
  if (committed_) return;
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
}

void AtomicFile::commit() {
  sync(temporary_, O_RDONLY, path_);
  std::error_code error;
  std::filesystem::rename(temporary_, path_, error);
  if (error) fail(path_, "the finished file cannot be given its final name", error.message());
  committed_ = true;
  sync(folder_of(path_), O_RDONLY | O_DIRECTORY, path_);
}

void write_text_file(const std::filesystem::path& path, std::string_view text) {
  AtomicFile file(path);
  {
    std::ofstream stream(file.temporary(), std::ios::binary | std::ios::trunc);
    stream.write(text.data(), static_cast<std::streamsize>(text.size()));
    stream.close();
    if (!stream) fail(path, "cannot be written", std::strerror(errno));
  }
  file.commit();
}

}  // namespace triscale::io
