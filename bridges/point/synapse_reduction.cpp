#include "bridges/point/synapse_reduction.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <utility>

#include "bridges/point/point_membrane.hpp"

namespace triscale::bridges {

using network::BiexponentialSynapse;

namespace {

constexpr double kTwoPiPerMs = 2e-3 * std::numbers::pi;  // f in Hz to angular frequency in 1/ms

/// Factor that makes the peak of exp(-t/tau_decay) - exp(-t/tau_rise) equal 1; equal time constants are moved apart.
struct Normalised {
  double rise, decay, factor;
};
Normalised normalise(const BiexponentialSynapse& k) {
  if (!(k.tau_rise_ms > 0)) return {0, k.tau_decay_ms, 1};
  double rise = std::min(k.tau_rise_ms, k.tau_decay_ms);
  const double decay = std::max(k.tau_rise_ms, k.tau_decay_ms);
  rise = std::min(rise, decay * (1 - 1e-5));
  const double peak = rise * decay / (decay - rise) * std::log(decay / rise);
  return {rise, decay, 1 / (std::exp(-peak / decay) - std::exp(-peak / rise))};
}

}  // namespace

Complex transform_of(const BiexponentialSynapse& kinetics, Complex s_per_ms) {
  const Normalised k = normalise(kinetics);
  const Complex slow = k.decay / (1.0 + s_per_ms * k.decay);
  return k.rise > 0 ? k.factor * (slow - k.rise / (1.0 + s_per_ms * k.rise)) : slow;
}

Complex spectrum_of(const BiexponentialSynapse& kinetics, double frequency_Hz) {
  return transform_of(kinetics, {0, kTwoPiPerMs * frequency_Hz});
}

double integral_of(const BiexponentialSynapse& kinetics) {
  return spectrum_of(kinetics, 0).real();
}

BiexponentialSynapse low_pass(const BiexponentialSynapse& kinetics, double tau_ms) {
  if (!(tau_ms > 0)) return kinetics;
  // Mean and variance of a chain of exponentials: sums of tau and of tau^2.
  const double variance =
      kinetics.tau_rise_ms * kinetics.tau_rise_ms + kinetics.tau_decay_ms * kinetics.tau_decay_ms + tau_ms * tau_ms;
  // Two time constants with these sums exist if mean^2 <= 2 variance; what is over becomes delay.
  const double mean = std::min(kinetics.tau_rise_ms + kinetics.tau_decay_ms + tau_ms, std::sqrt(2 * variance));
  // Equal time constants are the limit of an alpha function; the biexponential needs them apart by a little.
  constexpr double kApart = 1e-4;
  const double root = std::max(kApart * mean, std::sqrt(std::max(0.0, 2 * variance - mean * mean)));
  return {0.5 * (mean - root), 0.5 * (mean + root), kinetics.E_rev_mV};
}

ImpedanceSpectrum impedance_spectrum(const QuasiActiveCell& cell, Channels channels) {
  // Below 1 Hz a postsynaptic potential has no more structure; above 1 kHz it has no power.
  constexpr double kLowest_Hz = 1, kHighest_Hz = 1000;
  constexpr std::size_t kFrequencies = 48;
  ImpedanceSpectrum out;
  out.soma = cell.tree().soma();
  const double ratio = std::pow(kHighest_Hz / kLowest_Hz, 1.0 / (kFrequencies - 1));
  for (std::size_t k = 0; k < kFrequencies; ++k) {
    const double f = kLowest_Hz * std::pow(ratio, static_cast<double>(k));
    out.frequencies_Hz.push_back(f);
    // Logarithmic midpoints; the first interval reaches down to 0.
    const double low = k == 0 ? 0 : f / std::sqrt(ratio);
    out.widths_Hz.push_back(f * std::sqrt(ratio) - low);
    TreeImpedance z = cell.impedance(f, channels);
    out.input.push_back(std::move(z.input_MOhm));
    out.transfer.push_back(std::move(z.transfer_MOhm));
  }
  return out;
}

namespace {

/// A conductance that takes driving force from itself: with the local depolarisation u = w z * g, as a share of the
/// driving force, the current is that of g / (1 + u).
class Saturation {
 public:
  explicit Saturation(const ImpedanceSpectrum& spectrum) : spectrum_(spectrum) {
    constexpr double kFirst_ms = 0.02, kLast_ms = 500, kRatio = 1.06;
    for (double t = kFirst_ms; t < kLast_ms; t *= kRatio) times_ms_.push_back(t);
    for (const double t : times_ms_) {
      for (const double f : spectrum.frequencies_Hz) phases_.push_back(std::polar(1.0, kTwoPiPerMs * f * t));
    }
  }
  /// Spectrum of the current per driving force and w; G is that of the kinetics, Z(k) the impedance where it acts.
  template <class Impedance>
  std::vector<Complex> spectrum(const BiexponentialSynapse& kinetics, const std::vector<Complex>& G, const Impedance& Z,
                                double weight_uS) const {
    std::vector<Complex> out = G;
    if (!(weight_uS > 0)) return out;
    const Normalised g = normalise(kinetics);
    const std::size_t n = G.size();
    std::vector<Complex> ZG;
    for (std::size_t k = 0; k < n; ++k) ZG.push_back(2e-3 * spectrum_.widths_Hz[k] * Z(k) * G[k]);
    for (std::size_t j = 0; j < times_ms_.size(); ++j) {
      const double t = times_ms_[j];
      const Complex* phase = phases_.data() + j * n;
      double u = 0;
      for (std::size_t k = 0; k < n; ++k) u += ZG[k].real() * phase[k].real() - ZG[k].imag() * phase[k].imag();
      u *= weight_uS;
      if (!(u > 0)) continue;
      const double rising = g.rise > 0 ? std::exp(-t / g.rise) : 0;
      const double width = 0.5 * ((j + 1 < times_ms_.size() ? times_ms_[j + 1] : t) - (j > 0 ? times_ms_[j - 1] : 0));
      const double lost = width * g.factor * (std::exp(-t / g.decay) - rising) * u / (1 + u);
      for (std::size_t k = 0; k < n; ++k) out[k] -= lost * std::conj(phase[k]);
    }
    return out;
  }

