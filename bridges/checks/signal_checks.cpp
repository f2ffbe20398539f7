#include "bridges/checks/signal_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <numbers>
#include <unsupported/Eigen/FFT>

#include "bridges/fields/kernel_error.hpp"
#include "bridges/fields/signal_recorder.hpp"
#include "bridges/point/cell_sample.hpp"

namespace triscale::bridges {

namespace {

using measure::ChannelValue;
using measure::ConsistencyCheck;
using measure::Interval;
using measure::Signal;

constexpr double kMsPerS = 1000;
constexpr std::array<double, 5> kBands_Hz = {4, 12, 30, 80, 200};
constexpr std::size_t kBands = kBands_Hz.size() - 1;
constexpr double kLeastShareOfPower = 0.01;

/// Sums over the samples of one block.
struct Sums {
  double n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;
};

/// Two signals of one channel, cut into blocks.
class BlockedSignals {
 public:
  BlockedSignals(const Signal& finer, const Signal& coarser, std::size_t channel, const measure::BlockGrid& grid)
      : sums_(grid.blocks), finer_power_(grid.blocks), coarser_power_(grid.blocks) {
    const auto length = static_cast<std::size_t>(std::llround(grid.block_ms / finer.dt_ms));
    std::vector<double> x, y;
    for (std::size_t b = 0; b < grid.blocks; ++b) {
      const double begin_ms = grid.begin_ms + static_cast<double>(b) * grid.block_ms;
      x = piece(finer, channel, begin_ms, length);
      y = piece(coarser, channel, begin_ms, length);
      Sums& sums = sums_[b];
      for (std::size_t k = 0; k < std::min(x.size(), y.size()); ++k) {
        sums.n += 1, sums.x += x[k], sums.y += y[k];
        sums.xx += x[k] * x[k], sums.yy += y[k] * y[k], sums.xy += x[k] * y[k];
      }
      finer_power_[b] = band_power(x, finer.dt_ms);
      coarser_power_[b] = band_power(y, finer.dt_ms);
    }
  }

  struct Moments {
    double var_x = 0, var_y = 0, covariance = 0;
    double correlation() const { return var_x > 0 && var_y > 0 ? covariance / std::sqrt(var_x * var_y) : 0.0; }
  };
  Moments moments(Multiplicity m) const {
    Sums s;
    for (std::size_t b = 0; b < sums_.size(); ++b) {
      s.n += m[b] * sums_[b].n, s.x += m[b] * sums_[b].x, s.y += m[b] * sums_[b].y;
      s.xx += m[b] * sums_[b].xx, s.yy += m[b] * sums_[b].yy, s.xy += m[b] * sums_[b].xy;
    }
    if (!(s.n > 0)) return {};
    return {std::max(0.0, s.xx / s.n - s.x * s.x / (s.n * s.n)), std::max(0.0, s.yy / s.n - s.y * s.y / (s.n * s.n)),
            s.xy / s.n - s.x * s.y / (s.n * s.n)};
  }

  /// Largest difference of power in a band, dB, with its sign.
  double spectral_difference_dB(Multiplicity m) const {
    std::array<double, kBands> finer{}, coarser{};
    double total = 0;
    for (std::size_t b = 0; b < finer_power_.size(); ++b) {
      for (std::size_t k = 0; k < kBands; ++k) {
        finer[k] += m[b] * finer_power_[b][k];
        coarser[k] += m[b] * coarser_power_[b][k];
        total += m[b] * finer_power_[b][k];
      }
    }
    double largest = 0;
    for (std::size_t k = 0; k < kBands; ++k) {
      if (!(finer[k] > kLeastShareOfPower * total)) continue;
      constexpr double kFloor = 1e-6;  // nothing at all: 60 dB less
      const double dB = 10 * std::log10(std::max(coarser[k] / finer[k], kFloor));
      if (std::abs(dB) > std::abs(largest)) largest = dB;
    }
    return largest;
  }

 private:
  static std::vector<double> piece(const Signal& signal, std::size_t channel, double begin_ms, std::size_t length) {
    std::vector<double> values;
    const double first = std::round((begin_ms - signal.begin_ms) / signal.dt_ms);
    for (std::size_t k = 0; k < length; ++k) {
      const double at = first + static_cast<double>(k);
      if (at < 0 || at >= static_cast<double>(signal.samples())) continue;
      values.push_back(signal.values[static_cast<std::size_t>(at) * signal.channels + channel]);
    }
    return values;
  }

