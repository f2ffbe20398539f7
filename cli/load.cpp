#include "cli/load.hpp"

#include <fmt/format.h>

#include <vector>

#include "cli/overrides.hpp"
#include "cli/run_tier.hpp"
#include "core/error.hpp"
#include "io/field_kernels.hpp"
#include "io/recipe.hpp"
#include "io/reduced.hpp"
#include "io/sonata.hpp"
#include "network/validate.hpp"

namespace triscale::cli {

namespace {

/// The options with a name of their own, as if they had been given by --set; those come after, so --set wins.
std::vector<std::string> all_settings(const Options& options) {
  std::vector<std::string> settings;
  if (options.duration_ms) settings.push_back(fmt::format("run.duration_ms={}", *options.duration_ms));
  if (options.dt_ms) settings.push_back(fmt::format("run.dt_ms={}", *options.dt_ms));
  if (options.seed) settings.push_back(fmt::format("run.seed={}", *options.seed));
  settings.insert(settings.end(), options.settings.begin(), options.settings.end());
  return settings;
}

network::Circuit read(const std::filesystem::path& config, core::Diagnostics& diagnostics) {
  if (!std::filesystem::is_regular_file(config)) {
    throw core::InputError({config.string(), "", "", "is not a file that can be read",
                            "CONFIG is a SONATA simulation config or a recipe, both JSON"});
  }
  if (io::is_recipe(config)) return io::read_recipe(config, diagnostics);
  if (!io::looks_like_sonata(config)) {
    throw core::InputError(
        {config.string(), "", "", "is neither a SONATA config nor a recipe",
         "a SONATA config is JSON with the keys \"run\" and \"networks\" or \"network\"; a recipe is "
         "JSON with the key \"triscale_recipe\""});
  }
  io::LoadedCircuit sonata = io::load_sonata(config);
  for (const core::Problem& warning : sonata.diagnostics.warnings()) diagnostics.warning(warning);
  for (const core::Problem& note : sonata.diagnostics.notes()) diagnostics.note(note);
  return std::move(sonata.circuit);
}

}  // namespace

LoadedCircuit load(const Options& options) {
  LoadedCircuit loaded;
  core::Diagnostics diagnostics;
  loaded.circuit = read(options.config, diagnostics);
  throw_if_interrupted();
  if (diagnostics.ok()) apply_overrides(all_settings(options), loaded.circuit, diagnostics);
  if (diagnostics.ok()) network::validate(loaded.circuit, options.config.string(), diagnostics);
  if (diagnostics.ok() && !options.reduced.empty()) {
    loaded.derivation = io::apply_reduced(options.reduced, loaded.circuit, diagnostics);
    if (diagnostics.ok()) network::validate(loaded.circuit, options.reduced.string(), diagnostics);
    const std::filesystem::path kernels = options.reduced.parent_path() / io::kFieldKernelsFile;
    if (diagnostics.ok() && !loaded.circuit.field_probes.empty() && std::filesystem::is_regular_file(kernels)) {
      loaded.kernels = io::read_field_kernels(kernels, loaded.circuit, diagnostics);
    }
  }
  print_warnings(diagnostics.warnings());
  diagnostics.throw_if_errors();
  loaded.notes = diagnostics.notes();
  return loaded;
}

}  // namespace triscale::cli
