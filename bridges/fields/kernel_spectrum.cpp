#include "bridges/fields/kernel_spectrum.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <unsupported/Eigen/FFT>

#include "bridges/cable/linear_tree.hpp"
#include "bridges/point/synapse_reduction.hpp"
#include "detailed/segments.hpp"

namespace triscale::bridges {

FieldWeights field_weights(const core::ForwardModel& model, const network::Morphology& morphology,
                           const detailed::CompartmentTree& tree, const network::Placement& placement) {
  const std::vector<core::Segment> segments = detailed::place_segments(morphology, tree, placement);
  const core::PlacedCell cell{segments, tree.segments_per_section[0], {placement.x_um, placement.y_um, placement.z_um}};
  FieldWeights out;
  out.components = model.components();
  std::vector<double> M(tree.size() * out.components);
  model.weights(cell, M);
  out.mixing = model.mixing(cell);
  out.values.assign(M.size(), 0.0);
  const std::size_t n = out.components;
  for (std::size_t i = 1; i < tree.size(); ++i) {
    const auto p = static_cast<std::size_t>(tree.parents[i]);
    // A node without membrane has no current of its own: with its parent's weight it drops out.
    if (!(tree.areas_um2[i] > 0)) std::copy_n(M.begin() + p * n, n, M.begin() + i * n);
    for (std::size_t c = 0; c < n; ++c) {
      const double flow = tree.g_axial_uS[i] * (M[i * n + c] - M[p * n + c]);
      out.values[i * n + c] -= flow;
      out.values[p * n + c] += flow;
    }
  }
  return out;
}

void FieldWeights::add(std::span<const double> V_mV, std::size_t channels, double* field) const {
  std::vector<double> part(components, 0.0);
  for (std::size_t n = 0; n < V_mV.size(); ++n) {
    for (std::size_t k = 0; k < components; ++k) part[k] += V_mV[n] * values[n * components + k];
  }
  for (std::size_t c = 0; c < channels; ++c) {
    if (mixing.empty()) {
      field[c] += part[c];
    } else {
      for (std::size_t k = 0; k < components; ++k) field[c] += mixing[c * components + k] * part[k];
    }
  }
}

KernelSpectrum::KernelSpectrum(std::size_t channels, std::vector<Slot> slots, std::size_t n_slots, double dt_ms,
                               double length_ms, double highest_Hz)
    : channels_(channels),
      n_slots_(n_slots),
      samples_(2 * static_cast<std::size_t>(std::ceil(0.5 * length_ms / dt_ms))),
      dt_ms_(dt_ms),
      slots_(std::move(slots)) {
  // exp(-sigma T) = 5 %: that is what remains of a tail that wraps around. More would blow up what lies above the
  // highest frequency.
  const double T_ms = static_cast<double>(samples_) * dt_ms;
  sigma_per_ms_ = 3 / T_ms;
  const std::size_t n = std::min(samples_ / 2, static_cast<std::size_t>(highest_Hz * T_ms / 1000)) + 1;
  for (std::size_t k = 0; k < n; ++k) {
    s_per_ms_.emplace_back(sigma_per_ms_, 2 * std::numbers::pi * static_cast<double>(k) / T_ms);
  }
  real_.assign(n * n_slots * channels, 0.0);
  imaginary_ = real_;
}

void KernelSpectrum::add_cell(const detailed::CompartmentTree& tree,
                              const std::vector<std::vector<Complex>>& admittance,
                              const std::vector<double>& background_uS, const LinearInput& input, std::size_t cell,
                              const std::vector<double>& V_mV, const FieldWeights& weights, core::ThreadPool& pool) {
  const std::size_t nodes = tree.size(), components = weights.components;
  struct Event {
    std::uint32_t node, receptor, slot;
    double I_nA, delay_ms;
  };
  std::vector<Event> events;
  for (const LinearSynapse& synapse : input.onto(cell)) {
    const Slot& slot = slots_[synapse.source];
    events.push_back(
        {synapse.node, synapse.receptor, slot.index, slot.share * input.current_nA(synapse, V_mV), synapse.delay_ms});
  }
  pool.parallel_for(s_per_ms_.size(), [&](std::size_t begin, std::size_t end) {
    LinearTree solver(tree.parents, tree.g_axial_uS);
    std::vector<Complex> y(nodes), time_course(input.receptors().size());
    std::vector<double> re, im, mixed_re(weights.mixing.empty() ? 0 : nodes * channels_), mixed_im(mixed_re);
    for (std::size_t f = begin; f < end; ++f) {
      for (std::size_t n = 0; n < nodes; ++n) y[n] = admittance[f][n] + background_uS[n];
      solver.factorise(y);
      re = weights.values;
      im.assign(re.size(), 0.0);
      solver.solve(components, re, im);
      const double *a_re = re.data(), *a_im = im.data();
      if (!weights.mixing.empty()) {
        for (std::size_t n = 0; n < nodes; ++n) {
          for (std::size_t c = 0; c < channels_; ++c) {
            double x = 0, z = 0;
            for (std::size_t k = 0; k < components; ++k) {
              x += weights.mixing[c * components + k] * re[n * components + k];
              z += weights.mixing[c * components + k] * im[n * components + k];
            }
            mixed_re[n * channels_ + c] = x;
            mixed_im[n * channels_ + c] = z;
          }
        }
        a_re = mixed_re.data(), a_im = mixed_im.data();
      }
      for (std::size_t r = 0; r < time_course.size(); ++r) {
        time_course[r] = transform_of(input.receptors()[r].receptor.kinetics, s_per_ms_[f]);
      }
      for (const Event& event : events) {
        const Complex I = event.I_nA * time_course[event.receptor] * std::exp(-s_per_ms_[f] * event.delay_ms);
        const double x = I.real(), z = I.imag();
        const double *from_re = a_re + event.node * channels_, *from_im = a_im + event.node * channels_;
        double* to_re = real_.data() + (f * n_slots_ + event.slot) * channels_;
        double* to_im = imaginary_.data() + (f * n_slots_ + event.slot) * channels_;
        for (std::size_t c = 0; c < channels_; ++c) {
          to_re[c] += x * from_re[c] - z * from_im[c];
          to_im[c] += x * from_im[c] + z * from_re[c];
        }
      }
    }
  });
}

std::vector<double> KernelSpectrum::kernel(std::size_t slot) const {
  Eigen::FFT<double> fft;
  fft.SetFlag(Eigen::FFT<double>::HalfSpectrum);
  std::vector<Complex> spectrum(samples_ / 2 + 1);
  std::vector<double> wave, out(samples_ * channels_);
  for (std::size_t c = 0; c < channels_; ++c) {
    std::fill(spectrum.begin(), spectrum.end(), Complex{});
    bool any = false;
    for (std::size_t f = 0; f < s_per_ms_.size(); ++f) {
      const std::size_t at = (f * n_slots_ + slot) * channels_ + c;
      spectrum[f] = {real_[at], imaginary_[at]};
      any = any || spectrum[f] != Complex{};
    }
    if (!any) continue;
    fft.inv(wave, spectrum, static_cast<Eigen::Index>(samples_));
    for (std::size_t k = 0; k < samples_; ++k) {
      out[k * channels_ + c] = wave[k] * std::exp(sigma_per_ms_ * static_cast<double>(k) * dt_ms_) / dt_ms_;
    }
  }
  return out;
}

std::vector<double> spike_field(const SpikeResponse& response, const FieldWeights& weights, std::size_t channels,
                                double dt_ms, std::int64_t first, std::size_t samples) {
  std::vector<double> out(samples * channels, 0.0);
  if (!response.known()) return out;
  const std::size_t n_basis = response.basis.size(), nodes = weights.values.size() / weights.components;
  std::vector<double> seen(n_basis * channels, 0.0);
  for (std::size_t i = 0; i < n_basis; ++i) {
    weights.add(std::span(response.V_mV).subspan(i * nodes, nodes), channels, seen.data() + i * channels);
  }
  std::size_t i = 0;
  for (std::size_t k = 0; k < samples; ++k) {
    const double lag_ms = (static_cast<double>(k) + static_cast<double>(first)) * dt_ms + 1e-6;
    if (lag_ms < response.basis.edges_ms.front() || lag_ms >= response.basis.edges_ms.back()) continue;
    while (response.basis.edges_ms[i + 1] <= lag_ms) ++i;
    for (std::size_t c = 0; c < channels; ++c) out[k * channels + c] = seen[i * channels + c];
  }
  return out;
}

}  // namespace triscale::bridges
