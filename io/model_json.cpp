#include "io/model_json.hpp"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

namespace triscale::io {

namespace {

using Json = nlohmann::ordered_json;
using network::BiexponentialSynapse;
using network::CurrentSynapse;
using network::ExponentialKernel;
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
using network::TransferFunction;

// Every structure lists its keys once, in fields(); Reader, Writer and KeyLister walk that list. optional() marks what
// may be left out when it has its default.

/// Models of point cells list theirs themselves (network/point_models.hpp).
template <class V, class Model>
auto fields(V& v, Model& m) -> decltype(m.fields(v)) {
  m.fields(v);
}

template <class V>
void fields(V& v, MeanfieldCell& cell) {
  TransferFunction& f = cell.transfer;
  v("C_m_nF", f.C_m_nF);
  v("g_L_uS", f.g_L_uS);
  v("E_L_mV", f.E_L_mV);
  v("t_ref_ms", f.t_ref_ms);
  v.optional("dead_time_ms", f.dead_time_ms);
  v.optional("dead_time_at_hz", f.dead_time_at_hz);
  v.list("P_mV", f.P_mV);
  v("mu_0_mV", f.mu_0_mV);
  v("d_mu_mV", f.d_mu_mV);
  v("sigma_0_mV", f.sigma_0_mV);
  v("d_sigma_mV", f.d_sigma_mV);
  v("tau_0", f.tau_0);
  v("d_tau", f.d_tau);
  v.optional_list("fitted_mu_mV", f.fitted_mu_mV);
  v.optional_list("fitted_sigma_mV", f.fitted_sigma_mV);
  v.optional_list("fitted_tau", f.fitted_tau);
  v.kernels("adaptation", "amplitude_nA", f.adaptation_nA);
  v("time_constant_ms", cell.time_constant_ms);
}

template <class V>
void fields(V& v, BiexponentialSynapse& s) {
  v.optional("tau_rise_ms", s.tau_rise_ms);
  v("tau_decay_ms", s.tau_decay_ms);
  v("E_rev_mV", s.E_rev_mV);
}

template <class V>
void fields(V& v, Receptor& r) {
  fields(v, r.kinetics);
  v.optional("weight_factor", r.weight_factor);
  v.optional("Mg_mM", r.Mg_mM);
}

template <class V>
void fields(V&, GapJunction&) {}

template <class V>
void fields_beside_U(V& v, Release& r) {
  v.optional("tau_recovery_ms", r.tau_recovery_ms);
  v.optional("tau_facilitation_ms", r.tau_facilitation_ms);
  v.optional_whole("sites", r.sites);
  v.optional("facilitation", r.facilitation);
  v.optional("p_start", r.p_start);
  v.optional("recovery_speedup", r.recovery_speedup);
  v.optional("tau_speedup_ms", r.tau_speedup_ms);
  v.optional("baseline_drop", r.baseline_drop);
  v.optional("tau_baseline_ms", r.tau_baseline_ms);
  v.optional("desensitisation", r.desensitisation);
  v.optional("tau_desensitisation_ms", r.tau_desensitisation_ms);
}

template <class V>
void fields(V& v, Release& r) {
  v("U", r.U);
  fields_beside_U(v, r);
}

/// With N sites a first spike fails with probability (1 - U)^N, which stands in place of U.
struct UnreliableRelease : Release {
  UnreliableRelease() { sites = 1; }
  double failure_probability = 0.5;
};
template <class V>
void fields(V& v, UnreliableRelease& r) {
  v("failure_probability", r.failure_probability);
  fields_beside_U(v, r);
}

template <class V>
void fields(V& v, InstantaneousSynapse& s) {
  v.whole("sign", s.sign);
}

/// A current synapse of a given shape; "model" says which.
struct ExponentialCurrent : CurrentSynapse {
  ExponentialCurrent() { shape = Shape::exponential; }
};
struct AlphaCurrent : CurrentSynapse {
  AlphaCurrent() { shape = Shape::alpha; }
};
struct DeltaCurrent : CurrentSynapse {
  DeltaCurrent() { shape = Shape::delta; }
};

template <class V>
void fields(V& v, CurrentSynapse& s) {
  if (s.shape != CurrentSynapse::Shape::delta) v("tau_ms", s.tau_ms);
  v.whole("sign", s.sign);
}

template <class V>
void fields(V& v, SiteTransfer& row) {
  v.whole("section", row.section);
  v("begin", row.begin);
  v("end", row.end);
  v("attenuation", row.attenuation);
  v("shunt_per_uS", row.shunt_per_uS);
  v("extra_delay_ms", row.extra_delay_ms);
  v.whole("receptor", row.receptor);
}

template <class V>
void fields(V& v, ReceptorSynapse& s) {
  v.objects("receptors", s.receptors);
  v.optional_objects("sites", s.sites);
}

/// A receptor of a point neuron, where alone at_soma has a meaning.
struct PlacedReceptor : BiexponentialSynapse {
  PlacedReceptor() = default;
  explicit PlacedReceptor(const BiexponentialSynapse& receptor) : BiexponentialSynapse(receptor) {}
};
template <class V>
void fields(V& v, PlacedReceptor& r) {
  fields(v, static_cast<BiexponentialSynapse&>(r));
  v.optional_flag("at_soma", r.at_soma);
}

template <class V>
void fields(V& v, PointSynapse& s) {
  std::vector<PlacedReceptor> receptors(s.receptors.begin(), s.receptors.end());
  v.objects("receptors", receptors);
  s.receptors.assign(receptors.begin(), receptors.end());
  v.optional_objects("sites", s.sites);
}

template <class V>
void fields(V& v, MeanfieldSynapse& s) {
  v("gain", s.gain);
}

class Writer {
 public:
  template <class T>
  static Json of(const T& value, const char* model = nullptr) {
    Writer writer;
    if (model != nullptr) writer.json_["model"] = model;
    T copy = value;  // fields() serves the reader too and so takes what it could change
    fields(writer, copy);
    return std::move(writer.json_);
  }

