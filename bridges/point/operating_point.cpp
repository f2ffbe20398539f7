#include "bridges/point/operating_point.hpp"

#include <algorithm>
#include <cmath>

#include "pointneuron/simulate.hpp"

namespace triscale::bridges {

namespace {

constexpr double kMsPerS = 1000;

class SpikeCounter : public core::NullRecorder {
 public:
  SpikeCounter(std::size_t populations, double from_ms) : counts(populations, 0.0), from_ms_(from_ms) {}
  void record_spikes(std::size_t population, double t_ms, std::span<const std::uint32_t> cells) override {
    if (t_ms >= from_ms_) counts[population] += static_cast<double>(cells.size());
  }
  std::vector<double> counts;

 private:
  double from_ms_;
};

}  // namespace

OperatingPoint first_guess(const network::Circuit& circuit) {
  constexpr double kTypical_hz = 5;
  OperatingPoint out;
  out.rates_hz.assign(circuit.populations.size(), kTypical_hz);
  return out;
}

std::vector<double> point_rates(const network::Circuit& circuit, double duration_ms, double settle_ms,
                                std::size_t threads, core::Progress& progress) {
  network::Circuit copy = circuit;
  copy.run.duration_ms = std::min(copy.run.duration_ms, duration_ms);
  copy.probes.clear();
  copy.field_probes.clear();
  const double from_ms = copy.run.duration_ms > 2 * settle_ms ? settle_ms : 0;
  SpikeCounter counter(copy.populations.size(), from_ms);
  pointneuron::simulate(copy, threads, counter, progress);
  std::vector<double> rates(copy.populations.size(), 0.0);
  for (std::size_t p = 0; p < rates.size(); ++p) {
    const double seconds = (copy.run.duration_ms - from_ms) / kMsPerS;
    const auto size = static_cast<double>(copy.populations[p].size);
    if (size > 0) rates[p] = counter.counts[p] / size / seconds;
  }
  return rates;
}

double change_of_rates(const network::Circuit& circuit, const std::vector<double>& before,
                       const std::vector<double>& after) {
  constexpr double kRelative = 0.1, kAbsolute_hz = 0.25;
  double largest = 0;
  for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
    if (circuit.populations[p].is_virtual) continue;
    largest = std::max(largest, std::abs(after[p] - before[p]) / (kAbsolute_hz + kRelative * after[p]));
  }
  return largest;
}

}  // namespace triscale::bridges
