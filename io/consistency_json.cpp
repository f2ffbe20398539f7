#include "io/consistency_json.hpp"

#include <cmath>
#include <concepts>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>
#include <type_traits>

#include "core/error.hpp"
#include "io/atomic_file.hpp"

namespace triscale::io {

namespace {

using Json = nlohmann::ordered_json;
using measure::Consistency;
using measure::ConsistencyCheck;
using measure::OmittedCheck;
using measure::TierSummary;
using measure::Verdict;

/// Every structure lists its keys once, in visit(); the writer and the reader below walk that list.
template <class Visitor>
void visit(Visitor& json, ConsistencyCheck& check) {
  json("statistic", check.statistic);
  json("population", check.population);
  json("finer", check.finer);
  json("coarser", check.coarser);
  json("finer_value", check.finer_value);
  json("coarser_value", check.coarser_value);
  json("difference", check.difference);
  json("ci_low", check.ci_low);
  json("ci_high", check.ci_high);
  json("tolerance", check.tolerance);
  json("verdict", check.verdict);
  json("needed_ms", check.needed_ms);
  json("note", check.note);
}

template <class Visitor>
void visit(Visitor& json, OmittedCheck& omitted) {
  json("statistic", omitted.statistic);
  json("population", omitted.population);
  json("finer", omitted.finer);
  json("coarser", omitted.coarser);
  json("reason", omitted.reason);
}

template <class Visitor>
void visit(Visitor& json, TierSummary& tier) {
  json("tier", tier.tier);
  json("population", tier.population);
  json("cells", tier.cells);
  json("rate_hz", tier.rate_hz);
  json("rate_ci_low", tier.rate_ci_low);
  json("rate_ci_high", tier.rate_ci_high);
  json("cv_isi", tier.cv_isi);
  json("cv_ci_low", tier.cv_ci_low);
  json("cv_ci_high", tier.cv_ci_high);
  json("top10_share", tier.top10_share);
  json("silent_fraction", tier.silent_fraction);
  json("rate_parameter_sd_hz", tier.rate_parameter_sd_hz);
  json("rate_variant_sd_hz", tier.rate_variant_sd_hz);
}

/// The keys of "analysis".
struct Analysis {
  Consistency& of;
};

template <class Visitor>
void visit(Visitor& json, Analysis& analysis) {
  json("begin_ms", analysis.of.begin_ms);
  json("end_ms", analysis.of.end_ms);
  json("block_ms", analysis.of.block_ms);
  json("blocks", analysis.of.blocks);
  json("runs", analysis.of.runs);
  json("bin_ms", analysis.of.bin_ms);
  json("replicates", analysis.of.replicates);
  json("confidence", analysis.of.confidence);
  json("seed", analysis.of.seed);
}

template <class Visitor>
void visit(Visitor& json, Consistency& consistency) {
  json("verdict", consistency.verdict);
  json("summary", consistency.summary);
  json("needed_ms", consistency.needed_ms);
  Analysis analysis{consistency};
  json("analysis", analysis);
  json("checks", consistency.checks);
  json("omitted", consistency.omitted);
  json("tiers", consistency.tiers);
}

template <class T>
concept Plain = std::same_as<T, std::string> || std::integral<T>;

class Writer {
 public:
  template <Plain T>
  void operator()(const char* key, T& value) {
    json_[key] = value;
  }
  void operator()(const char* key, double value) { json_[key] = std::isfinite(value) ? Json(value) : Json(nullptr); }
  void operator()(const char* key, std::optional<double>& value) {
    json_[key] = value && std::isfinite(*value) ? Json(*value) : Json(nullptr);
  }
  void operator()(const char* key, Verdict value) { json_[key] = std::string(to_string(value)); }
  template <class T>
  void operator()(const char* key, std::vector<T>& items) {
    Json array = Json::array();
    for (T& item : items) array.push_back(of(item));
    json_[key] = std::move(array);
  }
  void operator()(const char* key, Analysis& analysis) { json_[key] = of(analysis); }

  template <class T>
  static Json of(T& value) {
    Writer writer;
    visit(writer, value);
    return std::move(writer.json_);
  }

 private:
  Json json_ = Json::object();
};

class Reader {
 public:
  Reader(const Json& json, std::string place, const std::string& file, core::Diagnostics& diagnostics)
      : json_(json), place_(std::move(place)), file_(file), diagnostics_(diagnostics) {}

