#include "io/model_json.hpp"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <utility>
#include <variant>

#include "io/model_visitors.hpp"

namespace triscale::io {

namespace {

using Json = nlohmann::ordered_json;
using network::BiexponentialSynapse;
using network::CurrentSynapse;
using network::GapJunction;
using network::InstantaneousSynapse;
using network::MeanfieldCell;
using network::MeanfieldSynapse;
using network::PointCell;
using network::PointSynapse;
using network::Receptor;
using network::ReceptorSynapse;
using network::Release;
using network::SiteTransfer;

const std::vector<std::string> kModelKey{"model"};

template <class List, class Work, std::size_t... i>
void for_each_of(const Work& work, std::index_sequence<i...>) {
  (work(std::variant_alternative_t<i, List>{}), ...);
}
/// Calls work(T{}) for every type T of a variant.
template <class List, class Work>
void for_each_of(const Work& work) {
  for_each_of<List>(work, std::make_index_sequence<std::variant_size_v<List>>{});
}

/// For an object whose model is missing or not known: reports the models that exist, and its other problems as those of
/// the model that its keys fit best. `Models`: a variant of what can be read.
template <class Models>
void unknown_model(const JsonObject& json, const std::string& known) {
  if (json.is_text("model")) json.error("model", "must be one of " + known);
  std::size_t best = 0, fewest = std::numeric_limits<std::size_t>::max(), index = 0;
  for_each_of<Models>([&](auto model) {
    core::Diagnostics problems;
    ModelReader::of<decltype(model)>(json.with(problems), kModelKey);
    if (problems.errors().size() < fewest) {
      fewest = problems.errors().size();
      best = index;
    }
    ++index;
  });
  index = 0;
  for_each_of<Models>([&](auto model) {
    if (index++ == best) ModelReader::of<decltype(model)>(json, kModelKey);
  });
}

}  // namespace

Json to_json(const PointCell& cell) {
  return std::visit(
      [](const auto& model) {
        return ModelWriter::of(model, std::string(std::decay_t<decltype(model)>::kName).c_str());
      },
      cell.model);
}

Json to_json(const MeanfieldCell& cell) {
  return ModelWriter::of(cell);
}

Json to_json(const PointSynapseVariant& synapse) {
  if (const auto* conductance = std::get_if<PointSynapse>(&synapse))
    return ModelWriter::of(*conductance, "conductance");
  if (const auto* current = std::get_if<CurrentSynapse>(&synapse)) {
    using Shape = CurrentSynapse::Shape;
    return ModelWriter::of(*current, current->shape == Shape::exponential ? "current_exponential"
                                     : current->shape == Shape::alpha     ? "current_alpha"
                                                                          : "current_delta");
  }
  if (const auto* several = std::get_if<ReceptorSynapse>(&synapse)) return ModelWriter::of(*several, "receptors");
  return ModelWriter::of(std::get<InstantaneousSynapse>(synapse), "instantaneous");
}

Json to_json(const MeanfieldSynapse& synapse) {
  return ModelWriter::of(synapse);
}

PointCell read_point_cell(const JsonObject& json) {
  const std::string name = json.required_text("model").value_or("");
  PointCell cell;
  std::string known;
  bool found = false;
  for_each_of<network::PointModel>([&](auto model) {
    using Model = decltype(model);
    known += (known.empty() ? "" : ", ") + std::string(Model::kName);
    if (name != Model::kName) return;
    found = true;
    cell.model = ModelReader::of<Model>(json, kModelKey);
  });
  if (!found) unknown_model<network::PointModel>(json, known);
  return cell;
}

MeanfieldCell read_meanfield_cell(const JsonObject& json) {
  return ModelReader::of<MeanfieldCell>(json);
}

PointSynapseVariant read_point_synapse(const JsonObject& json) {
  const std::string model = json.required_text("model").value_or("");
  if (model == "conductance") return ModelReader::of<PointSynapse>(json, kModelKey);
  if (model == "instantaneous") return ModelReader::of<InstantaneousSynapse>(json, kModelKey);
  if (model == "current_exponential") return CurrentSynapse(ModelReader::of<ExponentialCurrent>(json, kModelKey));
  if (model == "current_alpha") return CurrentSynapse(ModelReader::of<AlphaCurrent>(json, kModelKey));
  if (model == "current_delta") return CurrentSynapse(ModelReader::of<DeltaCurrent>(json, kModelKey));
  if (model == "receptors") return ModelReader::of<ReceptorSynapse>(json, kModelKey);
  unknown_model<std::variant<PointSynapse, InstantaneousSynapse, ExponentialCurrent, DeltaCurrent, ReceptorSynapse>>(
      json, "conductance, receptors, instantaneous, current_exponential, current_alpha, current_delta");
  return PointSynapse{};
}

MeanfieldSynapse read_meanfield_synapse(const JsonObject& json) {
  return ModelReader::of<MeanfieldSynapse>(json);
}

DetailedSynapseVariant read_detailed_synapse(const JsonObject& json) {
  const std::string model = json.required_text("model").value_or("");
  if (model == "biexponential") return ModelReader::of<BiexponentialSynapse>(json, kModelKey);
  if (model == "instantaneous") return ModelReader::of<InstantaneousSynapse>(json, kModelKey);
  if (model == "receptors") return ModelReader::of<ReceptorSynapse>(json, kModelKey);
  if (model == "gap_junction") return ModelReader::of<GapJunction>(json, kModelKey);
  unknown_model<std::variant<BiexponentialSynapse, InstantaneousSynapse, ReceptorSynapse, GapJunction>>(
      json, "biexponential, receptors, gap_junction, instantaneous");
  return BiexponentialSynapse{};
}

Release read_release(const JsonObject& json) {
  if (!json.has("failure_probability")) return ModelReader::of<Release>(json);
  if (json.has("U")) json.error("U", "must not stand beside failure_probability, which determines it");
  UnreliableRelease release = ModelReader::of<UnreliableRelease>(json, {"U"});
  const double failure = release.failure_probability;
  if (!(failure >= 0 && failure < 1)) json.error("failure_probability", "must lie in [0, 1)");
  if (release.sites == 0) json.error("sites", "must be a whole number from 1 on");
  release.U = 1 - std::pow(failure, 1.0 / release.sites);
  return release;
}

network::Plasticity read_plasticity(const JsonObject& json, const std::string& unit) {
  network::Plasticity plasticity;
  if (const auto rule = json.object("rule")) {
    const std::string name = rule->required_text("model").value_or("");
    std::string known;
    bool found = false;
    for_each_of<network::PlasticRule>([&](auto type) {
      using Rule = decltype(type);
      if constexpr (!std::is_same_v<Rule, std::monostate>) {
        known += (known.empty() ? "" : ", ") + std::string(Rule::kName);
        if (name != Rule::kName) return;
        found = true;
        plasticity.rule = ModelReader::of<Rule>(*rule, kModelKey);
      }
    });
    if (!found) {
      unknown_model<std::variant<network::PairStdp, network::TripletStdp, network::InhibitoryPlasticity>>(*rule, known);
    }
  }
  plasticity.w_max = json.required_number("w_max" + unit).value_or(1);
  if (const auto scaling = json.object("homeostasis")) {
    plasticity.scaling = ModelReader::of<network::HomeostaticScaling>(*scaling);
  }
  json.reject_unread(model_keys().at("plasticity"));
  return plasticity;
}

std::map<std::string, std::vector<std::string>> model_keys() {
  std::map<std::string, std::vector<std::string>> keys = {
      {"current_exponential", ModelKeys::of<ExponentialCurrent>(kModelKey)},
      {"current_alpha", ModelKeys::of<AlphaCurrent>(kModelKey)},
      {"current_delta", ModelKeys::of<DeltaCurrent>(kModelKey)},
      {"meanfield_cell", ModelKeys::of<MeanfieldCell>()},
      {"biexponential", ModelKeys::of<BiexponentialSynapse>(kModelKey)},
      {"receptor", ModelKeys::of<PlacedReceptor>()},
      {"receptors", ModelKeys::of<ReceptorSynapse>(kModelKey)},
      {"detailed_receptor", ModelKeys::of<Receptor>()},
      {"gap_junction", ModelKeys::of<GapJunction>(kModelKey)},
      {"release", ModelKeys::of<Release>({"failure_probability"})},
      {"instantaneous", ModelKeys::of<InstantaneousSynapse>(kModelKey)},
      {"conductance", ModelKeys::of<PointSynapse>(kModelKey)},
      {"site", ModelKeys::of<SiteTransfer>()},
      {"after_spike_current", ModelKeys::of<network::GlifModel::AfterSpikeCurrent>()},
      {"meanfield_synapse", ModelKeys::of<MeanfieldSynapse>()}};
  keys["plasticity"] = {"rule", "w_max", "w_max_uS", "w_max_nA", "w_max_mV", "homeostasis"};
  for_each_of<network::PlasticRule>([&](auto rule) {
    using Rule = decltype(rule);
    if constexpr (!std::is_same_v<Rule, std::monostate>) {
      keys[std::string(Rule::kName)] = ModelKeys::of<Rule>(kModelKey);
    }
  });
  keys["homeostasis"] = ModelKeys::of<network::HomeostaticScaling>();
  for_each_of<network::PointModel>([&keys](auto model) {
    using Model = decltype(model);
    keys[std::string(Model::kName)] = ModelKeys::of<Model>(kModelKey);
  });
  return keys;
}

}  // namespace triscale::io
