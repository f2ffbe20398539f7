/// signals.json: what measure::SignalReport holds, for the page and for scripts.
#pragma once

#include <filesystem>

#include "measure/signal_report.hpp"

namespace triscale::io {

void write_signal_report(const std::filesystem::path& path, const measure::SignalReport& report);

}  // namespace triscale::io