  void operator()(const char* key, double value) { json_[key] = value; }
  void optional(const char* key, double value) { json_[key] = value; }
  template <class Integer>
  void whole(const char* key, Integer value) {
    json_[key] = value;
  }
  template <class Integer>
  void optional_whole(const char* key, Integer value) {
    json_[key] = value;
  }
  void optional_flag(const char* key, bool value) {
    if (value) json_[key] = true;
  }
  template <std::size_t n>
  void list(const char* key, const std::array<double, n>& values) {
    json_[key] = values;
  }
  template <std::size_t n>
  void optional_list(const char* key, const std::array<double, n>& values) {
    json_[key] = values;
  }
  template <class T>
  void objects(const char* key, const std::vector<T>& items) {
    json_[key] = Json::array();
    for (const T& item : items) json_[key].push_back(of(item));
  }
  template <class T>
  void optional_objects(const char* key, const std::vector<T>& items) {
    objects(key, items);
  }
  template <class T>
  void optional_object(const char* key, const std::optional<T>& item) {
    if (item) json_[key] = of(*item);
  }
  void kernels(const char* key, const char* amplitude, const std::vector<ExponentialKernel>& kernels) {
    json_[key] = Json::array();
    for (const auto& kernel : kernels) json_[key].push_back({{amplitude, kernel.amplitude}, {"tau_ms", kernel.tau_ms}});
  }

 private:
  Json json_ = Json::object();
};

class Reader {
 public:
  /// `extra`: keys that the caller reads itself, such as "model".
  template <class T>
  static T of(const JsonObject& json, std::vector<std::string> extra = {}) {
    Reader reader(json, std::move(extra));
    T value;
    fields(reader, value);
    json.reject_unread(reader.known_);
    return value;
  }

  void operator()(const char* key, double& value) {
    known_.emplace_back(key);
    if (const auto number = json_.required_number(key)) value = *number;
  }
  template <class Number>
  void optional(const char* key, Number& value) {
    known_.emplace_back(key);
    if (const auto number = json_.number(key)) value = *number;
  }
  template <class Integer>
  void whole(const char* key, Integer& value) {
    known_.emplace_back(key);
    const auto number = json_.required_number(key);
    if (!number) return;
    const bool fits = *number == std::floor(*number) &&
                      *number >= static_cast<double>(std::numeric_limits<Integer>::min()) &&
                      *number <= static_cast<double>(std::numeric_limits<Integer>::max());
    if (fits) {
      value = static_cast<Integer>(*number);
    } else {
      json_.error(key, "must be a whole number in the range of its type");
    }
  }
  template <class Integer>
  void optional_whole(const char* key, Integer& value) {
    known_.emplace_back(key);
    if (!json_.has(key)) return;
    known_.pop_back();
    whole(key, value);
  }
  void optional_flag(const char* key, bool& value) {
    known_.emplace_back(key);
    if (const auto given = json_.flag(key)) value = *given;
  }
  template <std::size_t n>
  void list(const char* key, std::array<double, n>& values) {
    if (!json_.has(key)) json_.error(key, "must be given (a list of " + std::to_string(n) + " numbers)");
    optional_list(key, values);
  }
  template <std::size_t n>
  void optional_list(const char* key, std::array<double, n>& values) {
    known_.emplace_back(key);
    if (!json_.has(key)) return;
    const std::vector<double> given = json_.numbers(key);
    if (given.size() != n) return json_.error(key, "must be a list of " + std::to_string(n) + " numbers");
    std::copy(given.begin(), given.end(), values.begin());
  }
  template <class T>
  void objects(const char* key, std::vector<T>& items) {
    if (!json_.has(key)) json_.error(key, "must be given (a list of objects)");
    optional_objects(key, items);
  }
  template <class T>
  void optional_objects(const char* key, std::vector<T>& items) {
    known_.emplace_back(key);
    for (const JsonObject& item : json_.objects(key)) items.push_back(of<T>(item));
  }
  template <class T>
  void optional_object(const char* key, std::optional<T>& item) {
    known_.emplace_back(key);
    if (const auto found = json_.object(key)) item = of<T>(*found);
  }
  void kernels(const char* key, const char* amplitude, std::vector<ExponentialKernel>& kernels) {
    known_.emplace_back(key);
    for (const JsonObject& item : json_.objects(key)) {
      ExponentialKernel kernel;
      if (const auto number = item.required_number(amplitude)) kernel.amplitude = *number;
      if (const auto number = item.required_number("tau_ms")) kernel.tau_ms = *number;
      item.reject_unread({amplitude, "tau_ms"});
      kernels.push_back(kernel);
    }
  }

