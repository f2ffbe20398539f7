#include "bridges/gif/gif_fit.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "bridges/gif/gif_threshold.hpp"
#include "core/error.hpp"
#include "core/random.hpp"

namespace triscale::bridges {

namespace {

using Eigen::Index;
using Eigen::VectorXd;

/// The model with its threshold by maximum likelihood.
network::GifModel with_threshold(network::GifModel model, const Membrane& m, const std::vector<Prepared>& data,
                                 const GifFitOptions& options, int& iterations) {
  model.gamma_mV.clear();
  for (const double tau_ms : options.gamma_tau_ms) model.gamma_mV.push_back({0, tau_ms});
  model.threshold_follows = options.threshold_follows;
  for (auto& movement : model.threshold_follows) movement.slope = 0;
  model.V_filter_ms = options.V_filter_ms;
  const ThresholdData threshold = threshold_data(m, model, data, options);
  const VectorXd beta = fit_threshold(threshold, model.lambda_0_Hz, iterations);
  if (!(beta[0] > 0)) {
    throw core::NumericalError("threshold fit: the firing probability does not grow with the potential");
  }
  put_threshold(beta, threshold.V_0, model);
  return model;
}

/// Takes over what the membrane has in common with that of another model.
void begin_at(const network::GifModel& other, const GifFitOptions& options, Membrane& m) {
  const Membrane known = membrane_of(other);
  if (time_constants(other.eta_nA) == options.eta_tau_ms) m.eta = known.eta;
  if (time_constants(other.eta_uS) == options.eta_conductance_tau_ms) m.eta_uS = known.eta_uS;
  for (auto& current : m.currents) {
    for (const auto& from : known.currents) {
      if (from.above_mV == current.above_mV && from.tau_ms == current.tau_ms) current.g_uS = from.g_uS;
    }
  }
  if (m.dendrite && known.dendrite) {
    m.dendrite->spike_coupling_uS = known.dendrite->spike_coupling_uS;
    m.dendrite->spike_E_mV = known.dendrite->spike_E_mV;
  }
}

Membrane membrane_for(const std::vector<Prepared>& data, double V_reset, const GifFitOptions& options,
                      double& variance_explained_dV) {
  Membrane m = regress_derivative(data, options, variance_explained_dV);
  if (options.passive) {
    m.C = options.passive->C_m_nF;
    m.g_L = options.passive->g_L_uS;
    m.b = m.g_L * options.passive->E_L_mV;
    m.dendrite = options.passive->dendrite;
    if (m.dendrite) {
      m.dendrite->spike_coupling_uS = m.dendrite->coupling_uS;
      m.dendrite->spike_E_mV = V_reset;
    }
  }
  m.currents = options.currents;
  for (auto& current : m.currents) current.g_uS = 0;
  m.eta_uS = VectorXd::Zero(static_cast<Index>(options.eta_conductance_tau_ms.size()));
  if (options.start) begin_at(*options.start, options, m);
  if (!m.is_leaky()) {
    throw core::NumericalError(fmt::format(
        "membrane fit: C = {} nF, g_L = {} uS must be > 0; the cell's response is not that of a leaky membrane", m.C,
        m.g_L));
  }
  return options.refine_voltage || options.passive ? refine_voltage(m, V_reset, data, options) : m;
}

/// Exponentially distributed weights of mean 1, one a block.
VectorXd bootstrap_weights(std::size_t blocks, std::uint64_t seed, std::size_t draw) {
  const core::RandomStream random(seed, core::Purpose::fit_stimulus, ~static_cast<std::uint64_t>(draw));
  VectorXd out(static_cast<Index>(blocks));
  for (std::size_t b = 0; b < blocks; ++b) out[static_cast<Index>(b)] = -std::log(random.uniform(b));
  return out / out.mean();
}

}  // namespace

GifFit fit_gif(std::span<const GifSweep> training, const GifFitOptions& options) {
  constexpr std::size_t kMinSpikes = 5;
  const std::vector<Prepared> data = prepare_all(training, options);
  std::size_t spikes = 0;
  for (const Prepared& d : data) spikes += d.spikes.size();
  if (spikes < kMinSpikes) {
    throw core::InputError({"", "training data", fmt::format("{} spikes", spikes), "must hold at least 5 spikes",
                            "raise the mean or the standard deviation of the training input"});
  }
  GifFit out;
  Membrane m;
  if (options.membrane) {
    out.model = *options.membrane;
    m = membrane_of(out.model);
  } else {
    out.model.t_ref_ms = options.t_ref_ms;
    out.model.lambda_0_Hz = 1;
    out.model.V_reset_mV = reset_potential(data, options.t_ref_ms);
    m = membrane_for(data, out.model.V_reset_mV, options, out.variance_explained_dV);
    put_membrane(m, options, out.model);
  }
  out.model = with_threshold(out.model, m, data, options, out.newton_iterations);
  out.training = evaluate_gif(out.model, training, options);
  return out;
}

std::vector<network::GifModel> bootstrap_gif(const network::GifModel& model, std::span<const GifSweep> training,
                                             const GifFitOptions& options) {
  constexpr int kNewtonSteps = 4;  // from the optimum of the unweighted data
  std::vector<network::GifModel> draws;
  if (options.draws == 0) return draws;
  const std::vector<Prepared> data = prepare_all(training, options);
  const Membrane m = membrane_of(model);
  const NormalEquations normal = normal_equations(m, model.V_reset_mV, data, options);
  const Index first = options.passive ? 3 : 0, n = m.size() - first;
  const auto solver = normal.A.bottomRightCorner(n, n).completeOrthogonalDecomposition();
  int iterations = 0;
  for (std::size_t k = 0; k < options.draws; ++k) {
    const VectorXd weights = bootstrap_weights(blocks_of(data, options.block_ms), options.seed, k);
    Membrane drawn = m;
    if (n > 0) {
      VectorXd step = VectorXd::Zero(m.size());
      // At the optimum the unweighted sum is zero; only the departure counts.
      step.tail(n) = solver.solve((normal.y_of_block * (weights.array() - 1).matrix()).tail(n));
      drawn.add(step);
      if (!drawn.is_leaky()) continue;
    }
    network::GifModel one = model;
    put_membrane(drawn, options, one);
    const ThresholdData threshold = threshold_data(drawn, one, data, options);
    const VectorXd beta =
        maximise(threshold, beta_of(model, threshold.V_0), model.lambda_0_Hz, kNewtonSteps, iterations, weights);
    if (!(beta[0] > 0)) continue;
    put_threshold(beta, threshold.V_0, one);
    draws.push_back(one);
  }
  return draws;
}

std::map<std::string, double> spread_of(std::span<const network::GifModel> draws) {
  std::map<std::string, std::vector<double>> values;
  for (const network::GifModel& model : draws) {
    values["C_m_nF"].push_back(model.C_m_nF);
    values["g_L_uS"].push_back(model.g_L_uS);
    values["E_L_mV"].push_back(model.E_L_mV);
    values["V_threshold_mV"].push_back(model.V_threshold_mV);
    values["Delta_V_mV"].push_back(model.Delta_V_mV);
    const auto add = [&](const char* name, const std::vector<network::ExponentialKernel>& kernels, const char* unit) {
      for (const network::ExponentialKernel& kernel : kernels) {
        values[fmt::format("{}_{:.4g}ms{}", name, kernel.tau_ms, unit)].push_back(kernel.amplitude);
      }
    };
    for (const auto& current : model.currents) {
      values[fmt::format("current_above_{:.3g}mV_{:.4g}ms_uS", current.above_mV, current.tau_ms)].push_back(
          current.g_uS);
    }
    for (const auto& movement : model.threshold_follows) {
      values[fmt::format("threshold_above_{:.3g}mV_{:.4g}ms", movement.above_mV, movement.tau_ms)].push_back(
          movement.slope);
    }
    if (model.dendrite) {
      values["spike_coupling_uS"].push_back(model.dendrite->spike_coupling_uS);
      values["spike_E_mV"].push_back(model.dendrite->spike_E_mV);
    }
    add("eta", model.eta_nA, "_nA");
    add("eta", model.eta_uS, "_uS");
    add("gamma", model.gamma_mV, "_mV");
  }
  std::map<std::string, double> out;
  for (const auto& [name, x] : values) {
    const auto n = static_cast<double>(x.size());
    double mean = 0, squares = 0;
    for (const double value : x) mean += value / n;
    for (const double value : x) squares += (value - mean) * (value - mean);
    if (n > 1) out[name] = std::sqrt(squares / (n - 1));
  }
  return out;
}

GifFitQuality evaluate_gif(const network::GifModel& model, std::span<const GifSweep> sweeps,
                           const GifFitOptions& given) {
  GifFitOptions options = given;
  options.t_ref_ms = model.t_ref_ms;
  options.eta_tau_ms = time_constants(model.eta_nA);
  options.eta_conductance_tau_ms = time_constants(model.eta_uS);
  const std::vector<Prepared> data = prepare_all(sweeps, options);
  const Membrane m = membrane_of(model);
  GifFitQuality out;
  const VoltageError error = voltage_error(m, model.V_reset_mV, data, options);
  if (error.count > 0) {
    out.variance_explained_V = 1 - error.sum_squares / error.count / error.variance;
    out.voltage_rms_error_mV = std::sqrt(error.sum_squares / error.count);
  }
  if (model.Delta_V_mV > 0) {
    const ThresholdData threshold = threshold_data(m, model, data, options);
    const double value = likelihood(threshold, beta_of(model, threshold.V_0), model.lambda_0_Hz, false).value;
    out.bits_per_spike = bits_per_spike(threshold, value);
  }
  for (const Prepared& d : data) {
    out.spikes += d.spikes.size();
    out.duration_s += static_cast<double>(d.sweep->V_mV.size()) * d.sweep->dt_ms / kMsPerSecond;
  }
  return out;
}

}  // namespace triscale::bridges
