#include "meanfield/validity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace triscale::meanfield {

namespace {

constexpr double kTimeConstantRatio = 0.1, kLargeTimeConstantRatio = 0.2;
constexpr double kTail = 1.8;
constexpr double kJump = 0.12;  // of sigma, where the cell is in the tail
constexpr double kSaturation = 0.3;
constexpr double kRegular = 0.6;
constexpr double kShared = 0.2;
constexpr double kSlowDecay_per_s = -30;

/// Largest mean weight onto a population.
double largest_psp_mV(const LifNetwork& network, std::size_t target) {
  double largest = 0;
  for (Eigen::Index j = 0; j < network.psp_mV.cols(); ++j) {
    if (network.in_degree(static_cast<Eigen::Index>(target), j) > 0) {
      largest = std::max(largest, std::abs(network.psp_mV(static_cast<Eigen::Index>(target), j)));
    }
  }
  return largest;
}

/// Largest share of a source population that one cell listens to.
double largest_sharing(const LifNetwork& network, std::size_t target) {
  double largest = 0;
  for (Eigen::Index j = 0; j < network.in_degree.cols(); ++j) {
    const double cells = network.populations[static_cast<std::size_t>(j)].cells;
    largest = std::max(largest, network.in_degree(static_cast<Eigen::Index>(target), j) / cells);
  }
  return largest;
}

void check_population(const LifNetwork& network, std::size_t i, const LifInput& input, double rate_hz,
                      std::vector<ValidityFinding>& findings) {
  const LifPopulation& population = network.populations[i];
  const LifCell& cell = population.cell;
  const auto add = [&](const char* assumption, double value, double limit, std::string text, std::string error) {
    findings.push_back({population.name, assumption, value, limit, std::move(text), std::move(error)});
  };
  const double ratio = cell.tau_syn_ms / cell.tau_m_ms;
  if (ratio > kTimeConstantRatio) {
    add("time constants", ratio, kTimeConstantRatio,
        fmt::format("synaptic currents last {:.2g} of the membrane time constant; the theory is for short ones", ratio),
        ratio > kLargeTimeConstantRatio ? "rate up to 17 % off: too high below threshold, too low above"
                                        : "rate up to 5 % off");
  }
  if (!(input.sigma_mV > 0)) return;
  const double distance = (cell.V_threshold_mV - input.mu_mV) / input.sigma_mV;
  const double jump = largest_psp_mV(network, i) / input.sigma_mV;
  if (distance > kTail) {
    add("tail", distance, kTail,
        fmt::format(
            "the mean input lies {:.2g} noise amplitudes below threshold, so that the rate ({:.3g} Hz) depends on "
            "the tail of the input's distribution, where correlations and the size of single inputs count",
            distance, rate_hz),
        "rate 5 to 20 % off, more the lower it is");
    if (distance > 2.3 && jump > kJump) {
      add("jump size", jump, kJump,
          fmt::format(
              "single inputs are {:.2g} of the noise amplitude; as diffusion they reach the threshold too seldom",
              jump),
          "rate too low, by a factor of up to 3");
    }
  }
  const double saturation = rate_hz * cell.t_ref_ms / 1000;
  if (saturation > kSaturation) {
    add("saturation", saturation, kSaturation,
        fmt::format("cells are refractory {:.0f} % of the time and fire regularly; their spikes are not Poisson",
                    100 * saturation),
        "variance of the input too high, spectra wrong near the rate and its multiples");
  }
  const double cv = lif_cv(cell, input);
  if (rate_hz > 0.1 && cv < kRegular) {
    add("regular firing", cv, kRegular,
        fmt::format("intervals have a CV of {:.2g}; sources are taken as Poisson, with CV 1", cv),
        "noise of the input too high by up to 1/CV^2 of the recurrent part");
  }
  const double sharing = largest_sharing(network, i);
  if (sharing > kShared) {
    add("shared input", sharing, kShared,
        fmt::format("each cell receives from {:.0f} % of a source population: inputs of different cells are alike, and "
                    "pairs have several synapses",
                    100 * sharing),
        "correlations and fluctuations of the rates too low");
  }
}

}  // namespace

std::vector<ValidityFinding> check_lif_state(const LifNetwork& network, const Eigen::VectorXd& rates_hz) {
  std::vector<ValidityFinding> findings;
  const std::vector<LifInput> inputs = inputs_at(network, rates_hz);
  for (std::size_t i = 0; i < network.size(); ++i) {
    check_population(network, i, inputs[i], rates_hz[static_cast<Eigen::Index>(i)], findings);
  }
  return findings;
}

std::vector<ValidityFinding> check_dynamics(const std::vector<Stability>& states, std::size_t reported) {
  std::vector<ValidityFinding> findings;
  const auto stable = std::count_if(states.begin(), states.end(), [](const Stability& s) { return s.stable; });
  if (stable > 1) {
    findings.push_back({"", "multistability", static_cast<double>(stable), 1,
                        fmt::format("{} stable states exist; a finite circuit may move between them", stable),
                        "the rates are those of one of the states, not averages over them"});
  }
  if (reported >= states.size()) return findings;
  const Stability& state = states[reported];
  for (const Mode& mode : state.modes) {
    const double growth = mode.growth_per_s();
    if (growth < kSlowDecay_per_s) break;
    const bool oscillates = mode.frequency_hz() > 1;
    findings.push_back(
        {"", "synchrony", growth, kSlowDecay_per_s,
         growth > 0
             ? fmt::format("the state is unstable: {} grows by a factor e in {:.3g} ms",
                           oscillates ? fmt::format("an oscillation of {:.3g} Hz", mode.frequency_hz()) : "a deviation",
                           1000 / growth)
             : fmt::format("the state is close to {}: perturbations last {:.3g} ms",
                           oscillates ? fmt::format("an oscillation of {:.3g} Hz", mode.frequency_hz()) : "instability",
                           -1000 / growth),
         growth > 0 ? "the circuit will not stay in this state; rates of a synchronous circuit differ by 10 % and more"
                    : "spectra near this frequency by a factor of 2; rates by a few %"});
    break;
  }
  return findings;
}

}  // namespace triscale::meanfield
