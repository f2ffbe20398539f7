/// The weights of a plastic projection over time, as an HDF5 file:
///   /weights/<projection>/source, target  u64, one per edge: node ids (those of the file the circuit came from)
///   /weights/<projection>/weight          f64, times x edges, in the unit of the attribute `units`
///   /weights/<projection>/time            f64, one per sample, ms
/// with the attributes `source_population` and `target_population` on the group. A sample shows the weights before the
/// spikes of its moment. The order of the edges is that of the projection (network::edges_of): by target.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "io/sample_file.hpp"
#include "network/circuit.hpp"
#include "network/edges.hpp"

namespace triscale::io {

class WeightWriter {
 public:
  WeightWriter(const std::filesystem::path& path, const network::Circuit& circuit, const network::WeightProbe& probe);
  void append(double t_ms, std::span<const double> weights);
  void finish();

 private:
  WeightWriter(const std::filesystem::path& path, const network::Circuit& circuit, const network::WeightProbe& probe,
               const network::EdgeList& edges);

  std::string group_;
  SampleFile<double> file_;
  std::vector<double> times_ms_;
};

}  // namespace triscale::io