 private:
  const ImpedanceSpectrum& spectrum_;
  std::vector<double> times_ms_;
  std::vector<Complex> phases_;  ///< [time][frequency]
};

/// A time course that a compartment may be given, with the point neuron's response to it.
struct Candidate {
  BiexponentialSynapse receptor;
  std::vector<Complex> K, response;  ///< spectrum; Z_pt times that of the current
  double norm = 0;                   ///< int |response|^2 df
};

/// What the compartments of a synapse type share: spectra on the grid.
class Reducer {
 public:
  Reducer(const BiexponentialSynapse& kinetics, const ImpedanceSpectrum& spectrum, const PassiveMembrane& membrane,
          const std::vector<double>& weights, double mean_weight_uS)
      : kinetics_(kinetics), spectrum_(spectrum), saturation_(spectrum), mean_weight_uS_(mean_weight_uS) {
    for (const double f : spectrum.frequencies_Hz) {
      G_.push_back(spectrum_of(kinetics, f));
      Z_point_.push_back(impedance_of(membrane, f));
    }
    for (std::size_t d = 0; d <= kDelays; ++d) {
      for (const double f : spectrum.frequencies_Hz) {
        phases_.push_back(std::polar(1.0, -kTwoPiPerMs * f * kDelayStep_ms * static_cast<double>(d)));
      }
    }
    double all = 0;
    for (std::size_t node = 0; node < weights.size(); ++node) {
      mean_transfer_ += weights[node] * std::abs(spectrum.transfer.front()[node]);
      all += weights[node];
      std::vector<Complex>& current = targets_.emplace_back(saturation_.spectrum(
          kinetics, G_, [&](std::size_t k) { return spectrum.input[k][node]; }, mean_weight_uS));
      for (std::size_t k = 0; k < G_.size(); ++k) current[k] *= spectrum.transfer[k][node];
    }
    mean_transfer_ /= all;
  }

