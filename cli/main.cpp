/// The `triscale` command: reads the command line, calls a subcommand, turns errors into messages and exit codes.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <new>
#include <set>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "core/error.hpp"

namespace triscale::cli {
namespace {

std::vector<std::string> tier_names() {
  std::vector<std::string> names;
  for (const Tier tier : kTiers) names.emplace_back(to_string(tier));
  return names;
}

/// The tiers of these names, in the order from fine to coarse, each once.
std::vector<Tier> tiers_named(const std::vector<std::string>& names) {
  std::vector<Tier> tiers;
  for (const Tier tier : kTiers) {
    if (std::find(names.begin(), names.end(), to_string(tier)) != names.end()) tiers.push_back(tier);
  }
  return tiers;
}

constexpr const char* kFooter =
    "Exit codes: 0 done; 1 compare found an inconsistency; 2 bad input; 3 numerical failure; 130, 143 interrupted.\n"
    "The guide is docs/user-guide.md.";

void add_config(CLI::App& app, Options& options) {
  app.add_option("CONFIG", options.config, "SONATA simulation config or recipe (JSON)")->required();
}

void add_output(CLI::App& app, Options& options) {
  app.add_option("-o,--output", options.output, "folder for the results; made if absent")->required()->type_name("DIR");
}

void add_common(CLI::App& app, Options& options) {
  app.add_option("--duration-ms", options.duration_ms, "simulated time, instead of the config's")->type_name("MS");
  app.add_option("--dt-ms", options.dt_ms, "time step, instead of the config's")->type_name("MS");
  app.add_option("--seed", options.seed, "seed of all random numbers, instead of the config's")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--threads", options.threads, "number of threads (default: all cores); results do not depend on it")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--set", options.settings,
                 "change one field: run.<field> or inputs.<name>.<field>, e.g. run.celsius=30; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  app.add_flag("--quiet", options.quiet, "no progress on stderr");
}

/// Of the commands that derive mean fields.
void add_transfer(CLI::App& app, Options& options) {
  app.add_flag("--transfer-from-detailed", options.transfer_from_detailed,
               "measure the mean field's transfer functions on the detailed cells instead of the point cells (slower; "
               "the point cells' own errors stay out of the mean field)");
}

void add_analysis(CLI::App& app, AnalysisRequest& request) {
  app.add_flag("--spectra", request.spectra, "power spectra of the rates");
  app.add_option("--highest-hz", request.highest_hz, "highest frequency of the spectra")->type_name("HZ");
  app.add_option("--response", request.response, "response to a pulse of input, mV (leaky cells) or nA")
      ->type_name("POPULATION=AMPLITUDE:MS");
  app.add_flag("--density", request.density,
               "distribution of the potential, with jumps of finite size and by diffusion (leaky cells)");
  app.add_flag("--wilson-cowan", request.wilson_cowan,
               "the model of Wilson and Cowan with parameters derived at the state, beside the theory");
  app.add_option("--bifurcation", request.bifurcation, "states over a --set key or scale.<projection> (scale.*: all)")
      ->type_name("KEY=A:B:N");
  app.add_option("--map", request.map, "stability over two parameters, separated by a comma")
      ->type_name("KEY=A:B:N,KEY=A:B:N")
      ->delimiter(',')
      ->allow_extra_args(false);
}

void print_problem(const char* kind, const std::string& text) {
  fmt::print(stderr, "triscale: {}: {}\n", kind, text);
}

int run_command(int argc, char** argv) {
  CLI::App app{"triscale: one neural circuit at three resolutions, with derived and checked coarse models."};
  app.set_version_flag("--version", std::string("triscale " TRISCALE_VERSION));
  app.require_subcommand(1);
  app.footer(kFooter);
  app.get_formatter()->column_width(34);
  Options options;
  int (*command)(const Options&) = nullptr;

  const auto add = [&](const char* name, const char* description, int (*function)(const Options&)) {
    CLI::App* sub = app.add_subcommand(name, description);
    sub->footer(kFooter);
    sub->callback([&command, function] { command = function; });
    return sub;
  };

  CLI::App* check_app = add("check", "Validate a circuit; print its sizes and the memory each tier would need.", check);
  add_config(*check_app, options);
  check_app->add_flag("--convergence", options.convergence,
                      "also run the detailed tier shortly (500 ms, or --duration-ms), with half the time step and with "
                      "shorter compartments, and print what changes");
  add_common(*check_app, options);

  CLI::App* run_app = add("run", "Run a circuit on one tier and write spikes, rates and run.json to DIR.", run);
  add_config(*run_app, options);
  std::string tier;
  run_app->add_option("--tier", tier, "detailed, point or meanfield")
      ->required()
      ->check(CLI::IsMember(tier_names()))
      ->option_text("T REQUIRED");
  add_output(*run_app, options);
  run_app->add_option("--reduced", options.reduced, "take the derived descriptions from this reduced.json")
      ->type_name("FILE");
  add_transfer(*run_app, options);
  add_common(*run_app, options);

  CLI::App* derive_app =
      add("derive", "Derive the point and mean-field descriptions; write DIR/reduced.json with provenance.", derive);
  add_config(*derive_app, options);
  add_output(*derive_app, options);
  derive_app
      ->add_option(
          "--variants", options.variants,
          "the same circuit with other detailed parameters that describe its cells as well: derive from each, and "
          "say how far parameters and rates spread")
      ->type_name("CONFIG,CONFIG")
      ->delimiter(',')
      ->allow_extra_args(false);
  add_transfer(*derive_app, options);
  add_common(*derive_app, options);

  CLI::App* compare_app =
      add("compare", "The main job: derive, run all tiers, check that they agree, write the report to DIR/index.html.",
          compare);
  add_config(*compare_app, options);
  add_output(*compare_app, options);
  compare_app->add_option("--reduced", options.reduced, "do not derive; take the descriptions from this reduced.json")
      ->type_name("FILE");
  std::vector<std::string> tiers = tier_names();
  compare_app->add_option("--tiers", tiers, "which tiers to run, separated by commas (default: all three)")
      ->type_name("T,T")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember(tier_names()))
      ->option_text("detailed,point,meanfield");
  compare_app->add_option("--seeds", options.seeds, "run every tier N times with other noise on the same connections")
      ->type_name("N")
      ->check(CLI::Range(1, 1000));
  compare_app
      ->add_option("--responses", options.responses,
                   "also compare the responses to N pulses and steps of the drive, in further runs of N x 0.5 s")
      ->type_name("N")
      ->check(CLI::Range(5, 10000));
  compare_app
      ->add_option("--sweep", options.sweep, "compare over one or two --set keys and draw where the levels agree")
      ->type_name("KEY=A:B:N[,KEY=A:B:N]")
      ->delimiter(',')
      ->allow_extra_args(false);
  compare_app->add_flag("--derive-each", options.derive_each,
                        "of a sweep: derive anew at every point, instead of once from CONFIG as it is");
  add_transfer(*compare_app, options);
  add_common(*compare_app, options);

