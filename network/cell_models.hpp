/// The three descriptions that a cell type may carry. Plain data; the equations stand where they are integrated.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "network/morphology.hpp"
#include "network/point_models.hpp"

namespace triscale::network {

// ---------------------------------------------------------------------------------------------------- detailed
// --------

/// Passive membrane and reversal potentials of one kind of section.
struct RegionProperties {
  double Ra_Ohm_cm = 100.0;  ///< axial resistivity
  double C_m_uF_cm2 = 1.0;   ///< specific capacitance
  double g_pas_S_cm2 = 0.0;  ///< leak conductance density
  double e_pas_mV = -70.0;   ///< leak reversal potential
  double E_Na_mV = 50.0;     ///< sodium reversal potential
  double E_K_mV = -77.0;     ///< potassium reversal potential
};

/// A conductance density that depends on the path distance x, as the factor by which it differs from the given value.
/// The shapes are those of Hay et al. 2011 (PLoS Comput Biol 7: e1002107):
///   linear       offset + slope x
///   exponential  offset + amplitude exp(slope (x - center))
///   sigmoid      offset + amplitude / (1 + exp((x - center) / width))
///   step         inside where begin < x < end, else outside
/// x is in um or, if `relative`, in units of the largest distance in the region.
struct DensityProfile {
  enum class Shape { linear, exponential, sigmoid, step } shape = Shape::linear;
  /// Where x is 0: the middle of section 0, or where the sections of the region leave another kind of section.
  enum class Origin { soma, region_start } origin = Origin::soma;
  bool relative = false;
  double offset = 0, slope = 0, amplitude = 0, center = 0, width = 1;
  double begin = 0, end = 0, inside = 1, outside = 0;
};

/// A channel or ion mechanism inserted into every section of one kind. Names and parameters as in the field's mod files
/// (reference: detailed/mechanisms.hpp), e.g. {"NaTs", soma, {{"gbar", 0.98}}}.
struct MechanismPlacement {
  std::string mechanism;
  SectionKind region = SectionKind::soma;
  std::map<std::string, double> parameters;
  std::optional<DensityProfile> density{};  ///< factor of the conductance densities; none: uniform
};

/// How a section is divided into compartments.
struct CompartmentRule {
  enum class Kind { max_length, d_lambda } kind = Kind::max_length;
  /// max_length: nseg = 1 + 2 floor(L / (2 max_length)), BMTK's and the Allen Institute's rule.
  double max_length_um = 20.0;
  /// d_lambda: nseg = 2 floor((L / (d_lambda lambda_f) + 0.9) / 2) + 1, Carnevale & Hines 2006, at frequency_Hz.
  double d_lambda = 0.1;
  double frequency_Hz = 100.0;
};

/// Multi-compartment neuron.
struct DetailedCell {
  std::shared_ptr<const Morphology> morphology;
  std::array<RegionProperties, kSectionKinds> regions;  ///< indexed by SectionKind
  std::vector<MechanismPlacement> mechanisms;
  double Ca_out_mM = 2.0;  ///< external calcium
};

// --------------------------------------------------------------------------------------------------- mean-field
// --------

/// Semi-analytic transfer function (Zerlaut et al. 2018; di Volo et al. 2019; equations in
/// meanfield/transfer_function.hpp):
///   F = erfc((V_eff - mu_V) / (sqrt2 sigma_V)) / (2 tau_V), clamped to 1/t_ref,
///   V_eff = quadratic polynomial `P_mV` in (mu_V - mu_0)/d_mu, (sigma_V - sigma_0)/d_sigma, (tau_V g_L/C_m -
///   tau_0)/d_tau, order of coefficients: 1, mu, sigma, tau, mu^2, sigma^2, tau^2, mu sigma, mu tau, sigma tau.
struct TransferFunction {
  double C_m_nF = 0.2;
  double g_L_uS = 0.01;
  double E_L_mV = -65;
  double t_ref_ms = 2;
  /// The cells' spike trains are as regular as Poisson trains with this dead time (meanfield/spike_trains.hpp) at
  /// the rate dead_time_at_hz; beyond t_ref it goes with 1/rate. 0: Poisson trains.
  double dead_time_ms = 0;
  double dead_time_at_hz = 0;  ///< 0: the dead time is the same at any rate
  std::array<double, 10> P_mV{};
  double mu_0_mV = -60, d_mu_mV = 10;
  double sigma_0_mV = 4, d_sigma_mV = 6;
  double tau_0 = 0.5, d_tau = 1;
  /// Range of (mu_V, sigma_V, tau_V g_L/C_m) that the coefficients were fitted on: {min, max} each; a rate outside is
  /// an extrapolation and is reported. Empty (min > max) if unknown.
  std::array<double, 2> fitted_mu_mV{1, 0}, fitted_sigma_mV{1, 0}, fitted_tau{1, 0};
  /// Spike-triggered adaptation as a rate-proportional mean current: I = -sum_k b_k tau_k nu (slow compared with the
  /// rate).
  std::vector<ExponentialKernel> adaptation_nA;
};

struct MeanfieldCell {
  TransferFunction transfer;
  double time_constant_ms = 5;  ///< tau_V: how long the regularity of input counts; window T of the second order
};

// ---------------------------------------------------------------------------------------------------- cell type
// --------

/// Dale's law: a cell is excitatory or inhibitory on all its targets.
enum class Dale : std::uint8_t { unknown, excitatory, inhibitory };

/// A cell type carries up to three descriptions; a tier runs if its description is there.
struct CellType {
  std::string name;
  Dale dale = Dale::unknown;
  std::optional<DetailedCell> detailed;
  std::optional<PointCell> point;
  std::optional<MeanfieldCell> meanfield;
};

}  // namespace triscale::network
