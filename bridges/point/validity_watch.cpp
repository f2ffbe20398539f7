#include "bridges/point/validity_watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace triscale::bridges {

namespace {

constexpr double kMsPerS = 1000;

/// The range of a quantity that a cell type's point description was derived for; null if it is not known.
const std::array<double, 2>* range_of(const network::Derivation& derivation, const std::string& cell_type,
                                      const char* quantity) {
  const auto entry = derivation.point_cells.find(cell_type);
  if (entry == derivation.point_cells.end()) return nullptr;
  const auto range = entry->second.validity_range.find(quantity);
  return range == entry->second.validity_range.end() ? nullptr : &range->second;
}

}  // namespace

ValidityWatch::ValidityWatch(const network::Circuit& circuit, const network::Derivation& derivation,
                             core::Recorder& next)
    : next_(next), circuit_(circuit), given_probes_(circuit.probes.size()), watched_(circuit.populations.size()) {
  for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
    const network::Population& population = circuit.populations[p];
    if (population.is_virtual || population.size == 0) continue;
    const std::string& type = circuit.cell_types[population.cell_type].name;
    Watched& watched = watched_[p];
    if (const auto* range = range_of(derivation, type, "rate_hz")) {
      watched.has_rate = true;
      watched.rate_hz = *range;
      watched.spikes.assign(population.size, 0);
    }
    if (const auto* range = range_of(derivation, type, "V_mV")) {
      watched.has_V = true;
      watched.V_mV = *range;
      if (const auto& point = circuit.cell_types[population.cell_type].point) {
        if (const auto* gif = std::get_if<network::GifModel>(&point->model)) watched.V_held_mV = gif->V_reset_mV;
      }
      network::Probe probe;
      probe.name = "validity of " + population.name;
      probe.population = p;
      probe.dt_ms = std::max(1.0, std::round(kSample_ms / circuit.run.dt_ms)) * circuit.run.dt_ms;
      const std::size_t n = std::min(kWatchedCells, population.size);
      for (std::size_t i = 0; i < n; ++i) probe.cells.push_back(static_cast<std::uint32_t>(i * population.size / n));
      watched.sampled = probe.cells;
      circuit_.probes.push_back(std::move(probe));
    }
  }
}

/// The rates of the window that ends; a window at the end of the run that is not full does not count.
void ValidityWatch::close_window(Watched& watched) {
  for (std::uint32_t& spikes : watched.spikes) {
    const double rate_hz = spikes * kMsPerS / kWindow_ms;
    if (rate_hz > watched.rate_hz[1]) watched.cell_windows_outside += 1;
    watched.highest_rate_hz = std::max(watched.highest_rate_hz, rate_hz);
    spikes = 0;
  }
  ++watched.window;
}

void ValidityWatch::record_spikes(std::size_t population, double t_ms, std::span<const std::uint32_t> cells) {
  next_.record_spikes(population, t_ms, cells);
  Watched& watched = watched_[population];
  if (!watched.V_now_mV.empty() && t_ms - watched.now_ms <= kBeforeSpike_ms) {
    for (const std::uint32_t cell : cells) {
      const auto place = std::lower_bound(watched.sampled.begin(), watched.sampled.end(), cell);
      if (place == watched.sampled.end() || *place != cell) continue;
      watched.V_now_mV[static_cast<std::size_t>(place - watched.sampled.begin())] =
          std::numeric_limits<double>::quiet_NaN();
    }
  }
  if (!watched.has_rate) return;
  while (t_ms >= static_cast<double>(watched.window + 1) * kWindow_ms) close_window(watched);
  for (const std::uint32_t cell : cells) ++watched.spikes[cell];
}

void ValidityWatch::record_probe(std::size_t probe, double t_ms, std::span<const double> values) {
  if (probe < given_probes_) {
    next_.record_probe(probe, t_ms, values);
    return;
  }
  Watched& watched = watched_[circuit_.probes[probe].population];
  count_samples(watched);
  watched.now_ms = t_ms;
  watched.V_now_mV.assign(values.begin(), values.end());
}

/// Counts the last sample, once it is known which of its cells were about to fire.
void ValidityWatch::count_samples(Watched& watched) {
  for (const double V : watched.V_now_mV) {
    if (std::isnan(V) || V == watched.V_held_mV) continue;
    if (!(watched.samples > 0)) watched.V_low_mV = watched.V_high_mV = V;
    watched.samples += 1;
    if (V < watched.V_mV[0] || V > watched.V_mV[1]) watched.samples_outside += 1;
    watched.V_low_mV = std::min(watched.V_low_mV, V);
    watched.V_high_mV = std::max(watched.V_high_mV, V);
  }
  watched.V_now_mV.clear();
}

void ValidityWatch::record_field(std::size_t probe, double t_ms, std::span<const double> values) {
  next_.record_field(probe, t_ms, values);
}
void ValidityWatch::record_weights(std::size_t probe, double t_ms, std::span<const double> weights) {
  next_.record_weights(probe, t_ms, weights);
}
void ValidityWatch::record_rates(double t_ms, std::span<const double> rates_hz) {
  next_.record_rates(t_ms, rates_hz);
}
void ValidityWatch::record_cell_rates(std::size_t population, std::span<const double> rates_hz) {
  next_.record_cell_rates(population, rates_hz);
}

std::vector<core::Problem> ValidityWatch::warnings() const {
  std::vector<core::Problem> out;
  const auto full_windows = std::floor(circuit_.run.duration_ms / kWindow_ms + 1e-9);
  for (std::size_t p = 0; p < watched_.size(); ++p) {
    Watched w = watched_[p];
    count_samples(w);
    const std::string place = "populations." + circuit_.populations[p].name;
    while (w.has_rate && static_cast<double>(w.window) < full_windows) close_window(w);
    const double cell_windows = full_windows * static_cast<double>(w.spikes.size());
    if (cell_windows > 0 && w.cell_windows_outside > kTolerated * cell_windows) {
      out.push_back(
          {"", place + ".rate_hz", fmt::format("up to {:.3g} Hz", w.highest_rate_hz),
           fmt::format("left the range that the point cells were derived for, up to {:.3g} Hz, in {:.2g} % of "
                       "the cells and seconds",
                       w.rate_hz[1], 100 * w.cell_windows_outside / cell_windows),
           "the point model extrapolates there; compare it with the detailed tier"});
    }
    if (w.samples > 0 && w.samples_outside > kTolerated * w.samples) {
      out.push_back({"", place + ".V_mV", fmt::format("{:.4g} .. {:.4g} mV", w.V_low_mV, w.V_high_mV),
                     fmt::format("left the range that the point cells were derived for, {:.4g} .. {:.4g} mV, in {:.2g} "
                                 "% of the time",
                                 w.V_mV[0], w.V_mV[1], 100 * w.samples_outside / w.samples),
                     "the point model extrapolates there; derive it at the state of this run"});
    }
  }
  return out;
}

}  // namespace triscale::bridges
