#include "bridges/checks/finite_size_noise.hpp"

#include <vector>

#include "meanfield/mesoscopic_circuit.hpp"
#include "meanfield/spectra.hpp"
#include "meanfield/stability.hpp"
#include "meanfield/theory_of.hpp"

namespace triscale::bridges {

namespace {

using measure::PopulationActivity;

std::vector<double> frequencies() {
  constexpr double kHighest_Hz = 150, kStep_Hz = 1;
  std::vector<double> f;
  for (double at = kStep_Hz / 2; at < kHighest_Hz; at += kStep_Hz) f.push_back(at);
  return f;
}

/// Of the second half of the run, when it has settled.
double mean_rate_hz(const PopulationActivity& population) {
  double sum = 0, count = 0;
  for (std::size_t i = population.rates_hz.size() / 2; i < population.rates_hz.size(); ++i) {
    sum += population.rates_hz[i];
    count += 1;
  }
  return count > 0 ? sum / count : 0.0;
}

/// Populations that the theory has, in its order.
std::vector<PopulationActivity*> simulated(measure::Activity& activity) {
  std::vector<PopulationActivity*> result;
  for (PopulationActivity& population : activity.populations) {
    if (!population.is_virtual && population.cells > 0) result.push_back(&population);
  }
  return result;
}

}  // namespace

void add_finite_size_noise(const network::Circuit& circuit, measure::Activity& activity) {
  if (activity.kind != measure::Activity::Kind::rates || meanfield::is_mesoscopic_circuit(circuit)) return;
  const std::vector<PopulationActivity*> populations = simulated(activity);
  const std::vector<double> at_hz = frequencies();
  for (PopulationActivity* population : populations) {
    const double power = 2 * mean_rate_hz(*population) / static_cast<double>(population->cells);
    population->noise = {at_hz, std::vector<double>(at_hz.size(), power), true};
  }
  const meanfield::CircuitTheory theory = meanfield::theory_of(circuit);
  if (theory.theory->size() != populations.size()) return;
  Eigen::VectorXd rates_hz(static_cast<Eigen::Index>(populations.size()));
  for (std::size_t i = 0; i < populations.size(); ++i) {
    rates_hz[static_cast<Eigen::Index>(i)] = mean_rate_hz(*populations[i]);
  }
  const auto linear = theory.theory->linearise(rates_hz);
  if (!meanfield::stability(*linear).stable) return;
  const Eigen::MatrixXd spectra = meanfield::power_spectra(*linear, at_hz);
  for (std::size_t i = 0; i < populations.size(); ++i) {
    for (std::size_t f = 0; f < at_hz.size(); ++f) {
      populations[i]->noise.power[f] =
          2 * spectra(static_cast<Eigen::Index>(f), static_cast<Eigen::Index>(i));  // two-sided
    }
    populations[i]->noise.independent = false;
  }
}

}  // namespace triscale::bridges
