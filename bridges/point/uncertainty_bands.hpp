/// What the uncertainty of derived point cells means for the network: the point network is run with the parameter sets
/// of the bootstrap (bootstrap_gif), one after the other, and the rates of its populations spread.
///
/// Every run has the same edges, input and escape noise, so that only the parameters differ. The band says how well the
/// training data determine the point cells; it does not hold the error of the model itself (fit_error does).
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/recorder.hpp"
#include "measure/consistency_result.hpp"
#include "network/cell_models.hpp"
#include "network/circuit.hpp"
#include "network/provenance.hpp"

namespace triscale::bridges {

struct RateBand {
  std::size_t population = 0;
  double low_hz = 0, high_hz = 0;  ///< over the parameter sets
  double mean_hz = 0, sd_hz = 0;
  std::size_t sets = 0;
};

struct BandOptions {
  double duration_ms = 2000;  ///< at most, of each run; the band is of the same stretch for all
  double settle_ms = 200;
};

/// Parameter sets by cell type.
using PointDraws = std::map<std::size_t, std::vector<network::GifModel>>;

/// One band for every simulated population whose cells have draws; empty if none has.
std::vector<RateBand> point_rate_bands(const network::Circuit& circuit, const PointDraws& draws,
                                       const BandOptions& options, std::size_t threads, core::Progress& progress);

/// Standard deviation of a population's rate by the derived parameters of a tier ("point", "meanfield"), as
/// `derivation` has it; nothing where it is not known.
std::optional<double> rate_parameter_sd_hz(const network::Circuit& circuit, const network::Derivation& derivation,
                                           const std::string& tier, const std::string& population);

/// Puts the bands that `derivation` holds beside the rates of the coarser tiers, and into the remarks of the checks of
/// mean rates.
void add_bands(const network::Circuit& circuit, const network::Derivation& derivation, measure::Consistency& result);

}  // namespace triscale::bridges
