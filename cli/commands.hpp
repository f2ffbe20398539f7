/// The subcommands of `triscale`. Each returns the exit code of the program and throws core::InputError,
/// core::NumericalError or core::Interrupted.
#pragma once

#include "cli/options.hpp"

namespace triscale::cli {

int check(const Options& options);
int run(const Options& options);
int derive(const Options& options);
int compare(const Options& options);
int report(const Options& options);
int analyse(const Options& options);

}  // namespace triscale::cli
