/// `triscale derive`: the bridges.
#include "cli/derive.hpp"

#include <fmt/format.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bridges/meanfield/derive_meanfield.hpp"
#include "bridges/point/derive.hpp"
#include "bridges/point/derive_point.hpp"
#include "bridges/point/variants.hpp"
#include "cli/commands.hpp"
#include "cli/run_tier.hpp"
#include "cli/signals.hpp"
#include "core/error.hpp"
#include "io/reduced.hpp"

namespace triscale::cli {

namespace {

void derive_point(LoadedCircuit& loaded, const Options& options) {
  ConsoleProgress progress("derive point", false, options.progress_style());
  loaded.circuit = bridges::derive_point(loaded.circuit, {}, options.threads, loaded.derivation, progress);
}

/// The bridge derives for all cell types. What the user gave, in the circuit or in an edited reduced.json, stays.
void derive_meanfield(LoadedCircuit& loaded, const Options& options) {
  ConsoleProgress progress("derive meanfield", false, options.progress_style());
  network::Derivation derivation = loaded.derivation;
  bridges::TransferFitOptions how;
  if (options.transfer_from_detailed) how.measured_on = bridges::MeasuredOn::detailed;
  network::Circuit derived = bridges::derive_meanfield(loaded.circuit, how, options.threads, derivation, progress);
  for (std::size_t i = 0; i < derived.cell_types.size(); ++i) {
    const network::CellType& given = loaded.circuit.cell_types[i];
    if (!given.meanfield) continue;
    derived.cell_types[i].meanfield = given.meanfield;
    derivation.meanfield_cells.erase(given.name);
    const auto old = loaded.derivation.meanfield_cells.find(given.name);
    if (old != loaded.derivation.meanfield_cells.end()) derivation.meanfield_cells.insert(*old);
  }
  loaded.circuit = std::move(derived);
  loaded.derivation = std::move(derivation);
}

/// What was derived just now was derived by this version.
void sign(network::Derivation& derivation) {
  for (auto* entries : {&derivation.point_cells, &derivation.meanfield_cells, &derivation.point_synapses,
                        &derivation.meanfield_synapses, &derivation.field_kernels}) {
    for (auto& [name, provenance] : *entries) {
      if (provenance.version.empty()) provenance.version = TRISCALE_VERSION;
    }
  }
}

/// The circuits of --variants; a file that is none is told before anything is derived.
std::vector<LoadedCircuit> load_variants(const network::Circuit& circuit, const Options& options) {
  std::vector<LoadedCircuit> variants;
  std::vector<core::Problem> problems;
  for (const std::filesystem::path& config : options.variants) {
    Options here = options;
    here.config = config;
    variants.push_back(load(here));
    for (core::Problem& problem : bridges::no_variant(circuit, variants.back().circuit)) {
      problem.file = config.string();
      problems.push_back(std::move(problem));
    }
  }
  if (!problems.empty()) throw core::InputError(std::move(problems));
  return variants;
}

void compare_variants(std::vector<LoadedCircuit>& variants, LoadedCircuit& loaded, const Options& options) {
  if (variants.empty()) return;
  std::vector<network::Circuit> derived = {loaded.circuit};
  for (LoadedCircuit& variant : variants) {
    variant.circuit.field_probes.clear();  // kernels of variants are not asked for
    derive_missing(variant, true, false, options);
    derived.push_back(std::move(variant.circuit));
  }
  ConsoleProgress progress("variants", false, options.progress_style());
  bridges::note_variants(derived, options.threads, loaded.derivation, progress);
}

void print_provenance(const char* tier, const std::map<std::string, network::Provenance>& provenance) {
  for (const auto& [name, entry] : provenance) {
    std::string errors;
    for (const auto& [quantity, error] : entry.fit_error) {
      errors += fmt::format("{}{} {:.3g}", errors.empty() ? "" : ", ", quantity, error);
    }
    fmt::print("{:<10} {:<28} {}\n", tier, name, errors);
  }
}

void print_beyond_tolerance(const char* tier, const std::map<std::string, network::Provenance>& provenance) {
  for (const auto& [name, entry] : provenance) {
    for (const std::string& quantity : network::beyond_tolerance(entry)) {
      fmt::print("{:<10} {:<28} {} {:.3g} is beyond its tolerance, {:.3g}\n", tier, name, quantity,
                 entry.fit_error.at(quantity), entry.tolerance.at(quantity));
    }
  }
}

}  // namespace

void print_left_out(const std::vector<core::Problem>& problems) {
  if (problems.empty()) return;
  print_warnings(problems);
  print_warnings(
      {{"", "meanfield", "", "is left out: it cannot be derived for this circuit", "see the warnings above"}});
}

std::vector<core::Problem> derive_missing(LoadedCircuit& loaded, bool point, bool meanfield, const Options& options) {
  if (point && bridges::lacks_point(loaded.circuit)) derive_point(loaded, options);
  throw_if_interrupted();
  std::vector<core::Problem> left_out;
  if (meanfield && bridges::lacks_meanfield(loaded.circuit)) {
    left_out = bridges::missing_for_transfer_fit(loaded.circuit);
    if (!left_out.empty() && options.tiers_chosen) {
      for (core::Problem& problem : left_out)
        problem.hint = "leave the mean-field tier out with --tiers detailed,point";
      throw core::InputError(left_out);
    }
    if (left_out.empty()) derive_meanfield(loaded, options);
  }
  throw_if_interrupted();
  if (point) derive_kernels(loaded, options);
  throw_if_interrupted();
  sign(loaded.derivation);
  return left_out;
}

int derive(const Options& options) {
  LoadedCircuit loaded = load(options);
  std::vector<LoadedCircuit> variants = load_variants(loaded.circuit, options);
  prepare_folder(options.output);
  const std::vector<core::Problem> left_out = derive_missing(loaded, true, true, options);
  print_left_out(left_out);
  const std::filesystem::path file = options.output / "reduced.json";
  compare_variants(variants, loaded, options);
  io::write_reduced(file, loaded.circuit, loaded.derivation);
  write_kernels(loaded, options.output);
  fmt::print("{:<10} {:<28} {}\n", "derived", "cell type", "error on unseen input");
  print_provenance("point", loaded.derivation.point_cells);
  print_provenance("meanfield", loaded.derivation.meanfield_cells);
  print_provenance("signals", loaded.derivation.field_kernels);
  print_beyond_tolerance("point", loaded.derivation.point_cells);
  print_beyond_tolerance("point", loaded.derivation.point_synapses);
  print_beyond_tolerance("meanfield", loaded.derivation.meanfield_cells);
  fmt::print("{}\n", file.string());
  return kDone;
}

}  // namespace triscale::cli
