/// How much a detailed run depends on its discretisation: the same circuit with half the time step, and with
/// compartments half as long, compared with the run as configured.
///
/// All three runs get the same input: virtual sources do not depend on the step; noise currents are drawn once, at the
/// configured step, and held. For a method of order p the error that remains at the configured step is about
/// 1/(1 - 2^-p) times the difference to half the step (Richardson): twice the difference for backward Euler, 4/3 of it
/// for the second-order scheme and for the length of compartments.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/recorder.hpp"
#include "network/circuit.hpp"

namespace triscale::bridges {

/// What refining did to the cells of one type.
struct ConvergenceOfType {
  std::string cell_type;
  std::size_t cells = 0;
  std::size_t spikes = 0, refined_spikes = 0;
  double rate_hz = 0, refined_rate_hz = 0;
  std::size_t matched = 0;  ///< spikes with a partner of the same cell within kMatch_ms, each used once
  double median_shift_ms = 0, largest_shift_ms = 0;  ///< absolute, of matched spikes; 0 without any
  double V_rms_mV = 0;                               ///< rms change of the somatic potential away from spikes
};

struct ConvergenceRun {
  std::string refinement;  ///< what was changed, for people
  double order = 1;        ///< of the error in what was halved
  std::size_t compartments = 0, refined_compartments = 0;
  std::vector<ConvergenceOfType> types;
};

struct Convergence {
  double duration_ms = 0;
  ConvergenceRun time, space;
};

/// Spikes further apart than this are not the same spike.
inline constexpr double kMatch_ms = 5.0;

/// Three runs of circuit.run.duration_ms. The circuit must run on the detailed tier.
Convergence check_convergence(const network::Circuit& circuit, std::size_t threads, core::Progress& progress);

/// Estimated error of the configured run, by Richardson's rule.
double remaining_error(double difference, double order);

}  // namespace triscale::bridges
