#include "io/weight_results.hpp"

#include <algorithm>

#include "io/results.hpp"

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

std::string group_of(const network::Projection& projection) {
  std::string name = projection.name;
  std::replace(name.begin(), name.end(), '/', '_');
  return "/weights/" + name;
}

}  // namespace

WeightWriter::WeightWriter(const std::filesystem::path& path, const network::Circuit& circuit,
                           const network::WeightProbe& probe)
    : WeightWriter(path, circuit, probe, network::edges_of(circuit, probe.projection)) {}

WeightWriter::WeightWriter(const std::filesystem::path& path, const network::Circuit& circuit,
                           const network::WeightProbe& probe, const network::EdgeList& edges)
    : group_(group_of(circuit.projections[probe.projection])), file_(path, group_ + "/weight", edges.size()) {
  const network::Projection& projection = circuit.projections[probe.projection];
  const network::Population& source = circuit.populations[projection.source];
  const network::Population& target = circuit.populations[projection.target];
  Hdf5File& file = file_.file();
  file.write_attribute(group_, "source_population", file_population_of(source));
  file.write_attribute(group_, "target_population", file_population_of(target));
  file.write(group_ + "/source", ids_of(source, edges.sources));
  file.write(group_ + "/target", ids_of(target, edges.targets));
  file.write_attribute(group_ + "/weight", "units", weight_unit(circuit.synapse_types[projection.synapse_type]));
}

void WeightWriter::append(double t_ms, std::span<const double> weights) {
  times_ms_.push_back(t_ms);
  file_.append(t_ms, weights);
}

void WeightWriter::finish() {
  file_.finish(group_ + "/time", times_ms_);
}

}  // namespace triscale::io
