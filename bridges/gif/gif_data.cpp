#include "bridges/gif/gif_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace triscale::bridges {

std::size_t steps_of(double time_ms, double dt_ms) {
  return static_cast<std::size_t>(std::llround(time_ms / dt_ms));
}

namespace {

Prepared prepare(const GifSweep& sweep, const GifFitOptions& options) {
  Prepared out;
  out.sweep = &sweep;
  const std::size_t n = sweep.V_mV.size();
  out.refractory.assign(n, 0);
  out.near_spike.assign(n, 0);
  const std::size_t t_ref = steps_of(options.t_ref_ms, sweep.dt_ms);
  const std::size_t before = steps_of(options.before_spike_ms, sweep.dt_ms);
  const std::size_t skip = std::min(n, steps_of(options.skip_ms, sweep.dt_ms));
  std::fill_n(out.near_spike.begin(), skip, 1);
  for (std::size_t k = skip; k < sweep.left_out.size(); ++k) out.near_spike[k] |= sweep.left_out[k];
  for (const double time : sweep.spikes_ms) {
    const std::size_t spike = steps_of(time, sweep.dt_ms);
    if (spike >= n) continue;
    // A second spike within t_ref cannot be produced by the model; the first one stands for both.
    if (!out.spikes.empty() && spike <= out.spikes.back() + t_ref) continue;
    out.spikes.push_back(spike);
    const std::size_t end = std::min(n, spike + t_ref);
    std::fill(out.refractory.begin() + spike, out.refractory.begin() + end, 1);
    std::fill(out.near_spike.begin() + (spike > before ? spike - before : 0), out.near_spike.begin() + end, 1);
  }
  return out;
}

}  // namespace

std::vector<Prepared> prepare_all(std::span<const GifSweep> sweeps, const GifFitOptions& options) {
  std::vector<Prepared> out;
  out.reserve(sweeps.size());
  for (const GifSweep& sweep : sweeps) {
    const std::size_t n = sweep.V_mV.size();
    if (n < 2 || sweep.I_nA.size() != n || (!sweep.G_uS.empty() && sweep.G_uS.size() != n) ||
        (!sweep.GE_nA.empty() && sweep.GE_nA.size() != n) ||
        (!sweep.G_soma_uS.empty() && sweep.G_soma_uS.size() != n) ||
        (!sweep.left_out.empty() && sweep.left_out.size() != n) || !(sweep.dt_ms > 0)) {
      throw core::InputError({"", "recording", fmt::format("{} samples of V, {} of I", n, sweep.I_nA.size()),
                              "V, I and G must have the same length and dt must be > 0", ""});
    }
    out.push_back(prepare(sweep, options));
  }
  return out;
}

double reset_potential(const std::vector<Prepared>& data, double t_ref_ms) {
  double sum = 0;
  std::size_t count = 0;
  for (const Prepared& d : data) {
    const std::size_t t_ref = steps_of(t_ref_ms, d.sweep->dt_ms);
    for (const std::size_t spike : d.spikes) {
      if (spike + t_ref >= d.sweep->V_mV.size()) continue;
      sum += d.sweep->V_mV[spike + t_ref];
      ++count;
    }
  }
  if (count == 0) throw core::InputError({"", "recording", "0", "must hold spikes to fit a reset potential", ""});
  return sum / static_cast<double>(count);
}

std::vector<double> time_constants(const std::vector<network::ExponentialKernel>& kernels) {
  std::vector<double> out;
  for (const network::ExponentialKernel& kernel : kernels) out.push_back(kernel.tau_ms);
  return out;
}

double leave_out_depolarisation_block(std::span<GifSweep> sweeps) {
  constexpr double kBeforeSpike_ms = 1, kLongest_ms = 10, kMargin_ms = 20;
  double onset = 0, spikes = 0;
  for (const GifSweep& sweep : sweeps) {
    const std::size_t before = steps_of(kBeforeSpike_ms, sweep.dt_ms);
    for (const double t : sweep.spikes_ms) {
      const std::size_t k = steps_of(t, sweep.dt_ms);
      if (k < before || k >= sweep.V_mV.size()) continue;
      onset += sweep.V_mV[k - before];
      spikes += 1;
    }
  }
  if (!(spikes > 0)) return 0;
  onset /= spikes;
  double left_out = 0, all = 0;
  for (GifSweep& sweep : sweeps) {
    const std::size_t n = sweep.V_mV.size();
    const std::size_t longest = steps_of(kLongest_ms, sweep.dt_ms), margin = steps_of(kMargin_ms, sweep.dt_ms);
    std::vector<char> is_spike(n, 0);
    for (const double t : sweep.spikes_ms) {
      if (steps_of(t, sweep.dt_ms) < n) is_spike[steps_of(t, sweep.dt_ms)] = 1;
    }
    sweep.left_out.assign(n, 0);
    std::size_t begin = 0;  // of the present stretch above onset without a spike
    for (std::size_t k = 0; k <= n; ++k) {
      if (k < n && sweep.V_mV[k] > onset && !is_spike[k]) continue;
      if (k - begin > longest) {
        const std::size_t first = begin > margin ? begin - margin : 0;
        std::fill(sweep.left_out.begin() + first, sweep.left_out.begin() + std::min(n, k + margin), 1);
      }
      begin = k + 1;
    }
    left_out += static_cast<double>(std::count(sweep.left_out.begin(), sweep.left_out.end(), 1));
    all += static_cast<double>(n);
  }
  return all > 0 ? left_out / all : 0;
}

}  // namespace triscale::bridges
