/// What `triscale analyse` is asked for.
#pragma once

#include <string>
#include <vector>

namespace triscale::cli {

struct AnalysisRequest {
  bool spectra = false;
  double highest_hz = 400;
  std::string response;          ///< POPULATION=AMPLITUDE:DURATION_MS
  std::string bifurcation;       ///< KEY=a:b:n
  std::vector<std::string> map;  ///< two of KEY=a:b:n
  bool density = false;
  bool wilson_cowan = false;
};

}  // namespace triscale::cli
