// What is wrong with a recipe is said, and all of it at once.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <vector>

#include "tests/io/recipe_examples.hpp"

namespace triscale::io {
namespace {

TEST_F(Recipe, UnknownKeyNamesTheNearestOne) {
  json recipe = full_recipe();
  recipe["populations"][0]["sise"] = 3;
  read(recipe);
  expect_problem("populations[0].sise: '3' is not a known key (hint: did you mean size?)");
}

TEST_F(Recipe, KeyWithoutEffectIsAnError) {
  json recipe = full_recipe();
  recipe["projections"][1]["rule"]["number"] = 3;
  read(recipe);
  expect_problem("projections[1].rule.number: '3' has no effect");
}

TEST_F(Recipe, WeightMustHaveTheUnitOfTheSynapse) {
  json recipe = full_recipe();
  recipe["projections"][1]["weight"] = 1;
  read(recipe);
  expect_problem("projections[1].weight: '1' has no effect");
}

TEST_F(Recipe, UnknownNamesListTheKnownOnes) {
  json recipe = full_recipe();
  recipe["projections"][0]["synapse_type"] = "nmda";
  read(recipe);
  expect_problem("there are: ampa, gaba, kick");
}

TEST_F(Recipe, ParameterWithoutItsUnitIsUnknown) {
  json recipe = full_recipe();
  recipe["cell_types"][0]["detailed"]["mechanisms"][0]["parameters"] = {{"gbar", 1}};
  read(recipe);
  expect_problem("did you mean gbar_S_cm2?");
}

TEST_F(Recipe, SectionMustHangOnAnEarlierOne) {
  json recipe = full_recipe();
  recipe["cell_types"][0]["detailed"]["sections"][1]["parent"] = "x";
  read(recipe);
  expect_problem("must be the name of an earlier section");
}

TEST_F(Recipe, AllProblemsAreReportedTogether) {
  json recipe = full_recipe();
  recipe["run"]["dt"] = 1;
  recipe["run"]["seed"] = -1;
  recipe["cell_types"][0]["sign"] = "both";
  recipe["projections"][0]["rule"]["kind"] = "random";
  recipe["inputs"][0]["rate_hz"] = "fast";
  recipe["probes"][0].erase("population");
  read(recipe);
  EXPECT_GE(diagnostics_.errors().size(), 6u) << problems();
  for (const char* place : {"run.dt", "run.seed", "cell_types[0].sign", "projections[0].rule.kind", "inputs[0].rate_hz",
                            "probes[0].population"}) {
    EXPECT_NE(problems().find(place), std::string::npos) << place << "\n" << problems();
  }
}

/// Places of all objects in a recipe.
void list_objects(const json& value, const json::json_pointer& at, std::vector<json::json_pointer>& objects) {
  if (value.is_object()) objects.push_back(at);
  for (const auto& [key, inner] : value.items()) {
    if (!inner.is_structured()) continue;
    list_objects(inner, value.is_array() ? at / static_cast<std::size_t>(std::stoul(key)) : at / key, objects);
  }
}

/// "/inputs/0/rate_hz" as messages have it: "inputs[0].rate_hz".
std::string place_of(json::json_pointer at) {
  std::string place;
  for (; !at.empty(); at.pop_back()) {
    const bool index = std::all_of(at.back().begin(), at.back().end(), [](char c) { return c >= '0' && c <= '9'; });
    const std::string step = index ? "[" + at.back() + "]" : (at.parent_pointer().empty() ? "" : ".") + at.back();
    place = step + place;
  }
  return place;
}

class RecipeErrors : public Recipe {
 protected:
  /// Whether a problem is reported at a place, or within.
  bool reported(const std::string& place) const {
    const auto& errors = diagnostics_.errors();
    return std::any_of(errors.begin(), errors.end(),
                       [&](const core::Problem& problem) { return problem.place.rfind(place, 0) == 0; });
  }
  /// Without the synced file of read(), of which thousands would take a minute.
  void read_fast(const json& recipe) {
    std::ofstream(folder_ / "recipe.json") << recipe;
    diagnostics_ = {};
    read_recipe(folder_ / "recipe.json", diagnostics_);
  }
  /// Calls spoil(recipe, place of an object, one of its keys) for all keys of all example recipes.
  template <class Spoil>
  void for_each_key(const Spoil& spoil) {
    for (const json& recipe : {full_recipe(), other_recipe(), synapse_recipe(), point_recipe()}) {
      std::vector<json::json_pointer> objects;
      list_objects(recipe, json::json_pointer(), objects);
      for (const json::json_pointer& at : objects) {
        for (const auto& [key, value] : recipe.at(at).items()) spoil(recipe, at, key);
      }
    }
  }
};

TEST_F(RecipeErrors, AMissingKeyHidesNoOtherProblemOfItsObject) {
  for_each_key([&](json recipe, const json::json_pointer& at, const std::string& missing) {
    json& object = recipe[at];
    object.erase(missing);
    std::vector<std::string> wrong;
    for (auto& [key, value] : object.items()) {
      if (!value.is_number()) continue;
      value = {{"not", "a number"}};
      wrong.push_back(key);
    }
    object["unheard_of"] = 1;
    wrong.push_back("unheard_of");
    read_fast(recipe);
    for (const std::string& key : wrong) {
      EXPECT_TRUE(reported(place_of(at / key))) << place_of(at / key) << " without " << missing << "\n" << problems();
    }
  });
}

TEST_F(RecipeErrors, AMissingKeyCausesNoProblemElsewhereInItsEntry) {
  for_each_key([&](json recipe, const json::json_pointer& at, const std::string& missing) {
    if (at.empty() || missing == "name") return;  // others refer to what it names
    recipe[at].erase(missing);
    read_fast(recipe);
    const std::string object = place_of(at), entry = object.substr(0, object.find(']') + 1);
    for (const core::Problem& problem : diagnostics_.errors()) {
      if (problem.place.rfind(entry, 0) != 0) continue;
      EXPECT_EQ(problem.place.rfind(object, 0), 0u) << "without " << missing << ": " << core::to_string(problem);
    }
  });
}

TEST_F(RecipeErrors, WhatAnUnknownSynapseWouldDecideIsNotAskedFor) {
  for (const char* model : {"current_alpha", "current_delta", "instantaneous"}) {
    json recipe = full_recipe();
    for (json& type : recipe["synapse_types"]) {
      if (type.contains("point") && type["point"]["model"] == model) type["point"]["model"] = "kurrent";
    }
    read(recipe);
    for (const auto& problem : diagnostics_.errors()) {
      EXPECT_NE(problem.place.find("point.model"), std::string::npos) << core::to_string(problem);
    }
    EXPECT_FALSE(diagnostics_.ok());
  }
}

TEST_F(RecipeErrors, ACurrentIntoCellsOfAnUnknownTypeIsNoFurtherProblem) {
  json recipe = full_recipe();
  recipe["populations"][0]["cell_type"] = "exz";
  read(recipe);
  expect_problem("populations[0].cell_type: 'exz' must be the name of a cell type");
}

TEST_F(Recipe, DamagedFilesAreErrors) {
  for (const char* bad : {"", "[1]", "{", "{\"triscale_recipe\": 2, \"populations\": []}", "{\"triscale_recipe\": 1}",
                          "{\"triscale_recipe\": 1, \"populations\": 3}",
                          "{\"triscale_recipe\": 1, \"populations\": [], \"populations\": []}"}) {
    read_text(bad);
    EXPECT_FALSE(diagnostics_.ok()) << bad;
  }
}

TEST_F(Recipe, IsRecognisedByItsFormatKey) {
  read(full_recipe());
  EXPECT_TRUE(is_recipe(folder_ / "recipe.json"));
  EXPECT_FALSE(is_recipe(folder_ / "cell.swc"));
  EXPECT_FALSE(is_recipe(folder_ / "absent.json"));
}

}  // namespace
}  // namespace triscale::io
