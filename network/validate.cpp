#include "network/validate.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "network/checks.hpp"

namespace triscale::network {

namespace {

void check_run(const RunSettings& run, Checks& checks) {
  checks.positive("run.duration_ms", run.duration_ms);
  checks.positive("run.dt_ms", run.dt_ms);
  checks.finite("run.V_init_mV", run.V_init_mV);
  checks.finite("run.spike_threshold_mV", run.spike_threshold_mV);
  checks.require(run.celsius > -10 && run.celsius < 60, "run.celsius", fmt::format("{}", run.celsius),
                 "must lie between -10 and 60 degrees Celsius");
  if (run.compartments.kind == CompartmentRule::Kind::max_length) {
    checks.positive("run.compartments.max_length_um", run.compartments.max_length_um);
  } else {
    checks.positive("run.compartments.d_lambda", run.compartments.d_lambda);
    checks.positive("run.compartments.frequency_Hz", run.compartments.frequency_Hz);
  }
}

/// Population and cells that an input or a probe refers to. Returns the population if it is a sound one.
const Population* check_cells(const Circuit& circuit, std::size_t population, const std::vector<std::uint32_t>& cells,
                              const std::string& place, Checks& checks) {
  if (!checks.index(place + ".population", population, circuit.populations.size(), "populations")) return nullptr;
  const Population& p = circuit.populations[population];
  checks.require(!p.is_virtual, place + ".population", p.name, "must not be virtual: its cells have no membrane");
  for (const auto cell : cells) {
    if (cell < p.size) continue;
    checks.error(place + ".cells", fmt::format("{}", cell), fmt::format("must be smaller than {}", p.size));
    break;
  }
  return p.cell_type < circuit.cell_types.size() ? &p : nullptr;
}

struct WaveformChecks {
  const std::string& place;
  Checks& checks;

  void interval(double begin_ms, double end_ms) const {
    checks.require(begin_ms >= 0 && begin_ms <= end_ms, place, fmt::format("{} .. {} ms", begin_ms, end_ms),
                   "must have 0 <= begin_ms <= end_ms");
  }
  void operator()(const CurrentSegment& w) const {
    interval(w.begin_ms, w.end_ms);
    checks.finite(place + ".end_ms", w.end_ms);
    checks.finite(place + ".begin_nA", w.begin_nA);
    checks.finite(place + ".end_nA", w.end_nA);
  }
  void operator()(const NoiseCurrent& w) const {
    interval(w.begin_ms, w.end_ms);
    checks.finite(place + ".mean_nA", w.mean_nA);
    checks.not_negative(place + ".sd_nA", w.sd_nA);
    checks.positive(place + ".tau_ms", w.tau_ms);
  }
  void operator()(const SampledCurrent& w) const {
    checks.not_negative(place + ".begin_ms", w.begin_ms);
    checks.positive(place + ".dt_ms", w.dt_ms);
    const bool sound = std::all_of(w.values_nA.begin(), w.values_nA.end(), [](double I) { return std::isfinite(I); });
    checks.require(sound && !w.values_nA.empty(), place + ".values_nA", "", "must be finite, and at least one");
  }
};

void check_clamp(const Circuit& circuit, const CurrentClamp& clamp, const std::string& place, Checks& checks) {
  const Population* population = check_cells(circuit, clamp.population, clamp.cells, place, checks);
  std::visit(WaveformChecks{place + ".waveform", checks}, clamp.waveform);
  checks.require(clamp.site.position >= 0 && clamp.site.position <= 1, place + ".site",
                 fmt::format("{}", clamp.site.position), "must have a position between 0 and 1");
  if (population == nullptr) return;
  const auto& detailed = circuit.cell_types[population->cell_type].detailed;
  if (!detailed || !detailed->morphology) return;
  checks.index(place + ".site", clamp.site.section, detailed->morphology->sections.size(), "sections");
}

void check_probe(const Circuit& circuit, const Probe& probe, const std::string& place, Checks& checks) {
  check_cells(circuit, probe.population, probe.cells, place, checks);
  checks.require(!probe.variable.empty(), place + ".variable", "", "must be given");
  check_sampling(circuit, probe.begin_ms, probe.end_ms, probe.dt_ms, place, checks);
}

void check_weight_probe(const Circuit& circuit, const WeightProbe& probe, const std::string& place, Checks& checks) {
  checks.index(place + ".projection", probe.projection, circuit.projections.size(), "projections");
  check_sampling(circuit, probe.begin_ms, probe.end_ms, probe.dt_ms, place, checks);
  checks.positive(place + ".dt_ms", probe.dt_ms);
}

}  // namespace

void check_sampling(const Circuit& circuit, double begin_ms, double end_ms, double dt_ms, const std::string& place,
                    Checks& checks) {
  checks.require(begin_ms >= 0 && begin_ms < end_ms, place, fmt::format("{} .. {} ms", begin_ms, end_ms),
                 "must have 0 <= begin_ms < end_ms");
  constexpr double kRounding = 1e-6;
  const double steps = dt_ms / circuit.run.dt_ms;
  checks.require(dt_ms == 0 || (steps > 0.5 && std::abs(steps - std::round(steps)) < kRounding * steps),
                 place + ".dt_ms", fmt::format("{}", dt_ms),
                 fmt::format("must be 0 or a multiple of the time step, {} ms", circuit.run.dt_ms));
}

void check_inputs_and_probes(const Circuit& circuit, Checks& checks) {
  UniqueNames clamps(checks, "current_clamps");
  for (std::size_t i = 0; i < circuit.current_clamps.size(); ++i) {
    check_clamp(circuit, circuit.current_clamps[i], clamps.add(circuit.current_clamps[i].name, i), checks);
  }
  UniqueNames probes(checks, "probes");
  for (std::size_t i = 0; i < circuit.probes.size(); ++i) {
    check_probe(circuit, circuit.probes[i], probes.add(circuit.probes[i].name, i), checks);
  }
  UniqueNames weight_probes(checks, "weight_probes");
  for (std::size_t i = 0; i < circuit.weight_probes.size(); ++i) {
    check_weight_probe(circuit, circuit.weight_probes[i], weight_probes.add(circuit.weight_probes[i].name, i), checks);
  }
}

void validate(const Circuit& circuit, const std::string& file, core::Diagnostics& diagnostics) {
  Checks checks(file, diagnostics);
  check_run(circuit.run, checks);
  check_cell_types(circuit, checks);
  check_synapse_types(circuit, checks);
  check_populations(circuit, checks);
  check_projections(circuit, checks);
  check_inputs_and_probes(circuit, checks);
  check_field_probes(circuit, checks);
}

}  // namespace triscale::network
