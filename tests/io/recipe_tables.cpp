// Positions and edges of a recipe that stand in tables beside it.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/error.hpp"
#include "io/recipe.hpp"
#include "network/edges.hpp"
#include "network/validate.hpp"

namespace triscale::io {
namespace {

namespace fs = std::filesystem;

class RecipeTables : public testing::Test {
 protected:
  RecipeTables() { fs::create_directories(folder_); }
  ~RecipeTables() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) { std::ofstream(folder_ / name) << text; }

  /// A recipe of three cells; `positions` and `edges` are the values of these keys.
  network::Circuit read(const std::string& positions, const std::string& projection) {
    write("recipe.json", R"({"triscale_recipe": 1, "cell_types": [{"name": "cell", "detailed": {
      "sections": [{"name": "soma", "kind": "soma", "length_um": 20, "diameter_um": 20},
                   {"name": "dendrite", "kind": "basal", "parent": "soma", "length_um": 100, "diameter_um": 2}]}}],
      "synapse_types": [{"name": "fast", "detailed": {"model": "biexponential", "tau_decay_ms": 3, "E_rev_mV": 0}}],
      "populations": [{"name": "cells", "size": 3, "cell_type": "cell", "positions": )" +
                             positions + R"(}], "projections": [{"source": "cells", "target": "cells",
      "synapse_type": "fast", )" +
                             projection + "}]}");
    diagnostics_ = {};
    return read_recipe(folder_ / "recipe.json", diagnostics_);
  }

  std::string first_error() const { return diagnostics_.ok() ? "" : core::to_string(diagnostics_.errors().front()); }

  fs::path folder_ = fs::temp_directory_path() / ("triscale-recipe-tables-" + std::to_string(::getpid()));
  core::Diagnostics diagnostics_;
};

const char* const kVolume = R"({"low_um": [-100, 0, -50], "high_um": [100, 400, 50], "cylinder_axis": "y",
                               "random_rotation_about": "y"})";
const char* const kRule = R"("rule": {"kind": "all_to_all"}, "weight_uS": 1e-3, "delay_ms": 1)";

TEST_F(RecipeTables, EdgesAreThoseOfTheFileWithTheirPlaces) {
  write("edges.csv",
        "source,target,weight_uS,delay_ms,section,position\n2,0,1e-3,1.5,dendrite,0.25\n0,1,2e-3,2,0,0.5\n");
  const network::Circuit circuit = read(kVolume, R"("edges_file": "edges.csv")");
  ASSERT_TRUE(diagnostics_.ok()) << first_error();
  network::validate(circuit, "recipe.json", diagnostics_);
  ASSERT_TRUE(diagnostics_.ok()) << first_error();
  const network::EdgeList edges = network::edges_of(circuit, 0);
  ASSERT_EQ(edges.size(), 2u);
  EXPECT_EQ(edges.sources, (std::vector<std::uint32_t>{2, 0}));
  EXPECT_EQ(edges.targets, (std::vector<std::uint32_t>{0, 1}));
  EXPECT_EQ(edges.weights, (std::vector<double>{1e-3, 2e-3}));
  EXPECT_EQ(edges.delays_ms, (std::vector<double>{1.5, 2}));
  EXPECT_EQ(edges.sites[0].section, 1u);
  EXPECT_DOUBLE_EQ(edges.sites[0].position, 0.25);
  EXPECT_EQ(edges.sites[1].section, 0u);
}

TEST_F(RecipeTables, PositionsOfAFileGoToTheCellsInItsOrder) {
  write("cells.csv", "x_um y_um z_um rotation_y_rad\n1 2 3 0.5\n4 5 6 1.5\n7 8 9 0\n");
  const network::Circuit circuit = read(R"({"file": "cells.csv"})", kRule);
  ASSERT_TRUE(diagnostics_.ok()) << first_error();
  const auto& placements = circuit.populations[0].placements;
  ASSERT_EQ(placements.size(), 3u);
  EXPECT_DOUBLE_EQ(placements[1].x_um, 4);
  EXPECT_DOUBLE_EQ(placements[1].z_um, 6);
  EXPECT_DOUBLE_EQ(placements[1].rotation_y_rad, 1.5);
  EXPECT_DOUBLE_EQ(placements[2].y_um, 8);
}

TEST_F(RecipeTables, DrawnPositionsLieInTheVolumeAndAreTheSameEveryTime) {
  const network::Circuit circuit = read(kVolume, kRule), again = read(kVolume, kRule);
  ASSERT_TRUE(diagnostics_.ok()) << first_error();
  for (std::size_t cell = 0; cell < 3; ++cell) {
    const network::Placement& p = circuit.populations[0].placements.at(cell);
    EXPECT_LE(std::hypot(p.x_um / 100, p.z_um / 50), 1);
    EXPECT_GE(p.y_um, 0);
    EXPECT_LE(p.y_um, 400);
    EXPECT_GT(p.rotation_y_rad, 0);
    EXPECT_EQ(p.rotation_x_rad, 0);
    EXPECT_EQ(p.x_um, again.populations[0].placements[cell].x_um);
  }
  EXPECT_NE(circuit.populations[0].placements[0].y_um, circuit.populations[0].placements[1].y_um);
}

TEST_F(RecipeTables, MistakesAreNamedWithTheirLine) {
  write("edges.csv", "source,target,weight_uS,delay_ms\n0,1,0.001,1\n0,x,0.001,1\n");
  read(kVolume, R"("edges_file": "edges.csv")");
  EXPECT_NE(first_error().find("line 3, column target"), std::string::npos) << first_error();
  write("edges.csv", "source,target,weight,delay_ms\n0,1,0.001,1\n");
  read(kVolume, R"("edges_file": "edges.csv")");
  EXPECT_NE(first_error().find("must have a column weight_uS"), std::string::npos) << first_error();
  write("cells.csv", "x_um,y_um,z_um\n1,2,3\n");
  read(R"({"file": "cells.csv"})", kRule);
  EXPECT_NE(first_error().find("one row for each of the 3 cells"), std::string::npos) << first_error();
  read(R"({"file": "absent.csv"})", kRule);
  EXPECT_NE(first_error().find("must be a readable CSV file"), std::string::npos) << first_error();
  write("edges.csv", "source,target,weight_uS,delay_ms\n0,1,0.001,1\n");
  read(kVolume, R"("edges_file": "edges.csv", "weight_uS": 1e-3)");
  EXPECT_NE(first_error().find("weight_uS"), std::string::npos) << "a key without effect is an error";
}

}  // namespace
}  // namespace triscale::io
