#include "io/field_results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "io/results.hpp"

namespace triscale::io {

namespace {

/// Samples are handed to HDF5 in pieces of about this many values.
constexpr std::size_t kBufferedValues = std::size_t{1} << 16;

void add_position(FieldChannels& channels, const core::Vec3& position) {
  channels.positions_um.insert(channels.positions_um.end(), position.begin(), position.end());
}

FieldChannels channels_of_signal(const network::ExtracellularPotential& signal) {
  FieldChannels channels{"/ecp", "mV", {}, {}, {}};
  for (const network::Electrode& electrode : signal.electrodes) {
    channels.ids.push_back(electrode.id);
    add_position(channels, electrode.position_um);
  }
  return channels;
}

FieldChannels channels_of_signal(const network::CurrentSourceDensity& signal) {
  FieldChannels channels{"/csd", "nA/um3", {}, {}, {}};
  for (const network::Volume& volume : signal.volumes) {
    channels.ids.push_back(volume.id);
    core::Vec3 middle;
    for (std::size_t k = 0; k < 3; ++k) middle[k] = 0.5 * (volume.low_um[k] + volume.high_um[k]);
    add_position(channels, middle);
  }
  return channels;
}

FieldChannels channels_of_signal(const network::CurrentDipole&) {
  return {"/dipole", "nA um", {0, 1, 2}, {}, {"x", "y", "z"}};
}

FieldChannels channels_of_signal(const network::Eeg& signal) {
  FieldChannels channels{"/eeg", "mV", {}, {}, {}};
  for (const network::Electrode& electrode : signal.electrodes) {
    channels.ids.push_back(electrode.id);
    add_position(channels, electrode.position_um);
  }
  return channels;
}

FieldChannels channels_of_signal(const network::Meg& signal) {
  FieldChannels channels{"/meg", "fT", {}, {}, {}};
  for (const network::Meg::Sensor& sensor : signal.sensors) {
    const std::vector<std::string> components =
        sensor.direction ? std::vector<std::string>{"direction"} : std::vector<std::string>{"x", "y", "z"};
    for (const std::string& component : components) {
      channels.ids.push_back(sensor.id);
      add_position(channels, sensor.position_um);
      channels.components.push_back(component);
    }
  }
  return channels;
}

}  // namespace

FieldChannels channels_of(const network::FieldProbe& probe) {
  return std::visit([](const auto& signal) { return channels_of_signal(signal); }, probe.signal);
}

std::string field_file_of(const network::FieldProbe& probe) {
  return (probe.report.empty() ? probe.name : probe.report) + ".h5";
}

FieldWriter::FieldWriter(const std::filesystem::path& path, const network::FieldProbe& probe)
    : place_(path), file_(Hdf5File::create(place_.temporary())) {
  const FieldChannels channels = channels_of(probe);
  group_ = channels.group;
  channels_ = channels.ids.size();
  write_root_attributes(file_);
  file_.make_group(group_);
  file_.make_growing<double>(group_ + "/data", channels_,
                             std::clamp<std::size_t>(kBufferedValues / (channels_ + 1), 1, 4096));
  file_.write_attribute(group_ + "/data", "units", channels.unit);
  file_.write(group_ + "/channel_id", channels.ids);
  if (!channels.positions_um.empty()) file_.write(group_ + "/position_um", channels.positions_um, {channels_, 3});
  if (!channels.components.empty()) file_.write_strings(group_ + "/component", channels.components);
}

void FieldWriter::append(double t_ms, std::span<const double> values) {
  if (values.size() != channels_) {
    throw core::InputError({place_.path().string(), group_, fmt::format("{} values", values.size()),
                            fmt::format("must have {} values a sample", channels_), ""});
  }
  if (samples_++ == 0) first_ms_ = t_ms;
  buffer_.insert(buffer_.end(), values.begin(), values.end());
  if (buffer_.size() >= kBufferedValues) flush();
}

void FieldWriter::flush() {
  if (!buffer_.empty()) file_.append<double>(group_ + "/data", buffer_);
  buffer_.clear();
}

void FieldWriter::finish(double dt_ms) {
  flush();
  const double end_ms = first_ms_ + static_cast<double>(samples_) * dt_ms;
  file_.write(group_ + "/time", std::vector<double>{first_ms_, end_ms, dt_ms});
  file_.write_attribute(group_ + "/time", "units", "ms");
  file_.close();
  place_.commit();
}

}  // namespace triscale::io