  Candidate candidate(const BiexponentialSynapse& receptor) const {
    Candidate out;
    out.receptor = receptor;
    const auto Z_own = [&](std::size_t k) { return receptor.at_soma ? Z_point_[k].soma : Z_point_[k].synapse; };
    const auto Z_soma = [&](std::size_t k) { return receptor.at_soma ? Z_point_[k].soma : Z_point_[k].transfer; };
    for (const double f : spectrum_.frequencies_Hz) out.K.push_back(spectrum_of(receptor, f));
    // With the amplitude that a slow potential needs, on average.
    const double a = mean_transfer_ * integral_of(kinetics_) / (std::abs(Z_soma(0)) * integral_of(receptor));
    const std::vector<Complex> current = saturation_.spectrum(receptor, out.K, Z_own, a * mean_weight_uS_);
    for (std::size_t k = 0; k < G_.size(); ++k) {
      out.response.push_back(Z_soma(k) * current[k]);
      out.norm += spectrum_.widths_Hz[k] * std::norm(out.response.back());
    }
    return out;
  }

  /// Best amplitude and delay of a somatic synapse with a candidate's time course for a compartment.
  struct Fit {
    double a = 0, delay_ms = 0, error = std::numeric_limits<double>::infinity();
  };
  Fit fit(std::size_t node, const Candidate& candidate) const {
    // Coarse to fine: the error has one minimum in the delay within the range of dendritic delays.
    // The delay only turns the phases of this product of the candidate's response and the dendrite's.
    std::vector<Complex> product;
    double data = 0;
    for (std::size_t k = 0; k < G_.size(); ++k) {
      const Complex target = targets_[node][k];
      product.push_back(spectrum_.widths_Hz[k] * std::conj(candidate.response[k]) * target);
      data += spectrum_.widths_Hz[k] * std::norm(target);
    }
    Fit best;
    const auto try_delay = [&](std::size_t d) {
      double cross = 0;
      const Complex* phase = phases_.data() + d * product.size();
      for (std::size_t k = 0; k < product.size(); ++k) {
        cross += product[k].real() * phase[k].real() + product[k].imag() * phase[k].imag();
      }
      const double a = std::max(0.0, cross / candidate.norm);
      const double error = std::sqrt(std::max(0.0, 1 + (a * a * candidate.norm - 2 * a * cross) / data));
      if (error < best.error) best = {a, kDelayStep_ms * static_cast<double>(d), error};
      return error;
    };
    std::size_t centre = 0;
    for (std::size_t d = 0; d <= kDelays; d += kCoarse) {
      const double before = best.error;
      const double error = try_delay(d);
      if (best.error < before) centre = d;
      if (error > best.error && d > centre + 2 * kCoarse) break;
    }
    const std::size_t from = centre > kCoarse ? centre - kCoarse : 0;
    for (std::size_t d = from; d <= std::min(kDelays, centre + kCoarse); ++d) try_delay(d);
    return best;
  }

  /// Charge lost to the own depolarisation per unit of peak conductance, in the dendrite and in the point neuron.
  double dendritic_loss_per_uS(std::size_t node) const {
    double sum = 0;
    for (std::size_t k = 0; k < G_.size(); ++k) {
      sum += 2e-3 * spectrum_.widths_Hz[k] * std::norm(G_[k]) * spectrum_.input[k][node].real();
    }
    return sum / integral_of(kinetics_);
  }
  double point_loss_per_uS(const Candidate& candidate) const {
    double sum = 0;
    for (std::size_t k = 0; k < candidate.K.size(); ++k) {
      const Complex Z = candidate.receptor.at_soma ? Z_point_[k].soma : Z_point_[k].synapse;
      sum += 2e-3 * spectrum_.widths_Hz[k] * std::norm(candidate.K[k]) * Z.real();
    }
    return sum / integral_of(candidate.receptor);
  }