 private:
  Reader(const JsonObject& json, std::vector<std::string> extra) : json_(json), known_(std::move(extra)) {}
  const JsonObject& json_;
  std::vector<std::string> known_;
};

class KeyLister {
 public:
  template <class T>
  static std::vector<std::string> of(std::vector<std::string> extra = {}) {
    KeyLister lister;
    lister.keys_ = std::move(extra);
    T value;
    fields(lister, value);
    return lister.keys_;
  }
  void operator()(const char* key, double&) { keys_.emplace_back(key); }
  template <class Number>
  void optional(const char* key, Number&) {
    keys_.emplace_back(key);
  }
  template <class T>
  void whole(const char* key, T&) {
    keys_.emplace_back(key);
  }
  template <class T>
  void optional_whole(const char* key, T&) {
    keys_.emplace_back(key);
  }
  void optional_flag(const char* key, bool&) { keys_.emplace_back(key); }
  template <class T>
  void list(const char* key, T&) {
    keys_.emplace_back(key);
  }
  template <class T>
  void optional_list(const char* key, T&) {
    keys_.emplace_back(key);
  }
  template <class T>
  void objects(const char* key, T&) {
    keys_.emplace_back(key);
  }
  template <class T>
  void optional_objects(const char* key, T&) {
    keys_.emplace_back(key);
  }
  template <class T>
  void optional_object(const char* key, T&) {
    keys_.emplace_back(key);
  }
  void kernels(const char* key, const char*, std::vector<ExponentialKernel>&) { keys_.emplace_back(key); }

 private:
  std::vector<std::string> keys_;
};

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

/// Reports the models that exist; `chosen` is none of them.
void unknown_model(const JsonObject& json, const std::string& known) {
  if (json.has("model")) json.error("model", "must be one of " + known);
}

}  // namespace

Json to_json(const PointCell& cell) {
  return std::visit(
      [](const auto& model) { return Writer::of(model, std::string(std::decay_t<decltype(model)>::kName).c_str()); },
      cell.model);
}

Json to_json(const MeanfieldCell& cell) {
  return Writer::of(cell);
}

Json to_json(const PointSynapseVariant& synapse) {
  if (const auto* conductance = std::get_if<PointSynapse>(&synapse)) return Writer::of(*conductance, "conductance");
  if (const auto* current = std::get_if<CurrentSynapse>(&synapse)) {
    using Shape = CurrentSynapse::Shape;
    return Writer::of(*current, current->shape == Shape::exponential ? "current_exponential"
                                : current->shape == Shape::alpha     ? "current_alpha"
                                                                     : "current_delta");
  }
  if (const auto* several = std::get_if<ReceptorSynapse>(&synapse)) return Writer::of(*several, "receptors");
  return Writer::of(std::get<InstantaneousSynapse>(synapse), "instantaneous");
}

Json to_json(const MeanfieldSynapse& synapse) {
  return Writer::of(synapse);
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
    cell.model = Reader::of<Model>(json, kModelKey);
  });
  if (!found) unknown_model(json, known);
  return cell;
}

MeanfieldCell read_meanfield_cell(const JsonObject& json) {
  return Reader::of<MeanfieldCell>(json);
}

PointSynapseVariant read_point_synapse(const JsonObject& json) {
  const std::string model = json.required_text("model").value_or("");
  if (model == "conductance") return Reader::of<PointSynapse>(json, kModelKey);
  if (model == "instantaneous") return Reader::of<InstantaneousSynapse>(json, kModelKey);
  if (model == "current_exponential") return CurrentSynapse(Reader::of<ExponentialCurrent>(json, kModelKey));
  if (model == "current_alpha") return CurrentSynapse(Reader::of<AlphaCurrent>(json, kModelKey));
  if (model == "current_delta") return CurrentSynapse(Reader::of<DeltaCurrent>(json, kModelKey));
  if (model == "receptors") return Reader::of<ReceptorSynapse>(json, kModelKey);
  unknown_model(json, "conductance, receptors, instantaneous, current_exponential, current_alpha, current_delta");
  return PointSynapse{};
}