  /// Power in the bands by a Hann-windowed periodogram (Welch 1967, IEEE Trans Audio Electroacoust 15:70).
  static std::array<double, kBands> band_power(const std::vector<double>& values, double dt_ms) {
    std::array<double, kBands> power{};
    const std::size_t n = values.size();
    if (n < 8) return power;
    double mean = 0;
    for (const double value : values) mean += value / static_cast<double>(n);
    std::vector<double> windowed(n);
    for (std::size_t k = 0; k < n; ++k) {
      const double phase = 2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(n);
      windowed[k] = (values[k] - mean) * 0.5 * (1 - std::cos(phase));
    }
    Eigen::FFT<double> fft;
    fft.SetFlag(Eigen::FFT<double>::HalfSpectrum);
    std::vector<std::complex<double>> spectrum;
    fft.fwd(spectrum, windowed);
    for (std::size_t f = 1; f < spectrum.size(); ++f) {
      const double Hz = static_cast<double>(f) * kMsPerS / (static_cast<double>(n) * dt_ms);
      for (std::size_t k = 0; k < kBands; ++k) {
        if (Hz >= kBands_Hz[k] && Hz < kBands_Hz[k + 1]) power[k] += std::norm(spectrum[f]);
      }
    }
    return power;
  }

  std::vector<Sums> sums_;
  std::vector<std::array<double, kBands>> finer_power_, coarser_power_;
};

/// A statistic of every channel; the row that is filed is that of the channel which decides.
class ChannelChecks {
 public:
  ChannelChecks(Judge& judge, const CheckSubject& subject, const char* statistic, Judge::Sides sides)
      : judge_(judge), subject_(subject), statistic_(statistic), sides_(sides) {}

  /// `difference`: of a replicate.
  void add(std::size_t channel, double finer, double coarser, double tolerance, const Statistic& difference) {
    Entry entry{{channel, finer, coarser, {}, {}}, *difference(judge_.original()), tolerance, std::nullopt};
    entry.interval = judge_.interval_of(judge_.replicates_of(difference));
    if (entry.interval) {
      entry.value.difference_low = entry.interval->low;
      entry.value.difference_high = entry.interval->high;
    }
    entries_.push_back(entry);
  }

  std::vector<ChannelValue> file() {
    std::vector<ChannelValue> values;
    std::size_t worst = 0, agree = 0;
    for (std::size_t c = 0; c < entries_.size(); ++c) {
      values.push_back(entries_[c].value);
      agree += badness(entries_[c]) <= 1;
      if (rank(entries_[c]) > rank(entries_[worst])) worst = c;
    }
    if (entries_.empty()) return values;
    const Entry& entry = entries_[worst];
    ConsistencyCheck check = judge_.begin_check(subject_, statistic_, entry.tolerance);
    check.finer_value = entry.value.finer;
    check.coarser_value = entry.value.coarser;
    check.difference = entry.difference;
    check.note = fmt::format("channel {} decides; {} of {} channels agree within the tolerance", entry.value.channel,
                             agree, entries_.size());
    judge_.decide(std::move(check), entry.interval, sides_);
    return values;
  }

 private:
  struct Entry {
    ChannelValue value;
    double difference, tolerance;
    std::optional<Interval> interval;
  };
  /// How far the interval reaches out, in tolerances: up to 1 is consistent.
  double badness(const Entry& entry) const {
    const double low = entry.interval ? entry.interval->low : entry.difference;
    const double high = entry.interval ? entry.interval->high : entry.difference;
    const double out = sides_ == Judge::Sides::shortfall ? -low : std::max(-low, high);
    return out / entry.tolerance;
  }
  /// Channels that are outside as a whole come first, then those that reach out furthest.
  double rank(const Entry& entry) const {
    constexpr double kOutside = 1e6;
    if (!entry.interval) return std::abs(entry.difference) / entry.tolerance;
    const bool below = entry.interval->high < -entry.tolerance;
    const bool above = sides_ == Judge::Sides::both && entry.interval->low > entry.tolerance;
    return badness(entry) + (below || above ? kOutside : 0.0);
  }

  Judge& judge_;
  CheckSubject subject_;
  const char* statistic_;
  Judge::Sides sides_;
  std::vector<Entry> entries_;
};

/// One probe between two tiers.
class ProbeCheck {
 public:
  ProbeCheck(Judge& judge, const CheckSubject& subject, const Signal& finer, const Signal& coarser, bool mean_field,
             const SignalTolerances& tolerances)
      : judge_(judge),
        subject_(subject),
        finer_(finer),
        coarser_(coarser),
        mean_field_(mean_field),
        tolerances_(tolerances) {}