  CLI::App* analyse_app =
      add("analyse",
          "Mean-field theory: all stationary states with stability, rate distributions, validity; more on request.",
          analyse);
  add_config(*analyse_app, options);
  add_output(*analyse_app, options);
  add_analysis(*analyse_app, options.analysis);
  analyse_app->add_option("--reduced", options.reduced, "take the derived descriptions from this reduced.json")
      ->type_name("FILE");
  add_transfer(*analyse_app, options);
  add_common(*analyse_app, options);

  CLI::App* report_app = add("report", "Make DIR/index.html again from the results in DIR.", report);
  report_app->add_option("DIR", options.output, "folder that compare or run has written")->required();
  report_app->add_flag("--quiet", options.quiet, "no messages but errors");

  if (argc <= 1) {
    fmt::print("{}", app.help());
    return kBadInput;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // CLI11 has its own exit codes; ours: help and version are successes, all else is bad input.
    return app.exit(error) == 0 ? kDone : kBadInput;
  }
  options.tiers_chosen = compare_app->count("--tiers") > 0;
  options.tiers = tiers_named(run_app->parsed() ? std::vector<std::string>{tier} : tiers);
  return command(options);
}

}  // namespace
}  // namespace triscale::cli

int main(int argc, char** argv) {
  using namespace triscale;
  cli::catch_signals();
  try {
    return cli::run_command(argc, argv);
  } catch (const core::InputError& error) {
    std::set<std::string> printed;  // what several populations share is said once
    for (const core::Problem& problem : error.problems()) {
      const std::string text = core::to_string(problem);
      if (printed.insert(text).second) cli::print_problem("error", text);
    }
    return cli::kBadInput;
  } catch (const core::NumericalError& error) {
    cli::print_problem("numerical failure", error.what());
    return cli::kNumericalFailure;
  } catch (const core::Interrupted&) {
    cli::print_problem("interrupted", "unfinished results were not written");
    return cli::kSignalBase + cli::caught_signal();
  } catch (const std::bad_alloc&) {
    cli::print_problem("error", "not enough memory; `triscale check` says how much each tier needs");
    return cli::kNumericalFailure;
  } catch (const std::exception& error) {
    cli::print_problem("internal error", error.what());
    return cli::kNumericalFailure;
  }
}