MeanfieldSynapse read_meanfield_synapse(const JsonObject& json) {
  return Reader::of<MeanfieldSynapse>(json);
}

DetailedSynapseVariant read_detailed_synapse(const JsonObject& json) {
  const std::string model = json.required_text("model").value_or("");
  if (model == "biexponential") return Reader::of<BiexponentialSynapse>(json, kModelKey);
  if (model == "instantaneous") return Reader::of<InstantaneousSynapse>(json, kModelKey);
  if (model == "receptors") return Reader::of<ReceptorSynapse>(json, kModelKey);
  if (model == "gap_junction") return Reader::of<GapJunction>(json, kModelKey);
  unknown_model(json, "biexponential, receptors, gap_junction, instantaneous");
  return BiexponentialSynapse{};
}

Release read_release(const JsonObject& json) {
  if (!json.has("failure_probability")) return Reader::of<Release>(json);
  if (json.has("U")) json.error("U", "must not stand beside failure_probability, which determines it");
  UnreliableRelease release = Reader::of<UnreliableRelease>(json, {"U"});
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
        plasticity.rule = Reader::of<Rule>(*rule, kModelKey);
      }
    });
    if (!found) unknown_model(*rule, known);
  }
  plasticity.w_max = json.required_number("w_max" + unit).value_or(1);
  if (const auto scaling = json.object("homeostasis")) {
    plasticity.scaling = Reader::of<network::HomeostaticScaling>(*scaling);
  }
  json.reject_unread(model_keys().at("plasticity"));
  return plasticity;
}

std::map<std::string, std::vector<std::string>> model_keys() {
  std::map<std::string, std::vector<std::string>> keys = {
      {"current_exponential", KeyLister::of<ExponentialCurrent>(kModelKey)},
      {"current_alpha", KeyLister::of<AlphaCurrent>(kModelKey)},
      {"current_delta", KeyLister::of<DeltaCurrent>(kModelKey)},
      {"meanfield_cell", KeyLister::of<MeanfieldCell>()},
      {"biexponential", KeyLister::of<BiexponentialSynapse>(kModelKey)},
      {"receptor", KeyLister::of<PlacedReceptor>()},
      {"receptors", KeyLister::of<ReceptorSynapse>(kModelKey)},
      {"detailed_receptor", KeyLister::of<Receptor>()},
      {"gap_junction", KeyLister::of<GapJunction>(kModelKey)},
      {"release", KeyLister::of<Release>({"failure_probability"})},
      {"instantaneous", KeyLister::of<InstantaneousSynapse>(kModelKey)},
      {"conductance", KeyLister::of<PointSynapse>(kModelKey)},
      {"site", KeyLister::of<SiteTransfer>()},
      {"after_spike_current", KeyLister::of<network::GlifModel::AfterSpikeCurrent>()},
      {"meanfield_synapse", KeyLister::of<MeanfieldSynapse>()}};
  keys["plasticity"] = {"rule", "w_max", "w_max_uS", "w_max_nA", "w_max_mV", "homeostasis"};
  for_each_of<network::PlasticRule>([&](auto rule) {
    using Rule = decltype(rule);
    if constexpr (!std::is_same_v<Rule, std::monostate>) {
      keys[std::string(Rule::kName)] = KeyLister::of<Rule>(kModelKey);
    }
  });
  keys["homeostasis"] = KeyLister::of<network::HomeostaticScaling>();
  for_each_of<network::PointModel>([&keys](auto model) {
    using Model = decltype(model);
    keys[std::string(Model::kName)] = KeyLister::of<Model>(kModelKey);
  });
  return keys;
}

namespace {

void print(const Json& json, std::size_t indent, std::string& text) {
  constexpr std::size_t kLine = 130;
  const std::string compact = json.dump();
  if (!json.is_structured() || json.empty() || indent + compact.size() <= kLine) {
    text += compact;
    return;
  }
  const bool object = json.is_object();
  text += object ? "{" : "[";
  bool first = true;
  for (const auto& [key, value] : json.items()) {
    text += (first ? "\n" : ",\n") + std::string(indent + 2, ' ');
    if (object) text += Json(key).dump() + ": ";
    print(value, indent + 2, text);
    first = false;
  }
  text += "\n" + std::string(indent, ' ') + (object ? "}" : "]");
}

}  // namespace

std::string pretty(const Json& json) {
  std::string text;
  print(json, 0, text);
  return text + "\n";
}

}  // namespace triscale::io
