#include "core/error.hpp"

#include <gtest/gtest.h>

namespace triscale::core {
namespace {

TEST(Problem, ReadsAsFilePlaceValueRuleAndHint) {
  EXPECT_EQ(to_string({"a.json", "populations.E.size", "-3", "must be > 0", "give a number of cells"}),
            "a.json: populations.E.size: '-3' must be > 0 (hint: give a number of cells)");
}

TEST(Problem, LeavesOutWhatIsEmpty) {
  EXPECT_EQ(to_string({"", "", "", "no populations", ""}), "no populations");
  EXPECT_EQ(to_string({"a.json", "", "", "cannot be opened", ""}), "a.json: cannot be opened");
}

TEST(Diagnostics, ReportsAllProblemsAtOnceInTheOrderFound) {
  Diagnostics diagnostics;
  diagnostics.error({"a", "x", "1", "is odd", ""});
  diagnostics.error({"b", "y", "2", "is even", ""});
  EXPECT_FALSE(diagnostics.ok());
  try {
    diagnostics.throw_if_errors();
    FAIL() << "two errors must throw";
  } catch (const InputError& error) {
    EXPECT_EQ(error.problems().size(), 2u);
    EXPECT_STREQ(error.what(), "a: x: '1' is odd\nb: y: '2' is even");
  }
}

TEST(Diagnostics, WarningsAloneDoNotThrow) {
  Diagnostics diagnostics;
  diagnostics.warning({"a", "x", "1", "is unusual", ""});
  EXPECT_TRUE(diagnostics.ok());
  EXPECT_EQ(diagnostics.warnings().size(), 1u);
  EXPECT_NO_THROW(diagnostics.throw_if_errors());
}

}  // namespace
}  // namespace triscale::core
