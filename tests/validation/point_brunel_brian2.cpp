// A Brunel-type network of conductance-based leaky integrate-and-fire neurons (Brunel 2000, J Comput Neurosci 8:183,
// with conductances): rates and irregularity equal those that Brian2 gives for the same parameters. Numbers and
// parameters come from reference/brunel_brian2.json, which reference/brunel_brian2.py wrote.
//
// The two simulators draw different networks and different input, so single runs cannot agree; the means over seeds
// must. Tolerance: four standard errors of the difference of the two means, from the seed-to-seed spread of each
// simulator. Normal errors leave it by chance once in 16000; the seeds are fixed, so the verdict does not flicker.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/paths.hpp"
#include "tests/pointneuron/helpers.hpp"

namespace triscale {
namespace {

using Json = nlohmann::json;
using Numbers = std::map<std::string, std::vector<double>>;  ///< statistic -> a value per seed

Json reference() {
  std::ifstream file(tests::source_dir() + std::string("/tests/validation/reference/brunel_brian2.json"));
  return Json::parse(file);
}

network::Projection projection(std::string name, std::size_t source, std::size_t target, std::size_t synapse_type,
                               std::uint64_t in_degree, double weight_uS, double delay_ms) {
  network::ConnectionRule rule;
  rule.kind = network::ConnectionRule::Kind::fixed_in_degree;
  rule.number = in_degree;
  rule.weight.mean = weight_uS;
  rule.delay_ms.mean = delay_ms;
  network::Projection p;
  p.name = std::move(name);
  p.source = source;
  p.target = target;
  p.synapse_type = synapse_type;
  p.connectivity = rule;
  return p;
}

/// Populations: 0 excitatory, 1 inhibitory, 2 and 3 their private Poisson trains.
network::Circuit brunel(const Json& p, std::uint64_t seed) {
  network::GifModel model;
  model.C_m_nF = p["C_m_nF"];
  model.g_L_uS = p["g_L_uS"];
  model.E_L_mV = p["E_L_mV"];
  model.V_threshold_mV = p["V_threshold_mV"];
  model.V_reset_mV = p["V_reset_mV"];
  model.t_ref_ms = p["t_ref_ms"];
  network::Circuit circuit = testing::cells_of(model, p["n_exc"], p["duration_ms"], p["dt_ms"]);
  circuit.run.seed = seed;
  network::Population inhibitory = circuit.populations[0];
  inhibitory.name = "inhibitory";
  inhibitory.size = p["n_inh"];
  circuit.populations.push_back(inhibitory);
  const std::size_t excitation = testing::add_synapse(circuit, {{0, p["tau_exc_ms"], p["E_exc_mV"]}});
  const std::size_t inhibition =
      testing::add_synapse(circuit, {{p["tau_rise_inh_ms"], p["tau_decay_inh_ms"], p["E_inh_mV"]}});
  for (std::size_t target : {0u, 1u}) {
    const std::string suffix = std::to_string(target);
    const std::size_t drive = testing::add_spikes(circuit, circuit.populations[target].size,
                                                  network::PoissonTrains{{0.0}, {p["rate_ext_hz"].get<double>()}});
    network::Projection input = projection("drive" + suffix, drive, target, excitation, 0, p["w_ext_uS"], p["dt_ms"]);
    std::get<network::ConnectionRule>(input.connectivity).kind = network::ConnectionRule::Kind::one_to_one;
    circuit.projections.push_back(input);
    circuit.projections.push_back(
        projection("exc" + suffix, 0, target, excitation, p["k_exc"], p["w_exc_uS"], p["delay_ms"]));
    circuit.projections.push_back(
        projection("inh" + suffix, 1, target, inhibition, p["k_inh"], p["w_inh_uS"], p["delay_ms"]));
  }
  return circuit;
}

/// Mean rate, and mean CV of the intervals of cells with at least five spikes, as in the script.
void add_statistics(const network::Circuit& circuit, const Json& p, Numbers& numbers) {
  testing::KeepingRecorder recorder = testing::run(circuit, 2);
  const double warmup_ms = p["warmup_ms"];
  const double seconds = (p["duration_ms"].get<double>() - warmup_ms) * 1e-3;
  for (std::size_t population : {0u, 1u}) {
    std::vector<std::vector<double>> trains(circuit.populations[population].size);
    double spikes = 0, cv_sum = 0, cv_count = 0;
    for (const testing::Spike& s : recorder.spikes) {
      if (s.population != population || !(s.t_ms > warmup_ms)) continue;
      trains[s.cell].push_back(s.t_ms);
      spikes += 1;
    }
    for (const auto& train : trains) {
      if (train.size() < 5) continue;
      const double n = static_cast<double>(train.size() - 1);
      const double mean = (train.back() - train.front()) / n;
      double variance = 0;
      for (std::size_t i = 1; i < train.size(); ++i) variance += std::pow(train[i] - train[i - 1] - mean, 2) / n;
      cv_sum += std::sqrt(variance) / mean;
      cv_count += 1;
    }
    const std::string name = population == 0 ? "exc" : "inh";
    numbers["rate_" + name + "_hz"].push_back(spikes / static_cast<double>(trains.size()) / seconds);
    numbers["cv_" + name].push_back(cv_sum / cv_count);
  }
}

struct Moments {
  double mean = 0, sd = 0;
};

Moments moments(const std::vector<double>& values) {
  const double n = static_cast<double>(values.size());
  Moments m;
  for (double v : values) m.mean += v / n;
  for (double v : values) m.sd += (v - m.mean) * (v - m.mean) / (n - 1);
  m.sd = std::sqrt(m.sd);
  return m;
}

TEST(BrunelNetwork, RatesAndIrregularityEqualThoseOfBrian2) {
  const Json json = reference();
  const Json& p = json["parameters"];
  Numbers numbers;
  constexpr std::uint64_t kSeeds = 10;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) add_statistics(brunel(p, seed), p, numbers);
  for (const auto& [name, values] : numbers) {
    const Moments own = moments(values);
    std::vector<double> theirs;
    for (const Json& seed : json["seeds"]) theirs.push_back(seed[name]);
    const Moments brian = moments(theirs);
    const double error = std::sqrt(own.sd * own.sd / static_cast<double>(kSeeds) +
                                   brian.sd * brian.sd / static_cast<double>(theirs.size()));
    std::printf("%-12s triscale %.4f (sd %.4f), Brian2 %.4f (sd %.4f), tolerance %.4f\n", name.c_str(), own.mean,
                own.sd, brian.mean, brian.sd, 4 * error);
    EXPECT_NEAR(own.mean, brian.mean, 4 * error) << name;
    // The tolerance has to be narrow enough to mean something.
    EXPECT_LT(4 * error, 0.05 * brian.mean) << name;
  }
}

}  // namespace
}  // namespace triscale
