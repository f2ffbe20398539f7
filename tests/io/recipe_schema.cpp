// The schema of recipes and their reader agree on every key.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>

#include "detailed/mechanisms.hpp"
#include "tests/io/recipe_examples.hpp"
#include "tests/paths.hpp"

namespace triscale::io {
namespace {

json read_schema() {
  std::ifstream file(fs::path(tests::source_dir()) / "docs/recipe.schema.json");
  return json::parse(file);
}

TEST(RecipeSchema, HasExactlyTheKeysOfTheReader) {
  const json schema = read_schema();
  std::set<std::string> kinds;
  for (const auto& [kind, definition] : schema.at("$defs").items()) {
    kinds.insert(kind);
    ASSERT_TRUE(recipe_keys().contains(kind)) << "the reader has no " << kind;
    EXPECT_EQ(definition.at("additionalProperties"), false) << kind;
    std::set<std::string> in_schema;
    for (const auto& property : definition.at("properties").items()) in_schema.insert(property.key());
    const auto& keys = recipe_keys().at(kind);
    EXPECT_EQ(in_schema, std::set<std::string>(keys.begin(), keys.end())) << kind;
    if (!definition.contains("required")) continue;
    for (const auto& key : definition.at("required")) EXPECT_TRUE(in_schema.contains(key)) << kind << "." << key;
  }
  for (const auto& [kind, keys] : recipe_keys()) EXPECT_TRUE(kinds.contains(kind)) << "the schema has no " << kind;
}

/// Notes which keys of the schema a recipe uses.
class Coverage {
 public:
  explicit Coverage(const json& schema) : definitions_(schema.at("$defs")) {}
  void visit(const json& value) { visit({{"$ref", "#/$defs/recipe"}}, value); }
  const std::set<std::string>& used() const { return used_; }

 private:
  void visit(const json& node, const json& value) {
    if (node.contains("$ref")) {
      const std::string kind = node.at("$ref").get<std::string>().substr(std::string("#/$defs/").size());
      const json& properties = definitions_.at(kind).at("properties");
      for (const auto& [key, inner] : value.items()) {
        used_.insert(kind + "." + key);
        if (properties.contains(key)) visit(properties.at(key), inner);
      }
    } else if (node.contains("items") && value.is_array()) {
      for (const json& item : value) visit(node.at("items"), item);
    } else {
      for (const char* choice : {"oneOf", "anyOf"}) {
        if (!node.contains(choice)) continue;
        for (const json& option : node.at(choice)) {
          if (value.is_object() && option.contains("$ref") && fits(option, value)) visit(option, value);
        }
      }
    }
  }
  /// Whether the fixed values of an option ("model", "kind") are those of the object.
  bool fits(const json& option, const json& value) const {
    const std::string kind = option.at("$ref").get<std::string>().substr(std::string("#/$defs/").size());
    for (const auto& [key, property] : definitions_.at(kind).at("properties").items()) {
      if (property.contains("const") && value.value(key, json()) != property.at("const")) return false;
    }
    return true;
  }

  const json& definitions_;
  std::set<std::string> used_;
};

TEST_F(Recipe, EveryKeyOfTheSchemaIsRead) {
  const json schema = read_schema();
  Coverage coverage(schema);
  write_text_file(folder_ / "cells.csv", "x_um y_um z_um\n1 2 3\n4 5 6\n7 8 9\n0 0 0\n");
  write_text_file(folder_ / "edges.csv", "source target weight_uS delay_ms\n0 1 1e-3 1\n");
  json with_tables = synapse_recipe();
  with_tables["populations"][0]["positions"] = {{"file", "cells.csv"}};
  with_tables["projections"] = {
      {{"source", "cells"}, {"target", "cells"}, {"synapse_type", "glutamate"}, {"edges_file", "edges.csv"}}};
  for (const json& recipe : {full_recipe(), other_recipe(), synapse_recipe(), point_recipe(), with_tables}) {
    read(recipe);
    EXPECT_TRUE(diagnostics_.ok()) << problems();
    coverage.visit(recipe);
  }
  for (const auto& [kind, keys] : recipe_keys()) {
    for (const std::string& key : keys) {
      EXPECT_TRUE(coverage.used().contains(kind + "." + key)) << "no test reads " << kind << "." << key;
    }
  }
}

TEST(RecipeSchema, KnowsTheParametersOfEveryMechanism) {
  const std::map<std::string, std::string> suffixes = {{"S/cm2", "_S_cm2"}, {"mV", "_mV"}, {"ms", "_ms"},
                                                       {"um", "_um"},       {"mM", "_mM"}, {"1", ""}};
  std::set<std::string> used;
  for (const auto& mechanism : detailed::mechanism_catalogue()) {
    for (const auto& parameter : mechanism.parameters) used.insert(parameter.name + suffixes.at(parameter.unit));
  }
  const auto& keys = recipe_keys().at("parameters");
  EXPECT_EQ(used, std::set<std::string>(keys.begin(), keys.end()));
}

}  // namespace
}  // namespace triscale::io
