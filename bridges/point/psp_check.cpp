#include "bridges/point/psp_check.hpp"

#include <algorithm>
#include <cmath>

#include "pointneuron/receptors.hpp"

namespace triscale::bridges {

namespace {

constexpr std::size_t kClusters = 4;

struct Psp {
  double area = 0, peak = 0, latency_ms = 0, rise_ms = 0, half_width_ms = 0;
};

/// Time at which dV first reaches `level`, going up from or down to `from`; interpolated between samples.
double crossing(const std::vector<double>& dV, std::size_t from, double level, int direction, double dt_ms) {
  const double sign = level < 0 ? -1 : 1;
  for (std::size_t k = from; k > 0 && k + 1 < dV.size(); k += static_cast<std::size_t>(direction)) {
    if (sign * dV[k + static_cast<std::size_t>(direction)] > sign * level) continue;
    const double a = dV[k], b = dV[k + static_cast<std::size_t>(direction)];
    return (static_cast<double>(k) + direction * (a - level) / (a - b)) * dt_ms;
  }
  return static_cast<double>(direction > 0 ? dV.size() : 0) * dt_ms;
}

Psp measure(const std::vector<double>& dV, double dt_ms) {
  Psp out;
  std::size_t peak = 0;
  for (std::size_t k = 0; k < dV.size(); ++k) {
    out.area += dV[k] * dt_ms;
    if (std::abs(dV[k]) <= std::abs(out.peak)) continue;
    out.peak = dV[k];
    peak = k;
  }
  out.latency_ms = static_cast<double>(peak) * dt_ms;
  // From the peak backwards, so that a ripple before it does not count.
  out.rise_ms = crossing(dV, peak, 0.8 * out.peak, -1, dt_ms) - crossing(dV, peak, 0.2 * out.peak, -1, dt_ms);
  out.half_width_ms = crossing(dV, peak, 0.5 * out.peak, 1, dt_ms) - crossing(dV, peak, 0.5 * out.peak, -1, dt_ms);
  return out;
}

/// Relative difference of means.
double difference(double point, double detailed) {
  return detailed != 0 ? point / detailed - 1 : 0;
}

void compare_singles(const std::vector<Psp>& detailed, const std::vector<Psp>& point, PspCheck& out) {
  Psp d, p;
  for (std::size_t i = 0; i < detailed.size(); ++i) {
    for (const auto& [sum, one] : {std::pair{&d, &detailed[i]}, std::pair{&p, &point[i]}}) {
      sum->area += one->area;
      sum->peak += one->peak;
      sum->rise_ms += one->rise_ms;
      sum->half_width_ms += one->half_width_ms;
      sum->latency_ms += one->latency_ms;
    }
    out.peak_spread += std::pow(point[i].peak / detailed[i].peak - 1, 2);
  }
  out.sites = detailed.size();
  const double n = static_cast<double>(out.sites);
  out.area = difference(p.area, d.area);
  out.peak = difference(p.peak, d.peak);
  out.rise = difference(p.rise_ms, d.rise_ms);
  out.half_width = difference(p.half_width_ms, d.half_width_ms);
  out.latency_ms = (p.latency_ms - d.latency_ms) / n;
  out.peak_spread = std::sqrt(out.peak_spread / n);
}

}  // namespace

PspCheck check_psps(const network::CellType& type, const network::SynapseType& synapse,
                    const std::vector<PspSite>& sites, const network::RunSettings& run,
                    const PassiveMembrane& membrane) {
  constexpr double kLeastDrive_mV = 3;
  PspCheck out;
  const double drive_mV = pointneuron::groups_of(synapse).front().front().kinetics.E_rev_mV - membrane.E_L_mV;
  if (sites.empty() || std::abs(drive_mV) < kLeastDrive_mV) return out;
  std::vector<Volley> bundles;
  for (const PspSite& site : sites) bundles.push_back({{site}});
  const std::size_t clusters = std::min(kClusters, sites.size());
  for (const std::size_t n : {std::size_t{2}, PspCheck::kCluster}) {
    for (std::size_t i = 0; i < clusters; ++i)
      bundles.push_back({std::vector<PspSite>(n, sites[i * sites.size() / clusters])});
  }
  const std::vector<VolleyResponse> responses = detailed_responses(type, synapse, run, membrane.E_L_mV, bundles);
  const auto point_psp = [&](const Volley& bundle) {
    return measure(point_response(synapse, bundle, membrane, {membrane.E_L_mV}, run.dt_ms), run.dt_ms);
  };
  std::vector<Psp> detailed, reduced;
  std::vector<double> pair, pair_point, cluster, cluster_point;
  for (std::size_t i = 0; i < bundles.size(); ++i) {
    if (responses[i].dV_mV.empty()) continue;  // it fired
    const Psp d = measure(responses[i].dV_mV, run.dt_ms);
    const Psp p = point_psp(bundles[i]);
    if (bundles[i].synapses.size() == 1) {
      detailed.push_back(d);
      reduced.push_back(p);
      continue;
    }
    const std::size_t single = (i - sites.size()) % clusters * sites.size() / clusters;
    if (responses[single].dV_mV.empty()) continue;
    const auto n = static_cast<double>(bundles[i].synapses.size());
    const double d_1 = measure(responses[single].dV_mV, run.dt_ms).peak;
    const double p_1 = point_psp(bundles[single]).peak;
    (bundles[i].synapses.size() == 2 ? pair : cluster).push_back(d.peak / (n * d_1) - 1);
    (bundles[i].synapses.size() == 2 ? pair_point : cluster_point).push_back(p.peak / (n * p_1) - 1);
  }
  if (detailed.empty()) return out;
  compare_singles(detailed, reduced, out);
  const auto mean = [](const std::vector<double>& x) {
    double sum = 0;
    for (const double value : x) sum += value / static_cast<double>(x.size());
    return sum;
  };
  out.summation_pair = mean(pair);
  out.summation_cluster = mean(cluster);
  out.summation_pair_point = mean(pair_point);
  out.summation_cluster_point = mean(cluster_point);
  return out;
}

}  // namespace triscale::bridges
