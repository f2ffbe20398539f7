/// The test values of the theory, read once; tests skip where the shared folder is absent.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/paths.hpp"

namespace triscale::meanfield {

inline std::filesystem::path reference_path() {
  return std::filesystem::path(tests::shared_dir()) / "reference" / "meanfield_reference.json";
}

inline const nlohmann::json& reference_values() {
  static const nlohmann::json values = nlohmann::json::parse(std::ifstream(reference_path()));
  return values;
}

}  // namespace triscale::meanfield

/// Defines `name` as the reference values, or skips the test.
#define TRISCALE_REFERENCE(name)                                                                      \
  if (!std::filesystem::exists(reference_path())) GTEST_SKIP() << "no " << reference_path().string(); \
  const nlohmann::json& name = reference_values()
