#include "network/connectivity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <unordered_set>

#include "core/error.hpp"
#include "core/random_batch.hpp"

namespace triscale::network {

namespace {

/// Stands for "the projection as a whole" where a target is expected; populations are smaller than this.
constexpr std::uint64_t kWholeProjection = 0xffffffffu;

/// `number` different integers of [0, n) in no particular order: Floyd's algorithm (Bentley & Floyd 1987, "A sample of
/// brilliance"), one draw per chosen element.
std::unordered_set<std::uint64_t> choose_distinct(core::RandomStream& random, std::uint64_t n, std::uint64_t number) {
  std::unordered_set<std::uint64_t> chosen;
  chosen.reserve(number);
  for (std::uint64_t last = n - number; last < n; ++last) {
    const std::uint64_t candidate = random.next_below(last + 1);
    if (!chosen.insert(candidate).second) chosen.insert(last);
  }
  return chosen;
}

/// chosen[i]: an integer of [0, n) for counter word first + i, exactly uniform: the upper half of word * n, drawn again
/// where the lower half falls into the surplus (Lemire 2019, ACM Trans Model Comput Simul 29:3).
void choose_below(const core::RandomStream& random, std::uint64_t first, std::uint64_t n,
                  std::span<std::uint32_t> chosen) {
  constexpr std::uint64_t kAgain = std::uint64_t{1} << 40;  // counters of second draws; 2^42 first draws fit below
  core::fill_words(random, first / 4, chosen);
  const std::uint64_t surplus = (std::uint64_t{1} << 32) % n;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    std::uint64_t product = chosen[i] * n;
    for (std::uint64_t attempt = 1; (product & 0xffffffffu) < surplus; ++attempt)
      product = random.words(attempt * kAgain + first + i)[0] * n;
    chosen[i] = static_cast<std::uint32_t>(product >> 32);
  }
}

}  // namespace

std::uint64_t edge_entity(std::size_t projection, std::size_t target) {
  return (static_cast<std::uint64_t>(projection) << 32) | static_cast<std::uint64_t>(target);
}

std::string impossible_rule(const ConnectionRule& rule, std::uint64_t sources, std::uint64_t targets,
                            bool same_population) {
  using Kind = ConnectionRule::Kind;
  const bool skip_self = same_population && !rule.autapses;
  const std::uint64_t candidates = skip_self && sources > 0 ? sources - 1 : sources;
  switch (rule.kind) {
    case Kind::all_to_all:
      return "";
    case Kind::one_to_one:
      if (sources != std::max<std::uint64_t>(rule.number, 1) * targets) {
        return fmt::format("one_to_one needs {} sources per target, but the populations have {} and {} cells",
                           std::max<std::uint64_t>(rule.number, 1), sources, targets);
      }
      return skip_self ? "one_to_one within a population makes only autapses, which are off" : "";
    case Kind::pairwise_bernoulli:
      return rule.probability >= 0 && rule.probability <= 1 ? "" : "probability must lie between 0 and 1";
    case Kind::fixed_in_degree:
      if (rule.number > 0 && candidates == 0) return "a target has no possible source";
      if (!rule.multapses && rule.number > candidates) {
        return fmt::format("in-degree {} without multapses is more than the {} possible sources of a target",
                           rule.number, candidates);
      }
      return "";
    case Kind::fixed_total_number:
      if (rule.number > 0 && (candidates == 0 || targets == 0)) return "there is no pair of cells to connect";
      if (!rule.multapses && rule.number > candidates * targets) {
        return fmt::format("{} synapses without multapses are more than the {} possible pairs", rule.number,
                           candidates * targets);
      }
      return "";
  }
  return "unknown rule";
}

SourceChooser::SourceChooser(const Circuit& circuit, std::size_t projection)
    : rule_(std::get<ConnectionRule>(circuit.projections.at(projection).connectivity)),
      seed_(circuit.run.seed),
      projection_(projection) {
  const Projection& p = circuit.projections[projection];
  const std::uint64_t sources = circuit.populations.at(p.source).size;
  const std::uint64_t targets = circuit.populations.at(p.target).size;
  const std::string why = impossible_rule(rule_, sources, targets, p.source == p.target);
  if (!why.empty()) {
    throw core::InputError({"", fmt::format("projections.{}", p.name), "", why,
                            "change the rule, its number, or allow multapses or autapses"});
  }
  skip_self_ = p.source == p.target && !rule_.autapses;
  candidates_ = skip_self_ && sources > 0 ? sources - 1 : sources;
  if (rule_.kind == ConnectionRule::Kind::fixed_total_number) draw_in_degrees(targets);
}

void SourceChooser::draw_in_degrees(std::size_t targets) {
  in_degrees_.assign(targets, 0);
  core::RandomStream random(seed_, core::Purpose::connectivity, edge_entity(projection_, kWholeProjection));
  if (rule_.multapses) {
    // Each synapse chooses its target independently.
    std::array<std::uint32_t, 3072> chosen;
    for (std::uint64_t first = 0; first < rule_.number; first += chosen.size()) {
      const std::size_t n = std::min<std::uint64_t>(chosen.size(), rule_.number - first);
      choose_below(random, first, targets, std::span(chosen).first(n));
      for (std::size_t i = 0; i < n; ++i) ++in_degrees_[chosen[i]];
    }
    return;
  }
  // Without multapses the synapses are distinct pairs; choosing the pairs that are left out is cheaper if most are
  // taken.
  const std::uint64_t pairs = candidates_ * targets;
  const bool complement = rule_.number > pairs / 2;
  for (const std::uint64_t pair : choose_distinct(random, pairs, complement ? pairs - rule_.number : rule_.number)) {
    ++in_degrees_[pair / candidates_];
  }
  if (complement) {
    for (auto& degree : in_degrees_) degree = static_cast<std::uint32_t>(candidates_) - degree;
  }
}

