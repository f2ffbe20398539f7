/// Watches a run of the point tier and says where it leaves the range that its cells were derived for.
///
/// A derived cell carries the ranges of its training data (Provenance::validity_range): `rate_hz`, the rate of a cell
/// over a second, and `V_mV`, its potential between spikes. The watch counts the rate of every cell in every second,
/// and samples the potential of up to kWatchedCells cells of a population every kSample_ms. A cell that is held at its
/// reset potential, or fires within kBeforeSpike_ms, is not between spikes: such samples do not count. The watch
/// changes nothing: a probe is added to a copy of the circuit, and everything else is handed on.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "core/error.hpp"
#include "core/recorder.hpp"
#include "network/circuit.hpp"
#include "network/provenance.hpp"

namespace triscale::bridges {

class ValidityWatch : public core::Recorder {
 public:
  static constexpr std::size_t kWatchedCells = 64;
  static constexpr double kSample_ms = 10;
  static constexpr double kWindow_ms = 1000;
  static constexpr double kBeforeSpike_ms = 2;
  static constexpr double kTolerated = 0.01;  ///< share of cells and seconds, or of samples

  /// `next` receives what the run records.
  ValidityWatch(const network::Circuit& circuit, const network::Derivation& derivation, core::Recorder& next);

  /// The circuit to run: with the watch's own probes after the given ones.
  const network::Circuit& circuit() const { return circuit_; }

  void record_spikes(std::size_t population, double t_ms, std::span<const std::uint32_t> cells) override;
  void record_probe(std::size_t probe, double t_ms, std::span<const double> values) override;
  void record_field(std::size_t probe, double t_ms, std::span<const double> values) override;
  void record_weights(std::size_t probe, double t_ms, std::span<const double> weights) override;
  void record_rates(double t_ms, std::span<const double> rates_hz) override;
  void record_cell_rates(std::size_t population, std::span<const double> rates_hz) override;

  /// After the run: a warning for every population that was outside for more than kTolerated.
  std::vector<core::Problem> warnings() const;

 private:
  struct Watched {
    bool has_rate = false, has_V = false;
    std::array<double, 2> rate_hz{}, V_mV{};
    std::optional<double> V_held_mV;    ///< while refractory
    std::vector<std::uint32_t> spikes;  ///< of each cell in the present window
    std::size_t window = 0;
    double cell_windows_outside = 0, highest_rate_hz = 0;
    std::vector<std::uint32_t> sampled;  ///< cells, ascending
    std::vector<double> V_now_mV;        ///< of these, at the last sample; NaN: does not count
    double now_ms = 0;
    double samples = 0, samples_outside = 0, V_low_mV = 0, V_high_mV = 0;
  };
  static void close_window(Watched& watched);
  static void count_samples(Watched& watched);

  core::Recorder& next_;
  network::Circuit circuit_;
  std::size_t given_probes_;
  std::vector<Watched> watched_;  ///< one a population
};

}  // namespace triscale::bridges
