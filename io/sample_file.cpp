#include "io/sample_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "io/results.hpp"

namespace triscale::io {

namespace {

/// Samples are handed to HDF5 in pieces of about this many values.
constexpr std::size_t kBufferedValues = std::size_t{1} << 18;

}  // namespace

template <class T>
SampleFile<T>::SampleFile(const std::filesystem::path& path, std::string data, std::size_t columns)
    : place_(path), file_(Hdf5File::create(place_.temporary())), data_(std::move(data)), columns_(columns) {
  write_root_attributes(file_);
  file_.make_growing<T>(data_, columns_, std::clamp<std::size_t>(kBufferedValues / (columns_ + 1), 1, 4096));
}

template <class T>
void SampleFile<T>::append(double t_ms, std::span<const double> values) {
  if (values.size() != columns_) {
    throw core::InputError({place_.path().string(), data_, fmt::format("{} values", values.size()),
                            fmt::format("must have {} values a sample", columns_),
                            "what is recorded was described differently when the file was made"});
  }
  if (samples_++ == 0) first_ms_ = t_ms;
  last_ms_ = t_ms;
  for (const double value : values) buffer_.push_back(static_cast<T>(value));
  if (buffer_.size() >= kBufferedValues) flush();
}

template <class T>
void SampleFile<T>::flush() {
  if (!buffer_.empty()) file_.append<T>(data_, buffer_);
  buffer_.clear();
}

template <class T>
double SampleFile<T>::interval_ms(double otherwise) const {
  return samples_ > 1 ? (last_ms_ - first_ms_) / static_cast<double>(samples_ - 1) : otherwise;
}

template <class T>
std::vector<double> SampleFile<T>::regular_times(double interval_ms) const {
  return {first_ms_, first_ms_ + static_cast<double>(samples_) * interval_ms, interval_ms};
}

template <class T>
void SampleFile<T>::finish(const std::string& name, const std::vector<double>& times_ms) {
  flush();
  file_.write(name, times_ms);
  file_.write_attribute(name, "units", "ms");
  file_.close();
  place_.commit();
}

template class SampleFile<float>;
template class SampleFile<double>;

}  // namespace triscale::io
