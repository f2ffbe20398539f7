#include "bridges/gif/gif_terms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "bridges/gif/gif_data.hpp"
#include "core/error.hpp"

namespace triscale::bridges {

namespace {

// What a term is worth having for, on held-out sweeps, if Md* does not suffer.
constexpr double kLoss = 0.004;
constexpr double kWorthError_mV = 0.02;  // of the rms error of V: terms of the membrane
constexpr double kWorthBits = 0.02;      // per spike: terms of the threshold

/// Sorted potentials between spikes, every ms.
std::vector<double> potentials(std::span<const GifSweep> sweeps, const GifFitOptions& options) {
  std::vector<double> V;
  for (const Prepared& data : prepare_all(sweeps, options)) {
    const std::size_t every = std::max<std::size_t>(1, steps_of(1, data.sweep->dt_ms));
    for (std::size_t k = 0; k < data.sweep->V_mV.size(); k += every) {
      if (!data.near_spike[k]) V.push_back(data.sweep->V_mV[k]);
    }
  }
  std::sort(V.begin(), V.end());
  return V;
}

double quantile(const std::vector<double>& sorted, double share) {
  return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(share * static_cast<double>(sorted.size())))];
}

/// How long the effects of spikes last.
double memory_ms(const GifFitOptions& options) {
  constexpr double kTimeConstants = 2;
  double longest = 0;
  for (const std::vector<double>* taus : {&options.eta_tau_ms, &options.gamma_tau_ms}) {
    for (const double tau : *taus) longest = std::max(longest, tau);
  }
  return kTimeConstants * longest;
}

/// The first or the second half of a sweep; the second with what it remembers of the first, left out.
GifSweep part_of(const GifSweep& sweep, std::size_t part, double memory_ms) {
  const std::size_t n = sweep.V_mV.size(), middle = n / 2;
  const std::size_t begin = part == 0 ? 0 : middle - std::min(middle, steps_of(memory_ms, sweep.dt_ms));
  const std::size_t end = part == 0 ? middle : n;
  GifSweep out;
  out.dt_ms = sweep.dt_ms;
  const auto cut = [&](const auto& from, auto& to) {
    if (from.empty()) return;
    to.assign(from.begin() + static_cast<std::ptrdiff_t>(begin), from.begin() + static_cast<std::ptrdiff_t>(end));
  };
  cut(sweep.V_mV, out.V_mV);
  cut(sweep.I_nA, out.I_nA);
  cut(sweep.G_uS, out.G_uS);
  cut(sweep.G_soma_uS, out.G_soma_uS);
  cut(sweep.GE_nA, out.GE_nA);
  cut(sweep.left_out, out.left_out);
  if (part == 1) {
    out.left_out.resize(end - begin, 0);
    std::fill_n(out.left_out.begin(), middle - begin, 1);
  }
  const double begin_ms = static_cast<double>(begin) * sweep.dt_ms, end_ms = static_cast<double>(end) * sweep.dt_ms;
  for (const double t : sweep.spikes_ms) {
    if (t >= begin_ms && t < end_ms) out.spikes_ms.push_back(t - begin_ms);
  }
  return out;
}

/// Fits on each half of the sweeps and compares on the other.
class Chooser {
 public:
  Chooser(std::span<const GifSweep> training, GifFitOptions options)
      : all_(training), options_(std::move(options)), V_mV_(potentials(training, options_)) {
    for (std::size_t s = 0; s < training.size(); ++s) {
      for (const std::size_t part : {0, 1})
        halves_[(s + part) % 2].push_back(part_of(training[s], part, memory_ms(options_)));
    }
  }

  std::optional<double> first_Md() { return can_choose() ? std::optional(best_.Md) : std::nullopt; }

  GifTermsFit run() {
    GifTermsFit out;
    if (can_choose()) {
      choose_curve();
      choose_slow_currents();
      choose_conductance();
      choose_filter();
      choose_following();
      out.held_out_Md = best_.Md;
    } else {
      notes_.push_back("too few training spikes to choose terms beyond the published model");
    }
    GifFitOptions near_a_half = options_;
    if (best_.Md > 0) near_a_half.start = models_[0];
    out.fit = fit_gif(all_, near_a_half);
    out.options = options_;
    out.notes = std::move(notes_);
    return out;
  }

 private:
  using Models = std::array<network::GifModel, 2>;  ///< [half that it was fitted to]

  bool can_choose() {
    constexpr std::size_t kLeastSpikes = 50;
    for (const std::vector<GifSweep>& half : halves_) {
      std::size_t spikes = 0;
      for (const GifSweep& sweep : half) spikes += sweep.spikes_ms.size();
      if (spikes < kLeastSpikes) return false;
    }
    if (V_mV_.empty()) return false;
    const std::optional<Models> published = fit_halves(options_, false);
    if (!published) return false;
    models_ = *published;
    best_ = held_out(models_, options_);
    notes_.push_back(
        fmt::format("published model: V off by {:.2f} mV, {:.3f} bits per spike and Md* {:.3f} on held-out sweeps",
                    best_.V_error_mV, best_.bits, best_.Md));
    return true;
  }

  /// With `threshold_only` the membranes are those of the models so far.
  std::optional<Models> fit_halves(GifFitOptions options, bool threshold_only) const {
    Models out;
    try {
      for (std::size_t h = 0; h < 2; ++h) {
        if (threshold_only) options.membrane = models_[h];
        if (best_.Md > 0) options.start = models_[h];
        out[h] = fit_gif(halves_[h], options).model;
      }
    } catch (const core::NumericalError&) {
      return std::nullopt;  // the term makes no sense for this cell
    }
    return out;
  }

