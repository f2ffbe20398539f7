#include "io/signals_json.hpp"

#include <nlohmann/json.hpp>

#include "io/atomic_file.hpp"

namespace triscale::io {

namespace {

using Json = nlohmann::ordered_json;

Json channels(const std::vector<measure::ChannelValue>& values) {
  Json json = Json::array();
  const auto number = [](const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); };
  for (const measure::ChannelValue& value : values) {
    json.push_back({{"channel", value.channel},
                    {"finer", value.finer},
                    {"coarser", value.coarser},
                    {"difference_ci_low", number(value.difference_low)},
                    {"difference_ci_high", number(value.difference_high)}});
  }
  return json;
}

}  // namespace

void write_signal_report(const std::filesystem::path& path, const measure::SignalReport& report) {
  Json comparisons = Json::array(), errors = Json::array();
  for (const measure::SignalComparison& comparison : report.comparisons) {
    comparisons.push_back({{"probe", comparison.probe},
                           {"finer", comparison.finer},
                           {"coarser", comparison.coarser},
                           {"amplitude", channels(comparison.amplitude)},
                           {"correlation", channels(comparison.correlation)},
                           {"spectrum_dB", channels(comparison.spectrum)}});
  }
  for (const measure::KernelError& error : report.kernel_errors) {
    errors.push_back({{"probe", error.probe},
                      {"cell_kernels",
                       {{"measured", error.cell_measured},
                        {"predicted", error.cell_predicted},
                        {"correlation", error.cell_correlation}}},
                      {"population_kernels",
                       {{"measured", error.population_measured},
                        {"predicted", error.population_predicted},
                        {"correlation", error.population_correlation}}},
                      {"point_tier",
                       {{"measured", error.point_measured},
                        {"predicted", error.point_predicted},
                        {"spikes", error.point_spikes},
                        {"correlation", error.point_correlation}}}});
  }
  write_text_file(path, Json{{"comparisons", comparisons}, {"kernel_errors", errors}}.dump(1) + "\n");
}

}  // namespace triscale::io
