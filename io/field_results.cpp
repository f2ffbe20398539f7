#include "io/field_results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "io/results.hpp"

namespace triscale::io {

namespace {

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

void write_channels(Hdf5File& file, const FieldChannels& channels) {
  file.write_attribute(channels.group + "/data", "units", channels.unit);
  file.write(channels.group + "/channel_id", channels.ids);
  if (!channels.positions_um.empty()) {
    file.write(channels.group + "/position_um", channels.positions_um, {channels.ids.size(), 3});
  }
  if (!channels.components.empty()) file.write_strings(channels.group + "/component", channels.components);
}

FieldWriter::FieldWriter(const std::filesystem::path& path, const network::FieldProbe& probe)
    : FieldWriter(path, channels_of(probe)) {}

FieldWriter::FieldWriter(const std::filesystem::path& path, const FieldChannels& channels)
    : group_(channels.group), file_(path, group_ + "/data", channels.ids.size()) {
  write_channels(file_.file(), channels);
}

void FieldWriter::append(double t_ms, std::span<const double> values) {
  file_.append(t_ms, values);
}

void FieldWriter::finish(double dt_ms) {
  file_.finish(group_ + "/time", file_.regular_times(dt_ms));
}

}  // namespace triscale::io