  template <Plain T>
  void operator()(const char* key, T& value) {
    const Json* entry = find(key);
    if (!entry) return;
    const bool right = std::same_as<T, std::string> ? entry->is_string() : entry->is_number_unsigned();
    if (right) {
      value = entry->get<T>();
    } else {
      problem(key, entry->dump(), std::same_as<T, std::string> ? "must be a text" : "must be a whole number >= 0");
    }
  }
  void operator()(const char* key, double& value) {
    const Json* entry = find(key);
    if (!entry) return;
    if (entry->is_number()) {
      value = entry->get<double>();
    } else {
      problem(key, entry->dump(), "must be a number");
    }
  }
  void operator()(const char* key, std::optional<double>& value) {
    const Json* entry = find(key);
    if (!entry || entry->is_null()) return;
    if (entry->is_number()) {
      value = entry->get<double>();
    } else {
      problem(key, entry->dump(), "must be a number or null");
    }
  }
  void operator()(const char* key, Verdict& value) {
    const Json* entry = find(key);
    if (!entry) return;
    for (const Verdict verdict : {Verdict::consistent, Verdict::inconsistent, Verdict::undecided}) {
      if (*entry == std::string(to_string(verdict))) {
        value = verdict;
        return;
      }
    }
    problem(key, entry->dump(), "must be \"consistent\", \"inconsistent\" or \"undecided\"");
  }
  template <class T>
  void operator()(const char* key, std::vector<T>& items) {
    const Json* entry = find(key);
    if (!entry) return;
    if (!entry->is_array()) return problem(key, entry->type_name(), "must be an array");
    for (std::size_t k = 0; k < entry->size(); ++k) {
      into(items.emplace_back(), (*entry)[k], join(key) + "[" + std::to_string(k) + "]", file_, diagnostics_);
    }
  }
  void operator()(const char* key, Analysis& analysis) {
    if (const Json* entry = find(key)) into(analysis, *entry, join(key), file_, diagnostics_);
  }

  template <class T>
  static void into(T& value, const Json& json, const std::string& place, const std::string& file,
                   core::Diagnostics& diagnostics) {
    if (!json.is_object()) return diagnostics.error({file, place, json.type_name(), "must be an object", ""});
    Reader reader(json, place, file, diagnostics);
    visit(reader, value);
    for (const auto& [key, unused] : json.items()) {
      if (!reader.known_.count(key)) diagnostics.error({file, reader.join(key), "", "is an unknown key", ""});
    }
  }

 private:
  std::string join(const std::string& key) const { return place_.empty() ? key : place_ + "." + key; }
  void problem(const char* key, std::string value, std::string rule) {
    diagnostics_.error({file_, join(key), std::move(value), std::move(rule), ""});
  }
  const Json* find(const char* key) {
    known_.insert(key);
    const auto entry = json_.find(key);
    if (entry != json_.end()) return &*entry;
    problem(key, "", "is missing");
    return nullptr;
  }

  const Json& json_;
  std::string place_;
  const std::string& file_;
  core::Diagnostics& diagnostics_;
  std::set<std::string> known_;
};

}  // namespace

std::string consistency_to_json(const Consistency& consistency) {
  Consistency copy = consistency;  // visit() serves the reader too and so takes what it could change
  return Writer::of(copy).dump(2) + "\n";
}

Consistency consistency_from_json(const std::string& text, const std::string& file) {
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Json::parse_error& error) {
    throw core::InputError({file, "byte " + std::to_string(error.byte), "", "must be JSON", ""});
  }
  core::Diagnostics diagnostics;
  Consistency consistency;
  Reader::into(consistency, json, "", file, diagnostics);
  diagnostics.throw_if_errors();
  return consistency;
}

void write_consistency(const std::filesystem::path& path, const Consistency& consistency) {
  write_text_file(path, consistency_to_json(consistency));
}

Consistency read_consistency(const std::filesystem::path& path) {
  std::ifstream stream(path);
  if (!stream) throw core::InputError({path.string(), "", "", "must be a readable file", ""});
  std::ostringstream text;
  text << stream.rdbuf();
  return consistency_from_json(text.str(), path.string());
}

}  // namespace triscale::io
