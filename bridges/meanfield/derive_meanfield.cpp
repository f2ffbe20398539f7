#include "bridges/meanfield/derive_meanfield.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "bridges/meanfield/rate_bands.hpp"
#include "core/shared_progress.hpp"
#include "meanfield/stationary.hpp"

namespace triscale::bridges {

namespace {

/// Rates of all populations in the state that a circuit with all its mean-field descriptions is predicted to have;
/// empty if none is found.
std::optional<std::vector<double>> predicted_state(const network::Circuit& circuit) {
  try {
    return meanfield::stationary_state(meanfield::Model(circuit)).rates_hz;
  } catch (const core::NumericalError&) {
    return std::nullopt;
  }
}

}  // namespace

std::vector<core::Problem> missing_for_transfer_fit(const network::Circuit& circuit) {
  std::vector<core::Problem> problems = meanfield::missing(with_placeholder_meanfield(circuit));
  for (core::Problem& problem : problems) {
    const std::string from = "mean-field description";
    const std::size_t at = problem.rule.find(from);
    if (at != std::string::npos && problem.place.rfind("cell_types.", 0) == 0) {
      problem.rule.replace(at, from.size(), "point description with a transfer function");
    }
  }
  return problems;
}

network::Circuit derive_meanfield(const network::Circuit& circuit, const TransferFitOptions& options,
                                  std::size_t threads, network::Derivation& derivation, core::Progress& progress) {
  const std::vector<core::Problem> problems = missing_for_transfer_fit(circuit);
  if (!problems.empty()) throw core::InputError(problems);
  std::vector<std::size_t> types;
  for (const network::Population& population : circuit.populations) {
    const bool known = std::find(types.begin(), types.end(), population.cell_type) != types.end();
    if (!population.is_virtual && population.size > 0 && !known) types.push_back(population.cell_type);
  }
  constexpr double kBandsWork = 0.1;
  // Measured: scouts and grid, points about the state in every round, tests.
  const double rounds = static_cast<double>(options.refinements);
  core::SharedProgress shared(progress, static_cast<double>(types.size()) * (3 + rounds + 1) + kBandsWork);
  network::Circuit result = circuit;
  std::vector<TransferFitting> fittings;
  for (const std::size_t type : types) {
    core::PartProgress part(shared, 3);
    fittings.emplace_back(circuit, type, options, threads, part);
    part.finish();
    result.cell_types[type].meanfield = fittings.back().cell();
  }
  for (std::size_t round = 0; round < options.refinements; ++round) {
    const auto rates_hz = predicted_state(result);
    if (!rates_hz) break;
    for (std::size_t i = 0; i < types.size(); ++i) {
      core::PartProgress part(shared, 1);
      fittings[i].refine(*rates_hz, part);
      part.finish();
      result.cell_types[types[i]].meanfield = fittings[i].cell();
    }
  }
  const auto rates_hz = predicted_state(result);
  TransferCovariances covariances;
  for (std::size_t i = 0; i < types.size(); ++i) {
    core::PartProgress part(shared, 1);
    TransferFit fit = fittings[i].finish(rates_hz ? &*rates_hz : nullptr, part);
    covariances[types[i]] = fit.covariance_mV2;
    derivation.meanfield_cells[circuit.cell_types[types[i]].name] = std::move(fit.provenance);
    part.finish();
  }
  core::PartProgress part(shared, kBandsWork);
  note_meanfield_bands(result, meanfield_rate_bands(result, covariances, {}, part), derivation);
  part.finish();
  return result;
}

}  // namespace triscale::bridges