  /// `mean_signal`: what the mean kernels make of the finer tier's spikes; against a mean field only.
  measure::SignalComparison run(const PrivateVariance& chance, const Signal* mean_signal) {
    ChannelChecks amplitude(judge_, subject_, "signal_amplitude", Judge::Sides::both);
    ChannelChecks correlation(judge_, subject_, "signal_correlation", Judge::Sides::shortfall);
    ChannelChecks spectrum(judge_, subject_, "signal_spectrum", Judge::Sides::both);
    std::size_t without_chance = 0;
    for (std::size_t c = 0; c < finer_.channels; ++c) {
      const BlockedSignals blocked(finer_, coarser_, c, judge_.grid());
      const auto all = blocked.moments(judge_.original());
      if (!(all.var_x > 0)) continue;
      double shared = 1 - chance.chance[c] / all.var_x;
      if (mean_field_) {
        // What moves all cells of a population at once, seen through mean kernels.
        const BlockedSignals together(*mean_signal, *mean_signal, c, judge_.grid());
        shared = (together.moments(judge_.original()).var_x - chance.mean_kernel_chance[c]) / all.var_x;
      }
      shared = std::clamp(shared, 0.0, 1.0);
      const double reachable = mean_field_ ? std::sqrt(std::max(shared, std::min(1.0, all.var_y / all.var_x))) : shared;
      if (reachable >= judge_.options().min_expected_correlation) {
        ++without_chance;
        correlation.add(c, reachable, all.correlation(), tolerances_.correlation_shortfall,
                        [&](Multiplicity m) { return std::optional(blocked.moments(m).correlation() - reachable); });
      }
      if (mean_field_ && shared < kLeastSharedVariance) continue;
      const double keep = mean_field_ ? std::sqrt(shared) : 1.0;
      const double sd = keep * std::sqrt(all.var_x);
      amplitude.add(c, sd, std::sqrt(all.var_y), tolerances_.amplitude_relative * sd, [&](Multiplicity m) {
        const auto moments = blocked.moments(m);
        return std::optional(std::sqrt(moments.var_y) - keep * std::sqrt(moments.var_x));
      });
      if (mean_field_) continue;
      spectrum.add(c, 0, blocked.spectral_difference_dB(judge_.original()), tolerances_.spectrum_dB,
                   [&](Multiplicity m) { return std::optional(blocked.spectral_difference_dB(m)); });
    }
    measure::SignalComparison out{subject_.population, subject_.finer, subject_.coarser, {}, {}, {}};
    out.amplitude = amplitude.file();
    out.correlation = correlation.file();
    out.spectrum = spectrum.file();
    say_what_is_missing(out, without_chance);
    return out;
  }

 private:
  /// Of the finer signal's variance: below, a mean field's amplitude says nothing about the rest.
  static constexpr double kLeastSharedVariance = 0.3;

  void say_what_is_missing(const measure::SignalComparison& out, std::size_t without_chance) {
    if (without_chance == 0) {
      judge_.omit(subject_, "signal_correlation",
                  "the signal is mostly the chance of single cells: a perfect copy with its own chance would not "
                  "correlate with it");
    }
    if (!mean_field_) return;
    judge_.omit(subject_, "signal_spectrum", "a mean field has no chance fluctuations, which the finer spectrum holds");
    if (out.amplitude.empty()) {
      judge_.omit(subject_, "signal_amplitude", "the finer signal is mostly chance, which a mean field does not have");
    }
  }

  Judge& judge_;
  CheckSubject subject_;
  const Signal &finer_, &coarser_;
  bool mean_field_;
  SignalTolerances tolerances_;
};

/// A tier's activity with the spikes of virtual populations.
measure::Activity with_sources(const network::Circuit& circuit, const measure::Activity& given) {
  measure::Activity activity = given;
  for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
    if (!circuit.populations[p].is_virtual) continue;
    add_source_spikes(circuit, p, given.duration_ms, activity.populations[p]);
  }
  return activity;
}

}  // namespace

std::vector<measure::SignalComparison> check_signals(Judge& judge, const network::Circuit& circuit,
                                                     const network::CircuitKernels& kernels,
                                                     const std::vector<TierSignals>& tiers,
                                                     const SignalTolerances& tolerances) {
  std::vector<measure::SignalComparison> out;
  for (std::size_t t = 1; t < tiers.size(); ++t) {
    const TierSignals &finer = tiers[t - 1], &coarser = tiers[t];
    if (!finer.spiking) continue;
    std::vector<Signal> mean_signals;
    const measure::Activity activity = with_sources(circuit, *finer.activity);
    for (std::size_t k = 0; k < finer.probes.size() && k < coarser.probes.size(); ++k) {
      if (finer.probes[k].samples() == 0 || coarser.probes[k].samples() == 0) continue;
      const CheckSubject subject{circuit.field_probes[k].name, finer.tier, coarser.tier};
      const PrivateVariance chance = private_variance(circuit, kernels.probes[k], activity, finer.probes[k].dt_ms);
      if (!coarser.spiking && mean_signals.empty()) {
        mean_signals = signals_of(circuit, population_kernels(kernels), activity);
      }
      ProbeCheck check(judge, subject, finer.probes[k], coarser.probes[k], !coarser.spiking, tolerances);
      out.push_back(check.run(chance, coarser.spiking ? nullptr : &mean_signals[k]));
    }
  }
  return out;
}

}  // namespace triscale::bridges
