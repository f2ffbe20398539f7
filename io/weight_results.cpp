#include "io/weight_results.hpp"

#include <algorithm>

#include "io/results.hpp"
#include "network/edges.hpp"

namespace triscale::io {

namespace {

std::string weight_unit(const network::SynapseType& type) {
  if (const auto* current = std::get_if<network::CurrentSynapse>(&*type.point)) {
    return current->shape == network::CurrentSynapse::Shape::delta ? "mV" : "nA";
  }
  return std::holds_alternative<network::InstantaneousSynapse>(*type.point) ? "1" : "uS";
}

std::vector<std::uint64_t> ids_of(const network::Population& population, const std::vector<std::uint32_t>& cells) {
  std::vector<std::uint64_t> ids;
  for (const std::uint32_t cell : cells) ids.push_back(file_id_of(population, cell));
  return ids;
}

}  // namespace

WeightWriter::WeightWriter(const std::filesystem::path& path, const network::Circuit& circuit,
                           const network::WeightProbe& probe)
    : place_(path), file_(Hdf5File::create(place_.temporary())) {
  const network::Projection& projection = circuit.projections[probe.projection];
  const network::Population& source = circuit.populations[projection.source];
  const network::Population& target = circuit.populations[projection.target];
  const network::EdgeList edges = network::edges_of(circuit, probe.projection);
  group_ = "/weights/" + projection.name;
  std::replace(group_.begin() + 9, group_.end(), '/', '_');
  write_root_attributes(file_);
  file_.make_group(group_);
  file_.write_attribute(group_, "source_population", file_population_of(source));
  file_.write_attribute(group_, "target_population", file_population_of(target));
  file_.write(group_ + "/source", ids_of(source, edges.sources));
  file_.write(group_ + "/target", ids_of(target, edges.targets));
  file_.make_growing<double>(group_ + "/weight", edges.size(), 16);
  file_.write_attribute(group_ + "/weight", "units", weight_unit(circuit.synapse_types[projection.synapse_type]));
}

void WeightWriter::append(double t_ms, std::span<const double> weights) {
  times_ms_.push_back(t_ms);
  file_.append<double>(group_ + "/weight", weights);
}

void WeightWriter::finish() {
  file_.write(group_ + "/time", times_ms_);
  file_.write_attribute(group_ + "/time", "units", "ms");
  file_.close();
  place_.commit();
}

}  // namespace triscale::io
