#include <algorithm>
#include <cmath>
#include <optional>

#include "bridges/gif/gif_threshold.hpp"
#include "core/random.hpp"

namespace triscale::bridges {

std::vector<double> simulate_gif(const network::GifModel& model, const GifSweep& drive, double V_start_mV,
                                 std::uint64_t seed, std::uint64_t repetition) {
  const core::RandomStream random(seed, core::Purpose::escape_noise, repetition);
  const Membrane m = membrane_of(model);
  const double dt_ms = drive.dt_ms;
  const pointneuron::BentMembrane membrane(m.C, m.currents);
  const pointneuron::DendriteStep coupled = m.dendrite_step(dt_ms);
  struct Slow {
    network::GifModel::RectifiedCurrent current;
    pointneuron::LowPass low_pass;
    double w;
    double target(double V) const { return current.g_uS * std::max(0.0, V - current.above_mV); }
  };
  std::vector<Slow> slow;
  for (const auto& current : m.currents) {
    if (!(current.tau_ms > 0)) continue;
    slow.push_back({current, {current.tau_ms, dt_ms}, 0});
    slow.back().w = slow.back().target(V_start_mV);
  }
  Followers followers(model, dt_ms);
  followers.start(V_start_mV);
  Traces eta(time_constants(model.eta_nA), dt_ms, model.t_ref_ms, Traces::Value::step_mean);
  Traces conductances(time_constants(model.eta_uS), dt_ms, model.t_ref_ms, Traces::Value::step_mean);
  Traces gamma(time_constants(model.gamma_mV), dt_ms, model.t_ref_ms, Traces::Value::at_start);
  Eigen::VectorXd gamma_mV(static_cast<Eigen::Index>(model.gamma_mV.size()));
  for (std::size_t j = 0; j < model.gamma_mV.size(); ++j)
    gamma_mV[static_cast<Eigen::Index>(j)] = model.gamma_mV[j].amplitude;
  const std::size_t t_ref = steps_of(model.t_ref_ms, dt_ms);
  const double offset = std::log(model.lambda_0_Hz * dt_ms / kMsPerSecond);

  std::vector<double> spikes;
  double V = V_start_mV, D = V_start_mV;
  std::size_t free_from = 0;  // first step at whose beginning V moves again
  for (std::size_t k = 0; k < drive.I_nA.size(); ++k) {
    eta.advance(k);
    conductances.advance(k);
    gamma.advance(k);
    if (k >= free_from) {
      const double distance =
          followers.F() - model.V_threshold_mV - gamma_mV.dot(gamma.values()) - followers.theta_mV();
      bool fires = distance >= 0;
      if (model.Delta_V_mV > 0) {
        const double u = distance / model.Delta_V_mV + offset;
        fires = u > -36 && random.uniform(k) < -std::expm1(-std::exp(u));  // e^-36: below the smallest uniform number
      }
      if (fires) {
        spikes.push_back(static_cast<double>(k) * dt_ms);
        eta.spike(k);
        conductances.spike(k);
        gamma.spike(k);
        free_from = k + std::max<std::size_t>(1, t_ref);
        V = model.V_reset_mV;
        followers.reset(V);
      }
    }
    const double begin = V, G = conductance(drive, k), GE = driving_current(drive, k);
    if (k >= free_from) {
      const double G_spike = m.eta_uS.dot(conductances.values());
      double J = drive.I_nA[k] - m.eta.dot(eta.values()) + G_spike * model.V_reset_mV;
      for (const Slow& s : slow) J -= s.low_pass.mean(s.w, s.target(V));
      m.advance(membrane, coupled, V, D, J, G, GE, conductance_at_soma(drive, k) + G_spike, dt_ms);
    } else if (m.dendrite) {
      D = coupled.refractory_step(D, G, GE);
    }
    for (Slow& s : slow) s.w = s.low_pass.next(s.w, s.target(begin), s.target(V));
    followers.advance(begin, V);
  }
  return spikes;
}

namespace {

/// Spikes of the part of a sweep that counts.
std::vector<double> counted(const std::vector<double>& spikes, const GifSweep& sweep, double skip_ms) {
  std::vector<double> out;
  for (const double t : spikes) {
    const std::size_t k = steps_of(t, sweep.dt_ms);
    if (t >= skip_ms && (k >= sweep.left_out.size() || !sweep.left_out[k])) out.push_back(t);
  }
  return out;
}

double counted_seconds(const GifSweep& sweep, double skip_ms) {
  const std::size_t first = steps_of(skip_ms, sweep.dt_ms);
  auto samples = static_cast<double>(sweep.I_nA.size()) - static_cast<double>(first);
  for (std::size_t k = first; k < sweep.left_out.size(); ++k) samples -= sweep.left_out[k];
  return samples * sweep.dt_ms / kMsPerSecond;
}

/// Number of pairs of spikes, one from each train, closer than the window.
double coincidences(const std::vector<double>& a, const std::vector<double>& b, double window_ms) {
  double count = 0;
  std::size_t low = 0, high = 0;
  for (const double t : a) {
    while (low < b.size() && b[low] < t - window_ms) ++low;
    while (high < b.size() && b[high] <= t + window_ms) ++high;
    count += static_cast<double>(high - low);
  }
  return count;
}

/// CV of the intervals of a train; none if there are too few.
std::optional<double> cv_of(const std::vector<double>& spikes) {
  constexpr std::size_t kLeastIntervals = 10;
  if (spikes.size() <= kLeastIntervals) return std::nullopt;
  const auto n = static_cast<double>(spikes.size() - 1);
  double sum = 0, sum_squares = 0;
  for (std::size_t i = 1; i < spikes.size(); ++i) {
    const double d = spikes[i] - spikes[i - 1];
    sum += d;
    sum_squares += d * d;
  }
  return std::sqrt(std::max(0.0, sum_squares / n - sum / n * sum / n)) / (sum / n);
}

/// Mean over trains.
struct MeanCv {
  double sum = 0, count = 0;
  void add(std::optional<double> cv) {
    if (!cv) return;
    sum += *cv;
    count += 1;
  }
  double value() const { return count > 0 ? sum / count : 0; }
};

}  // namespace

GifPrediction predict_gif(const network::GifModel& model, std::span<const GifSweep> test, double skip_ms,
                          std::size_t repetitions, std::uint64_t seed, double window_ms) {
  GifPrediction out;
  double cross = 0, data_norm = 0, model_norm = 0, model_self = 0, seconds = 0, data_count = 0, model_count = 0;
  MeanCv data_cv, model_cv;
  const double n = static_cast<double>(repetitions);
  for (std::size_t s = 0; s < test.size(); ++s) {
    const std::vector<double> data = counted(test[s].spikes_ms, test[s], skip_ms);
    const std::optional<double> cv = cv_of(data);  // the same trains are compared
    data_cv.add(cv);
    std::vector<double> pooled;
    double self = 0;
    for (std::size_t r = 0; r < repetitions; ++r) {
      const std::vector<double> spikes =
          counted(simulate_gif(model, test[s], test[s].V_mV.empty() ? model.E_L_mV : test[s].V_mV[0], seed,
                               s * repetitions + r),
                  test[s], skip_ms);
      self += coincidences(spikes, spikes, window_ms);
      if (cv) model_cv.add(cv_of(spikes));
      pooled.insert(pooled.end(), spikes.begin(), spikes.end());
    }
    std::sort(pooled.begin(), pooled.end());
    cross += coincidences(data, pooled, window_ms) / n;
    data_norm += coincidences(data, data, window_ms);
    model_self += self / n;
    // Unbiased: only pairs of different repetitions.
    const double all = coincidences(pooled, pooled, window_ms);
    model_norm += repetitions > 1 ? (all - self) / (n * (n - 1)) : all;
    seconds += counted_seconds(test[s], skip_ms);
    data_count += static_cast<double>(data.size());
    model_count += static_cast<double>(pooled.size()) / n;
  }
  if (model_self + model_norm > 0) out.self_coincidence = 2 * model_norm / (model_self + model_norm);
  if (data_norm + model_norm > 0) out.coincidence = 2 * cross / (data_norm + model_norm);
  out.rate_data_hz = data_count / seconds;
  out.rate_model_hz = model_count / seconds;
  out.cv_data = data_cv.value();
  out.cv_model = model_cv.value();
  return out;
}

double match_rate(network::GifModel& model, std::span<const GifSweep> sweeps, double skip_ms, std::uint64_t seed) {
  constexpr double kLargest_mV = 5;
  constexpr int kHalvings = 8;
  constexpr std::size_t kRepetitions = 2;
  const double given_mV = model.V_threshold_mV;
  double low = -kLargest_mV, high = kLargest_mV;  // the rate falls with the threshold; the noise stays the same
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = 0.5 * (low + high);
    model.V_threshold_mV = given_mV + middle;
    const GifPrediction p = predict_gif(model, sweeps, skip_ms, kRepetitions, seed);
    (p.rate_model_hz > p.rate_data_hz ? low : high) = middle;
  }
  model.V_threshold_mV = given_mV + 0.5 * (low + high);
  return model.V_threshold_mV - given_mV;
}

}  // namespace triscale::bridges
