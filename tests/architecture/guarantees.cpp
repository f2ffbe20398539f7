/// docs/guarantees.md names only tests that exist.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>

#include "tests/paths.hpp"

namespace {

TEST(Guarantees, NameOnlyTestsThatExist) {
  const std::filesystem::path root = triscale::tests::source_dir();
  std::ifstream stream(root / "docs" / "guarantees.md");
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const std::regex test_name("`([a-z]+/[a-z0-9_]+)`");
  std::size_t found = 0;
  for (std::sregex_iterator match(text.begin(), text.end(), test_name), end; match != end; ++match) {
    const std::string name = (*match)[1];
    EXPECT_TRUE(std::filesystem::exists(root / "tests" / (name + ".cpp"))) << name;
    ++found;
  }
  EXPECT_GT(found, 20u);
}

}  // namespace
