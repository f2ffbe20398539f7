/// The JSON form of the point and mean-field descriptions, the same in recipes and in reduced.json. Keys are the names
/// of the fields of network/cell_models.hpp and network/synapse_models.hpp, with their units.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "io/json_object.hpp"
#include "network/cell_models.hpp"
#include "network/synapse_models.hpp"

namespace triscale::io {

using PointSynapseVariant = std::variant<network::PointSynapse, network::InstantaneousSynapse, network::CurrentSynapse,
                                         network::ReceptorSynapse>;
using DetailedSynapseVariant = std::variant<network::BiexponentialSynapse, network::InstantaneousSynapse,
                                            network::ReceptorSynapse, network::GapJunction>;

nlohmann::ordered_json to_json(const network::PointCell& cell);
nlohmann::ordered_json to_json(const network::MeanfieldCell& cell);
nlohmann::ordered_json to_json(const PointSynapseVariant& synapse);
nlohmann::ordered_json to_json(const network::MeanfieldSynapse& synapse);

// Readers report every problem, unknown keys included.
network::PointCell read_point_cell(const JsonObject& json);
network::MeanfieldCell read_meanfield_cell(const JsonObject& json);
PointSynapseVariant read_point_synapse(const JsonObject& json);
network::MeanfieldSynapse read_meanfield_synapse(const JsonObject& json);
DetailedSynapseVariant read_detailed_synapse(const JsonObject& json);
network::Release read_release(const JsonObject& json);
/// `unit`: of the synapse's weights, as it stands at the end of keys: "_uS", "_nA", "_mV" or nothing.
network::Plasticity read_plasticity(const JsonObject& json, const std::string& unit);

/// The keys of every kind of object that these functions read.
std::map<std::string, std::vector<std::string>> model_keys();

}  // namespace triscale::io
