/// CSV tables and strict JSON.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "io/csv.hpp"
#include "io/json_object.hpp"

namespace triscale::io {
namespace {

std::filesystem::path write(const std::string& text) {
  const auto path = std::filesystem::path(testing::TempDir()) / "triscale_table.txt";
  std::ofstream(path) << text;
  return path;
}

TEST(Csv, SpacesQuotesAndMissingValues) {
  core::Diagnostics diagnostics;
  const CsvTable table = read_csv(write("id  target_sections query delay\n"
                                        "100 \"['basal', 'apical']\" ei=='e'&model=='x'   2.0\n"
                                        "\n"
                                        "101 NULL \"say \"\"yes\"\"\" NONE\r\n"),
                                  diagnostics);
  EXPECT_TRUE(diagnostics.ok());
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(table.field(0, "target_sections"), "['basal', 'apical']");
  EXPECT_EQ(table.field(0, "query"), "ei=='e'&model=='x'");
  EXPECT_EQ(table.field(0, "delay"), "2.0");
  EXPECT_EQ(table.field(1, "target_sections"), std::nullopt);
  EXPECT_EQ(table.field(1, "query"), "say \"yes\"");
  EXPECT_EQ(table.field(1, "delay"), std::nullopt);
  EXPECT_EQ(table.field(1, "absent"), std::nullopt);
  EXPECT_EQ(table.place(1, "delay"), "line 4, column delay");
}

TEST(Csv, OtherSeparatorsKeepEmptyFields) {
  core::Diagnostics diagnostics;
  const CsvTable table = read_csv(write("a,b,c\n1,,3\n"), diagnostics, ',');
  ASSERT_EQ(table.rows.size(), 1u);
  EXPECT_EQ(table.field(0, "b"), std::nullopt);
  EXPECT_EQ(table.field(0, "c"), "3");
}

TEST(Csv, RowsOfTheWrongLengthAndOpenQuotesAreErrors) {
  core::Diagnostics diagnostics;
  const CsvTable table = read_csv(write("a b\n1 2 3\n\"1 2\n4 5\n"), diagnostics);
  EXPECT_EQ(table.rows.size(), 1u);
  ASSERT_EQ(diagnostics.errors().size(), 2u);
  EXPECT_EQ(diagnostics.errors()[0].place, "line 2");
  EXPECT_EQ(diagnostics.errors()[1].place, "line 3");
}

TEST(Csv, NumbersMustBeWholeAndFinite) {
  EXPECT_EQ(parse_number("1e-3"), 1e-3);
  EXPECT_EQ(parse_number("1.5x"), std::nullopt);
  EXPECT_EQ(parse_number(""), std::nullopt);
  EXPECT_EQ(parse_number("nan"), std::nullopt);
  EXPECT_EQ(parse_id("17"), 17u);
  EXPECT_EQ(parse_id("-1"), std::nullopt);
}

TEST(Json, ReadsTypedValuesAndReportsTheWrongKind) {
  core::Diagnostics diagnostics;
  const auto json = JsonObject::load(
      write(R"({"a": 1.5, "b": "text", "c": [1, 2], "d": {"e": true}, "f": "0.25", "n": null})"), diagnostics);
  ASSERT_TRUE(json);
  EXPECT_EQ(json->number("a"), 1.5);
  EXPECT_EQ(json->numbers("a"), std::vector<double>{1.5});
  EXPECT_EQ(json->numbers("c"), (std::vector<double>{1, 2}));
  EXPECT_EQ(json->number_or_numeric_text("f"), 0.25);
  EXPECT_EQ(json->object("d")->flag("e"), true);
  EXPECT_EQ(json->number("n"), std::nullopt);
  EXPECT_EQ(json->number("absent"), std::nullopt);
  EXPECT_TRUE(diagnostics.ok());
  EXPECT_EQ(json->number("b"), std::nullopt);
  EXPECT_EQ(json->object("d")->number("e"), std::nullopt);
  json->required_text("absent");
  ASSERT_EQ(diagnostics.errors().size(), 3u);
  EXPECT_EQ(diagnostics.errors()[0].place, "b");
  EXPECT_EQ(diagnostics.errors()[0].value, "text");
  EXPECT_EQ(diagnostics.errors()[1].place, "d.e");
  EXPECT_EQ(diagnostics.errors()[2].place, "absent");
}

TEST(Json, KeysThatNobodyReadAreNamed) {
  core::Diagnostics diagnostics;
  const auto json = JsonObject::load(write(R"({"known": 1, "unknwon": 2})"), diagnostics);
  json->number("known");
  json->report_unread();
  ASSERT_EQ(diagnostics.warnings().size(), 1u);
  EXPECT_EQ(diagnostics.warnings()[0].place, "unknwon");
}

TEST(Json, RejectsWhatIsNotAWellFormedObject) {
  for (const char* text : {"{\"a\": 1,}", "[1, 2]", "", "{\"a\": NaN}", "{\"a\": 1, \"a\": 2}"}) {
    core::Diagnostics diagnostics;
    JsonObject::load(write(text), diagnostics);
    EXPECT_FALSE(diagnostics.ok()) << text;
  }
  core::Diagnostics diagnostics;
  EXPECT_FALSE(JsonObject::load("/nowhere/config.json", diagnostics));
  EXPECT_EQ(diagnostics.errors().at(0).file, "/nowhere/config.json");
}

}  // namespace
}  // namespace triscale::io