  struct Score {
    double V_error_mV = 0, bits = 0, Md = 0;
  };
  /// The same draws for all models, so that what does nothing changes nothing.
  Score held_out(const Models& models, const GifFitOptions& options) const {
    constexpr std::size_t kRepetitions = 4;
    double squares = 0, bits = 0, Md = 0, spikes = 0, seconds = 0;
    for (std::size_t h = 0; h < 2; ++h) {
      const std::vector<GifSweep>& other = halves_[1 - h];
      const GifFitQuality quality = evaluate_gif(models[h], other, options);
      const auto weight = static_cast<double>(quality.spikes);
      bits += weight * quality.bits_per_spike;
      Md += weight * predict_gif(models[h], other, options.skip_ms, kRepetitions, options.seed).coincidence;
      spikes += weight;
      squares += quality.duration_s * quality.voltage_rms_error_mV * quality.voltage_rms_error_mV;
      seconds += quality.duration_s;
    }
    return {std::sqrt(squares / seconds), bits / spikes, Md / spikes};
  }

  /// Takes the best of the trials if it is worth it.
  void choose(const std::string& name, const std::vector<GifFitOptions>& trials, bool threshold_only) {
    Score score;
    Models best;
    std::size_t index = trials.size();
    for (std::size_t i = 0; i < trials.size(); ++i) {
      const std::optional<Models> models = fit_halves(trials[i], threshold_only);
      if (!models) continue;
      const Score now = held_out(*models, trials[i]);
      if (index < trials.size() && !(now.Md > score.Md)) continue;
      score = now;
      best = *models;
      index = i;
    }
    if (index == trials.size()) {
      notes_.push_back(name + ": no fit, left out");
      return;
    }
    const double bits = score.bits - best_.bits, Md = score.Md - best_.Md;
    const double V_error_mV = score.V_error_mV - best_.V_error_mV;
    // The likelihood of a membrane is ruled by the few spikes and moments that it all but excludes.
    const bool tells_more = threshold_only ? bits > kWorthBits : V_error_mV < -kWorthError_mV;
    const bool kept = Md > kWorthCoincidence || (tells_more && Md > -kLoss);
    notes_.push_back(fmt::format("{}: {}{:+.3f} bits per spike and {:+.3f} of Md* on held-out sweeps, {}", name,
                                 threshold_only ? "" : fmt::format("error of V {:+.3f} mV, ", V_error_mV), bits, Md,
                                 kept ? "kept" : "left out"));
    if (!kept) return;
    options_ = trials[index];
    models_ = best;
    best_ = score;
  }

  /// With a last bend near threshold and without: few samples determine it, all of a cell that did not fire.
  void choose_curve() {
    constexpr double kShares[] = {0.05, 0.25, 0.5, 0.75, 0.9}, kNearThreshold = 0.97;
    GifFitOptions trial = options_;
    const auto add_bend = [&](double share) {
      constexpr double kApart_mV = 1;
      const double V = quantile(V_mV_, share);
      const bool above_rest = !trial.passive || V > trial.passive->E_L_mV;
      const bool apart = trial.currents.empty() || V > trial.currents.back().above_mV + kApart_mV;
      if (above_rest && apart) trial.currents.push_back({0, V, 0});
    };
    for (const double share : kShares) add_bend(share);
    std::vector<GifFitOptions> trials{trial};
    add_bend(kNearThreshold);
    trials.push_back(trial);
    choose("current-voltage curve", trials, false);
  }

  void choose_slow_currents() {
    GifFitOptions trial = options_;
    const double low = quantile(V_mV_, 0.05), middle = quantile(V_mV_, 0.5), high = quantile(V_mV_, 0.75);
    trial.currents.insert(trial.currents.end(), {{0, low, 30}, {0, high, 30}, {0, high, 150}, {0, middle, 700}});
    choose("slow currents", {trial}, false);
  }

  /// What the channels that end a spike leave behind. One time constant: a second one, 5 and 15 ms instead of 10,
  /// changed Md* by less than 0.002.
  void choose_conductance() {
    constexpr double kTau_ms = 10;
    GifFitOptions trial = options_;
    trial.eta_conductance_tau_ms = {kTau_ms};
    choose("spike-triggered conductance", {trial}, false);
  }

  /// The membrane stays as it is when only the threshold changes.
  void choose_filter() {
    std::vector<GifFitOptions> trials(2, options_);
    trials[0].V_filter_ms = 0.5;
    trials[1].V_filter_ms = 1;
    choose("low-pass in front of the escape rate", trials, true);
  }

  void choose_following() {
    GifFitOptions trial = options_;
    const double low = quantile(V_mV_, 0.05), high = quantile(V_mV_, 0.75);
    trial.threshold_follows = {{0, low, 10}, {0, low, 50}, {0, high, 5}, {0, high, 20}};
    choose("threshold that follows V", {trial}, true);
  }

  std::span<const GifSweep> all_;
  GifFitOptions options_;
  std::vector<double> V_mV_;
  std::array<std::vector<GifSweep>, 2> halves_;
  Models models_;
  Score best_;
  std::vector<std::string> notes_;
};

}  // namespace

std::optional<double> held_out_Md(std::span<const GifSweep> training, const GifFitOptions& options) {
  return Chooser(training, options).first_Md();
}

GifTermsFit fit_gif_with_terms(std::span<const GifSweep> training, const GifFitOptions& options) {
  return Chooser(training, options).run();
}

}  // namespace triscale::bridges
