/// What the columns of a SONATA edge type mean: the synapse model, the weight rule, where on the dendrites.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "io/sonata_nodes.hpp"
#include "network/circuit.hpp"
#include "network/synapse_models.hpp"

namespace triscale::io {

/// What a synapse file says; `release` where the mechanism has short-term plasticity.
struct SynapseModel {
  std::variant<network::BiexponentialSynapse, network::InstantaneousSynapse, network::ReceptorSynapse> kinetics;
  std::optional<network::Release> release;
};

/// Reads synapse files once each.
class SynapseModels {
 public:
  SynapseModels(std::filesystem::path folder, core::Diagnostics& diagnostics)
      : folder_(std::move(folder)), diagnostics_(diagnostics) {}

  /// Model of an edge row, checked against the kind of its target; nothing after an error.
  std::optional<SynapseModel> find(const TypedRows& edges, std::size_t row, bool target_is_point);

  /// receptor_type of an edge row onto a cell of NEST (0 where the file does not say); nothing after an error.
  std::optional<int> nest_receptor(const TypedRows& edges, std::size_t row);

 private:
  std::optional<SynapseModel> read(const std::string& name, const std::string& model_template,
                                   const core::Problem& where);

  std::map<std::string, std::optional<int>> receptors_;  // by file
  std::filesystem::path folder_;
  core::Diagnostics& diagnostics_;
  std::map<std::pair<std::string, std::string>, std::optional<SynapseModel>> known_;  // by file and template
};

/// "['basal', 'apical']" and "[30.0, 150.0]"; nothing after an error.
std::optional<network::DendriticPlacement> read_placement(const TypedRows& edges, std::size_t row,
                                                          core::Diagnostics& diagnostics);

/// BMTK's gaussianLL: w exp(-(delta/sigma)^2), delta the difference of two orientations in degrees, folded to 0..90.
double gaussian_tuning_weight(double weight, double source_angle_deg, double target_angle_deg, double sigma_deg);

}  // namespace triscale::io
