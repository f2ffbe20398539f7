#include "cli/responses.hpp"

#include <optional>
#include <string>
#include <utility>

#include "bridges/checks/response_checks.hpp"
#include "bridges/point/validity_watch.hpp"
#include "cli/progress.hpp"
#include "cli/run_tier.hpp"
#include "cli/tier.hpp"
#include "io/json_value.hpp"
#include "io/recorder.hpp"
#include "measure/activity_recorder.hpp"

namespace triscale::cli {

namespace {

/// Says that a warning is about the stimulated run and not about the main one.
std::vector<core::Problem> of_responses(std::vector<core::Problem> warnings) {
  for (core::Problem& warning : warnings) warning.rule += ", under the stimuli of --responses";
  return warnings;
}

measure::Activity stimulated_activity(Tier tier, const network::Circuit& circuit, const LoadedCircuit& loaded,
                                      const Options& options) {
  const std::string name(to_string(tier));
  measure::ActivityRecorder recorder(io::empty_activity(circuit, name));
  ConsoleProgress progress(name + " responses", true, options.progress_style());
  std::vector<core::Problem> warnings;
  if (tier == Tier::point) {
    bridges::ValidityWatch watch(circuit, loaded.derivation, recorder);
    simulate(tier, watch.circuit(), options.threads, watch, progress, warnings);
    const std::vector<core::Problem> outside = watch.warnings();
    warnings.insert(warnings.end(), outside.begin(), outside.end());
  } else {
    simulate(tier, circuit, options.threads, recorder, progress, warnings);
  }
  throw_if_interrupted();
  print_warnings(of_responses(std::move(warnings)));
  return std::move(recorder.activity());
}

void write_responses(const std::filesystem::path& path, const std::vector<bridges::MeanResponse>& responses,
                     const bridges::StimulusPlan& plan) {
  using Members = io::JsonValue::Members;
  io::JsonValue::List list;
  for (const bridges::MeanResponse& response : responses) {
    list.push_back(
        Members{{"tier", response.tier}, {"population", response.population}, {"rate_hz", response.rates_hz}});
  }
  const auto stimulus = [](double begin_ms, double end_ms, double factor) {
    return io::JsonValue(Members{{"begin_ms", begin_ms}, {"end_ms", end_ms}, {"factor", factor}});
  };
  io::write_json(path, Members{{"repetitions", static_cast<double>(plan.repetitions)},
                               {"bin_ms", bridges::kResponseBin_ms},
                               {"pulse", stimulus(plan.pulse_begin_ms, plan.pulse_end_ms, plan.pulse_factor)},
                               {"step", stimulus(plan.step_begin_ms, plan.step_end_ms, plan.step_factor)},
                               {"responses", list}});
}

}  // namespace

measure::Consistency compare_responses(const std::vector<Tier>& tiers, const LoadedCircuit& loaded,
                                       const Options& options) {
  if (tiers.size() < 2) return {};  // nothing to compare
  bridges::StimulusPlan plan;
  plan.repetitions = options.responses;
  const network::Circuit stimulated = bridges::with_stimulus(loaded.circuit, plan);
  bridges::Run run;
  for (const Tier tier : tiers) run.push_back(stimulated_activity(tier, stimulated, loaded, options));
  bridges::ConsistencyOptions checks;
  checks.seed = loaded.circuit.run.seed;
  write_responses(options.output / "responses.json", bridges::mean_responses(run, plan, checks), plan);
  return bridges::check_responses(run, plan, checks);
}

}  // namespace triscale::cli