 private:
  static constexpr double kDelayStep_ms = 0.025;
  static constexpr std::size_t kDelays = 800, kCoarse = 20;  // up to 20 ms; 0.5 ms

  const BiexponentialSynapse& kinetics_;
  const ImpedanceSpectrum& spectrum_;
  Saturation saturation_;
  double mean_weight_uS_, mean_transfer_ = 0;
  std::vector<Complex> G_;
  std::vector<std::vector<Complex>> targets_;  ///< [node][frequency]: somatic potential per driving force and weight
  std::vector<PointImpedance> Z_point_;
  std::vector<Complex> phases_;  ///< [delay][frequency]
};

/// The synapse itself, then a grid of rise and decay times around it. Low-passes alone are too few: the point neuron
/// has one time constant, and the time course must also make up for what the cell's input impedance has besides.
std::vector<BiexponentialSynapse> time_courses(const BiexponentialSynapse& kinetics) {
  constexpr double kRises[] = {0.3, 0.5, 0.75, 1, 1.4, 2, 3, 4.5, 6.5, 10};
  constexpr double kDecays[] = {0.6, 0.75, 0.9, 1, 1.1, 1.25, 1.4, 1.6, 1.85, 2.2,
                                2.7, 3.3,  4,   5, 6.5, 8.5,  11,  14,  20,   30};
  constexpr double kLeastRise_ms = 0.1;
  std::vector<BiexponentialSynapse> out{kinetics};
  const double rise_ms = std::max(kLeastRise_ms, kinetics.tau_rise_ms);
  for (const double rise : kRises) {
    for (const double decay : kDecays) {
      if (rise * rise_ms < decay * kinetics.tau_decay_ms) {
        out.push_back({rise * rise_ms, decay * kinetics.tau_decay_ms, kinetics.E_rev_mV});
      }
    }
  }
  for (double tau = 0.1; tau < 15; tau *= 1.35) out.push_back(low_pass(kinetics, tau));
  return out;
}

/// Greedy choice of at most `max` candidates that minimise the squared error over where the synapses are.
struct Choice {
  std::vector<std::size_t> candidates;
  double error = 0;  ///< root of the mean square
};
Choice choose(const std::vector<std::vector<double>>& errors, const std::vector<double>& weights, std::size_t max) {
  constexpr double kWorthIt = 0.02;  // relative gain of one more time course
  std::vector<double> best(errors.size(), 1e300);
  std::vector<std::size_t> chosen;
  double total = 1e300;
  while (chosen.size() < max) {
    std::size_t next = 0;
    double least = 1e300;
    for (std::size_t c = 0; c < errors.front().size(); ++c) {
      double sum = 0;
      for (std::size_t n = 0; n < errors.size(); ++n) {
        const double error = std::min(best[n], errors[n][c]);
        sum += weights[n] * error * error;
      }
      if (!(sum < least)) continue;
      least = sum;
      next = c;
    }
    if (!(least < total * (1 - kWorthIt))) break;
    total = least;
    chosen.push_back(next);
    for (std::size_t n = 0; n < errors.size(); ++n) best[n] = std::min(best[n], errors[n][next]);
  }
  return {std::move(chosen), std::sqrt(total / std::accumulate(weights.begin(), weights.end(), 0.0))};
}

/// Receptors at the soma beside those in the dendrite, where they take that much of the error away.
constexpr double kSomaWorthIt = 0.85;

}  // namespace

SynapseReduction reduce_synapse(const BiexponentialSynapse& kinetics, const detailed::CompartmentTree& tree,
                                const ImpedanceSpectrum& spectrum, const PassiveMembrane& membrane,
                                std::size_t max_receptors, const SiteStatistics& circuit_sites) {
  const std::vector<double>& weights = circuit_sites.density.empty() ? tree.areas_um2 : circuit_sites.density;
  const Reducer reducer(kinetics, spectrum, membrane, weights, circuit_sites.mean_weight_uS);
  std::vector<std::size_t> nodes;
  std::vector<double> weights_of_nodes;
  for (std::size_t node = 0; node < tree.size(); ++node) {
    if (!(tree.areas_um2[node] > 0)) continue;
    nodes.push_back(node);
    weights_of_nodes.push_back(weights[node]);
  }
  const auto chosen_at = [&](bool soma) {
    std::vector<Candidate> candidates;
    for (BiexponentialSynapse receptor : time_courses(kinetics)) {
      receptor.at_soma = false;
      candidates.push_back(reducer.candidate(receptor));
      if (!soma) continue;
      receptor.at_soma = true;
      candidates.push_back(reducer.candidate(receptor));
    }
    std::vector<std::vector<double>> errors;
    for (const std::size_t node : nodes) {
      std::vector<double>& row = errors.emplace_back();
      for (const Candidate& candidate : candidates) row.push_back(reducer.fit(node, candidate).error);
    }
    Choice choice = choose(errors, weights_of_nodes, max_receptors);
    std::vector<Candidate> chosen;
    for (const std::size_t c : choice.candidates) chosen.push_back(std::move(candidates[c]));
    return std::pair{choice.error, std::move(chosen)};
  };
  auto [error, chosen] = chosen_at(false);
  if (membrane.dendrite && max_receptors > 1) {
    auto [error_soma, with_soma] = chosen_at(true);
    if (error_soma < kSomaWorthIt * error) chosen = std::move(with_soma);
  }
  SynapseReduction out;
  std::vector<double> point_loss;
  for (const Candidate& candidate : chosen) {
    out.synapse.receptors.push_back(candidate.receptor);
    point_loss.push_back(reducer.point_loss_per_uS(candidate));
  }
  out.smallest_attenuation = std::numeric_limits<double>::infinity();
  double sum = 0;
  for (std::size_t section = 0; section < tree.first_nodes.size(); ++section) {
    const std::uint32_t nseg = tree.segments_per_section[section];
    for (std::uint32_t segment = 0; segment < nseg; ++segment) {
      const std::size_t node = tree.first_nodes[section] + segment;
      network::SiteTransfer row;
      row.section = static_cast<std::uint32_t>(section);
      row.begin = static_cast<double>(segment) / nseg;
      row.end = static_cast<double>(segment + 1) / nseg;
      Reducer::Fit best;
      for (std::size_t r = 0; r < chosen.size(); ++r) {
        const Reducer::Fit trial = reducer.fit(node, chosen[r]);
        if (!(trial.error < best.error)) continue;
        best = trial;
        row.receptor = static_cast<std::uint32_t>(r);
      }
      // The amplitude belongs to the mean weight: a = attenuation / (1 + shunt w).
      const double point = best.a * point_loss[row.receptor], w_uS = circuit_sites.mean_weight_uS;
      row.shunt_per_uS = std::max(0.0, (reducer.dendritic_loss_per_uS(node) - point) / (1 + point * w_uS));
      row.attenuation = best.a * (1 + row.shunt_per_uS * w_uS);
      row.extra_delay_ms = best.delay_ms;
      out.synapse.sites.push_back(row);

      const double weight = weights[node];
      sum += weight;
      out.mean_psp_error += weight * best.error;
      out.largest_psp_error = std::max(out.largest_psp_error, best.error);
      out.mean_attenuation += weight * row.attenuation;
      out.smallest_attenuation = std::min(out.smallest_attenuation, row.attenuation);
      out.largest_attenuation = std::max(out.largest_attenuation, row.attenuation);
      out.mean_shunt_per_uS += weight * row.shunt_per_uS;
    }
  }
  out.mean_psp_error /= sum;
  out.mean_attenuation /= sum;
  out.mean_shunt_per_uS /= sum;
  return out;
}

}  // namespace triscale::bridges
