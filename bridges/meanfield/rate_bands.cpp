#include "bridges/meanfield/rate_bands.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <optional>

#include "core/random.hpp"
#include "meanfield/stationary.hpp"

namespace triscale::bridges {

namespace {

using Vector = Eigen::Matrix<double, kTransferCoefficients, 1>;
using Matrix = Eigen::Matrix<double, kTransferCoefficients, kTransferCoefficients, Eigen::RowMajor>;

/// L with L L^T = C, by the eigenvectors: directions that the data say nothing about make C singular.
Matrix root_of(const TransferCovariance& covariance) {
  const Eigen::SelfAdjointEigenSolver<Matrix> eigen(Eigen::Map<const Matrix>(covariance.data()));
  return eigen.eigenvectors() * eigen.eigenvalues().cwiseMax(0).cwiseSqrt().asDiagonal();
}

/// Set `set` of the coefficients of a type.
TransferCoefficients drawn(const TransferCoefficients& fitted_mV, const Matrix& root, std::uint64_t seed,
                           std::size_t type, std::size_t set) {
  constexpr std::size_t kMostTypes = 1 << 20;
  const core::RandomStream random(seed, core::Purpose::coefficient_draws, set * kMostTypes + type);
  Vector z;
  for (int k = 0; k < kTransferCoefficients; ++k) z[k] = random.normal(static_cast<std::uint64_t>(k));
  TransferCoefficients result = fitted_mV;
  Eigen::Map<Vector>(result.data()) += root * z;
  return result;
}

/// From the state of the fitted functions by Newton's method; along the rate equations if that fails.
std::optional<std::vector<double>> state_near(const meanfield::Model& model, const std::vector<double>& start_hz) {
  constexpr double kRelaxation_ms = 500;
  for (const double relaxation_ms : {0.0, kRelaxation_ms}) {
    try {
      meanfield::StationaryOptions options;
      options.start_hz = start_hz;
      options.relaxation_ms = relaxation_ms;
      options.tolerance_hz = 1e-6;
      return meanfield::stationary_state(model, 0, model.circuit().run.duration_ms, options).rates_hz;
    } catch (const core::NumericalError&) {
    }
  }
  return std::nullopt;
}

RateBand band_of(std::size_t population, const std::vector<std::vector<double>>& states_hz) {
  const auto n = static_cast<double>(states_hz.size());
  RateBand band{population, states_hz[0][population], states_hz[0][population], 0, 0, states_hz.size()};
  for (const std::vector<double>& state : states_hz) {
    band.low_hz = std::min(band.low_hz, state[population]);
    band.high_hz = std::max(band.high_hz, state[population]);
    band.mean_hz += state[population] / n;
  }
  double squares = 0;
  for (const std::vector<double>& state : states_hz) squares += std::pow(state[population] - band.mean_hz, 2);
  band.sd_hz = n > 1 ? std::sqrt(squares / (n - 1)) : 0;
  return band;
}

}  // namespace

MeanfieldBands meanfield_rate_bands(const network::Circuit& circuit, const TransferCovariances& covariances,
                                    const MeanfieldBandOptions& options, core::Progress& progress) {
  MeanfieldBands result;
  meanfield::Model model(circuit, {options.max_classes});
  const auto fitted_hz = state_near(model, {});
  if (!fitted_hz) return result;
  std::map<std::size_t, Matrix> roots;
  for (const auto& [type, covariance] : covariances) {
    if (std::all_of(covariance.begin(), covariance.end(), [](double c) { return std::isfinite(c); })) {
      roots.emplace(type, root_of(covariance));
    }
  }
  std::vector<std::vector<double>> states_hz;
  for (std::size_t set = 0; set < options.sets; ++set) {
    progress.advance(static_cast<double>(set), static_cast<double>(options.sets));
    for (std::size_t i = 0; i < model.populations().size(); ++i) {
      const std::size_t type = circuit.populations[model.populations()[i].population].cell_type;
      const auto root = roots.find(type);
      if (root == roots.end()) continue;
      model.set_threshold(
          i, drawn(circuit.cell_types[type].meanfield->transfer.P_mV, root->second, circuit.run.seed, type, set));
    }
    if (auto state_hz = state_near(model, *fitted_hz)) {
      states_hz.push_back(std::move(*state_hz));
    } else {
      ++result.without_state;
    }
  }
  if (2 * states_hz.size() < options.sets || states_hz.empty()) return result;
  for (const meanfield::PopulationModel& population : model.populations()) {
    if (circuit.populations[population.population].size == 0) continue;
    if (roots.count(circuit.populations[population.population].cell_type) == 0) continue;
    result.bands.push_back(band_of(population.population, states_hz));
  }
  return result;
}

void note_meanfield_bands(const network::Circuit& circuit, const MeanfieldBands& found,
                          network::Derivation& derivation) {
  for (const RateBand& band : found.bands) {
    const network::Population& population = circuit.populations[band.population];
    const std::string& type = circuit.cell_types[population.cell_type].name;
    const auto entry = derivation.meanfield_cells.find(type);
    if (entry == derivation.meanfield_cells.end()) continue;
    const std::string rate = "network_rate_" + population.name + "_hz";
    network::Provenance& to = entry->second;
    to.uncertainty["sampling_" + rate] = band.sd_hz;
    double variance_hz2 = band.sd_hz * band.sd_hz;
    std::string of_point = "the point cells' own uncertainty is not known";
    const auto point = derivation.point_cells.find(type);
    if (point != derivation.point_cells.end() && point->second.uncertainty.count(rate) > 0) {
      const double point_sd_hz = point->second.uncertainty.at(rate);
      variance_hz2 += point_sd_hz * point_sd_hz;
      of_point = fmt::format("{:.2g} Hz by the point cells' parameters", point_sd_hz);
    }
    to.uncertainty[rate] = std::sqrt(variance_hz2);
    to.notes.push_back(fmt::format(
        "the predicted rate of {} is known to {:.2g} Hz (standard deviation): {:.2g} Hz by the cells and spikes that "
        "the transfer functions were fitted to ({:.3g} to {:.3g} Hz over {} sets of coefficients), {}",
        population.name, std::sqrt(variance_hz2), band.sd_hz, band.low_hz, band.high_hz, band.sets, of_point));
    if (found.without_state > 0) {
      to.notes.push_back(fmt::format("{} further sets of coefficients have no stationary state near the predicted one",
                                     found.without_state));
    }
  }
}

}  // namespace triscale::bridges
