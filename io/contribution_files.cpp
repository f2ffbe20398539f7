#include "io/contribution_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "core/error.hpp"
#include "io/results.hpp"
#include "network/field_cells.hpp"

namespace triscale::io {

namespace {

/// Values are handed to HDF5 in pieces of about this many.
constexpr std::size_t kPiece = std::size_t{1} << 18;

std::filesystem::path waiting_place(std::filesystem::path folder) {
  return folder += ".samples";
}

}  // namespace

std::vector<std::string> contribution_files_of(const network::Circuit& circuit, const network::FieldProbe& probe) {
  std::vector<std::string> names;
  if (probe.contributions_dir.empty()) return names;
  const std::vector<network::CellPlace> cells = network::contributing_cells(circuit, probe);
  std::set<std::string> node_populations;
  for (const network::CellPlace& place : cells) {
    node_populations.insert(file_population_of(circuit.populations[place.population]));
  }
  for (const network::CellPlace& place : cells) {
    const network::Population& population = circuit.populations[place.population];
    const std::string prefix = node_populations.size() > 1 ? file_population_of(population) + "_" : "";
    names.push_back(fmt::format("{}{}.h5", prefix, file_id_of(population, place.cell)));
  }
  return names;
}

ContributionFiles::ContributionFiles(std::filesystem::path folder, const network::Circuit& circuit,
                                     const network::FieldProbe& probe, std::size_t block_bytes)
    : folder_(std::move(folder)),
      names_(contribution_files_of(circuit, probe)),
      channels_(channels_of(probe)),
      row_(channels_.ids.size()),
      block_(std::max<std::size_t>(1, block_bytes / std::max<std::size_t>(1, names_.size() * row_ * sizeof(float)))),
      scratch_(waiting_place(folder_)),
      waiting_(scratch_.temporary(), std::ios::binary | std::ios::in | std::ios::out | std::ios::trunc),
      buffer_(names_.size() * block_ * row_) {}

void ContributionFiles::append(double t_ms, std::span<const float> values) {
  if (values.size() != names_.size() * row_) {
    throw core::InputError({folder_.string(), channels_.group + "/data", fmt::format("{} values", values.size()),
                            fmt::format("must be {} channels of {} cells", row_, names_.size()), ""});
  }
  if (samples_ == 0) first_ms_ = t_ms;
  for (std::size_t cell = 0; cell < names_.size(); ++cell) {
    std::copy_n(values.data() + cell * row_, row_, buffer_.data() + (cell * block_ + in_block_) * row_);
  }
  ++samples_;
  if (++in_block_ == block_) write_block();
}

/// The last block may be shorter; its cells keep their distance.
void ContributionFiles::write_block() {
  waiting_.write(reinterpret_cast<const char*>(buffer_.data()),
                 static_cast<std::streamsize>(buffer_.size() * sizeof(float)));
  in_block_ = 0;
  if (waiting_) return;
  throw core::InputError({scratch_.path().string(), "", "", "cannot be written",
                          "contributions of single cells wait in this file; check that the folder has space left"});
}

void ContributionFiles::finish(double dt_ms) {
  if (in_block_ > 0) write_block();
  waiting_.flush();
  for (std::size_t cell = 0; cell < names_.size(); ++cell) write_cell(cell, dt_ms);
}

void ContributionFiles::write_cell(std::size_t cell, double dt_ms) {
  AtomicFile place(folder_ / names_[cell]);
  Hdf5File file = Hdf5File::create(place.temporary());
  write_root_attributes(file);
  const std::string data = channels_.group + "/data";
  const std::size_t rows = std::min(samples_, std::max<std::size_t>(1, kPiece / std::max<std::size_t>(1, row_)));
  file.make_growing<float>(data, row_, std::min<std::size_t>(rows, 4096));
  std::vector<float> piece;
  for (std::size_t at = 0; at < samples_; at += block_) {
    const std::size_t before = piece.size(), count = std::min(block_, samples_ - at) * row_;
    piece.resize(before + count);
    waiting_.seekg(static_cast<std::streamoff>((at * names_.size() + cell * block_) * row_ * sizeof(float)));
    waiting_.read(reinterpret_cast<char*>(piece.data() + before), static_cast<std::streamsize>(count * sizeof(float)));
    if (!waiting_) throw core::InputError({scratch_.path().string(), "", "", "cannot be read back", ""});
    if (piece.size() < kPiece && at + block_ < samples_) continue;
    file.append<float>(data, piece);
    piece.clear();
  }
  write_channels(file, channels_);
  const double stop_ms = first_ms_ + static_cast<double>(samples_) * dt_ms;
  file.write(channels_.group + "/time", std::vector<double>{first_ms_, stop_ms, dt_ms});
  file.write_attribute(channels_.group + "/time", "units", "ms");
  file.close();
  place.commit();
}

}  // namespace triscale::io