void SourceChooser::sources_of(std::size_t target, std::vector<std::uint32_t>& sources) const {
  using Kind = ConnectionRule::Kind;
  sources.clear();
  core::RandomStream random(seed_, core::Purpose::connectivity, edge_entity(projection_, target));
  switch (rule_.kind) {
    case Kind::all_to_all:
      for (std::uint64_t i = 0; i < candidates_; ++i) sources.push_back(static_cast<std::uint32_t>(i));
      break;
    case Kind::one_to_one:
      for (std::uint64_t i = 0; i < std::max<std::uint64_t>(rule_.number, 1); ++i) {
        sources.push_back(static_cast<std::uint32_t>(target * std::max<std::uint64_t>(rule_.number, 1) + i));
      }
      return;
    case Kind::pairwise_bernoulli:
      bernoulli(random, sources);
      break;
    case Kind::fixed_in_degree:
      fixed_number(random, rule_.number, sources);
      break;
    case Kind::fixed_total_number:
      fixed_number(random, in_degrees_.at(target), sources);
      break;
  }
  if (!skip_self_) return;
  // The candidates were counted without the target itself.
  for (auto& source : sources) source += source >= target ? 1u : 0u;
}

/// Steps from one success to the next: the number of failures in between is geometric, floor(log u / log(1 - p)).
void SourceChooser::bernoulli(core::RandomStream& random, std::vector<std::uint32_t>& sources) const {
  if (rule_.probability <= 0) return;
  const double log_failure = std::log1p(-rule_.probability);  // -inf for p = 1: every skip is then 0
  double next = std::floor(std::log(random.next_uniform()) / log_failure);
  while (next < static_cast<double>(candidates_)) {
    sources.push_back(static_cast<std::uint32_t>(next));
    next += 1 + std::floor(std::log(random.next_uniform()) / log_failure);
  }
}

void SourceChooser::fixed_number(core::RandomStream& random, std::uint64_t number,
                                 std::vector<std::uint32_t>& sources) const {
  if (rule_.multapses) {
    sources.resize(number);
    choose_below(random, 0, candidates_, sources);
    return;
  }
  for (const std::uint64_t source : choose_distinct(random, candidates_, number)) {
    sources.push_back(static_cast<std::uint32_t>(source));
  }
  std::sort(sources.begin(), sources.end());
}

// ---------------------------------------------------------------------------------------------- distributions --------

namespace {

constexpr int kMaxTries = 10000;

/// mean + sd z, or for lognormal the value whose logarithm is normal: its variance is log(1 + sd^2 / mean^2).
class NormalValue {
 public:
  explicit NormalValue(const Distribution& d)
      : distribution_(d),
        lognormal_(d.kind == Distribution::Kind::lognormal),
        bounded_(d.low < d.high),
        log_variance_(lognormal_ ? std::log1p(std::pow(d.sd / d.mean, 2)) : 0),
        log_sd_(std::sqrt(log_variance_)) {}
  double operator()(double z) const {
    if (!lognormal_) return distribution_.mean + distribution_.sd * z;
    return distribution_.mean * std::exp(log_sd_ * z - log_variance_ / 2);
  }
  bool allowed(double value) const { return !bounded_ || (value >= distribution_.low && value <= distribution_.high); }

 private:
  const Distribution& distribution_;
  bool lognormal_, bounded_;
  double log_variance_, log_sd_;
};

/// Value k again, with other numbers than its first ones: try t has the counter t 2^32 + k.
double draw_again(const Distribution& distribution, const NormalValue& value, const core::RandomStream& random,
                  std::uint64_t k) {
  for (std::uint64_t attempt = 1; attempt < kMaxTries; ++attempt) {
    std::array<double, 1> z;
    core::fill_normals(random, (attempt << 32) + k, z);
    const double candidate = value(z[0]);
    if (value.allowed(candidate)) return candidate;
  }
  throw core::InputError({"", "distribution", fmt::format("[{}, {}]", distribution.low, distribution.high),
                          fmt::format("must be hit at least once in {} draws", kMaxTries),
                          "move the bounds towards the mean or use a uniform distribution"});
}

}  // namespace

void draw(const Distribution& distribution, const core::RandomStream& random, std::span<double> values) {
  using Kind = Distribution::Kind;
  if (distribution.kind == Kind::constant) return std::fill(values.begin(), values.end(), distribution.mean);
  if (distribution.kind == Kind::uniform) {
    const double width = distribution.high - distribution.low;
    for (std::size_t k = 0; k < values.size(); ++k) values[k] = distribution.low + width * random.uniform(k);
    return;
  }
  const NormalValue value(distribution);
  core::fill_normals(random, 0, values);
  for (double& v : values) v = value(v);
  for (std::size_t k = 0; k < values.size(); ++k) {
    if (!value.allowed(values[k])) values[k] = draw_again(distribution, value, random, k);
  }
}

}  // namespace triscale::network
